"""Everything that may be seen of an error: where secrets are looked for."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Iterator

_TESTS = __file__.rpartition("/support/")[0]


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and everything that hangs on it."""
    while error is not None:
        yield error
        if error.__cause__ is not None:
            yield from chain(error.__cause__)
        error = error.__context__


def shown(error: BaseException) -> str:
    """Everything that may be seen of an error by itself: text, attributes, pickle, traceback."""
    parts = [pickle.dumps(error).decode("latin-1")]
    for each in chain(error):
        parts += [str(each), repr(each), repr(each.args), repr(vars(each))]
    parts += traceback.format_exception(error)
    return "\n".join(parts)


def local_variables(error: BaseException) -> str:
    """What reports of errors show beside it: the variables of every frame but the tests' own."""
    return "\n".join(
        f"{frame.f_code.co_qualname}.{name} = {value!r}"
        for each in chain(error)
        for frame, _ in traceback.walk_tb(each.__traceback__)
        if not frame.f_code.co_filename.startswith(_TESTS)
        for name, value in frame.f_locals.items()
    )


def found(canaries: tuple[str, ...], *places: str) -> list[str]:
    """Each canary that is in one of the places, with the line around it."""
    return [
        line
        for place in places
        for line in place.splitlines()
        for canary in canaries
        if canary in line
    ]
