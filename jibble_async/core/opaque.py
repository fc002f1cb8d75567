"""Records that show nobody what they hold: bodies, tokens, headers, and what was asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import msgspec
from multidict import CIMultiDict

from jibble_async.errors import ConfigurationError

__all__ = ["Headers", "Opaque", "unseen"]

P = ParamSpec("P")
T = TypeVar("T")


class Opaque(msgspec.Struct, eq=False):
    """A record whose fields stay out of its repr, and of what rich prints of it."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    # Without it, rich would show every field of a struct.
    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class Headers(CIMultiDict[str]):
    """Headers whose values no debugger, log or error report shows as a local variable."""

    def __repr__(self) -> str:
        return f"<Headers {', '.join(self)}>"


def unseen(function: Callable[P, T]) -> Callable[P, T]:
    """The function, from whose errors of configuration no variables of it can be read.

    Args:
        function: One that holds a secret, or all of the environment.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except ConfigurationError as error:
            # Reports of errors show the variables of every frame.
            failure = error.with_traceback(None)
            if error.__suppress_context__:
                error.__context__ = None
        del args, kwargs
        raise failure

    return call
