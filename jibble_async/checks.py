"""Whether settings that a caller gives are of their kind, and that an error does not show them."""

from __future__ import annotations

import functools
import numbers
import re
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from jibble_async.errors import ConfigurationError

__all__ = ["pattern", "require_counts", "require_kind", "require_numbers", "unseen"]

P = ParamSpec("P")
T = TypeVar("T")


@functools.cache
def pattern(text: str) -> re.Pattern[str]:
    """A pattern, compiled when it is first used: importing the package compiles none.

    `re` keeps them too, but looking one up there costs as much as a short match.
    """
    return re.compile(text)


def require_numbers(owner: str, *optional: str, **given: Any) -> None:
    """Refuse settings that are no numbers.

    Args:
        owner: Whose they are, for the error.
        *optional: The names of those that may be None.
        **given: The settings.

    Raises:
        ConfigurationError: One is a text, a truth value, not a number, or something else.
    """
    _require(numbers.Real, "number", owner, optional, given)


def require_counts(owner: str, *optional: str, **given: Any) -> None:
    """Refuse settings that are no whole numbers; raises as `require_numbers` does."""
    _require(numbers.Integral, "whole number", owner, optional, given)


def require_kind(label: str, value: Any, kind: type[Any]) -> None:
    """Refuse a setting of another class.

    Args:
        label: What it is called, for the error.
        value: What the caller gave.
        kind: What it should be.

    Raises:
        ConfigurationError: It is something else; the error does not show it.
    """
    if not isinstance(value, kind):
        raise ConfigurationError(f"{label} takes {kind.__name__}, not {type(value).__name__}")


def _require(
    kind: type[Any], words: str, owner: str, optional: tuple[str, ...], given: dict[str, Any]
) -> None:
    for name, value in given.items():
        if value is None and name in optional:
            continue
        # Not a number is equal to nothing, itself included.
        if not isinstance(value, kind) or type(value) is bool or value != value:
            raise ConfigurationError(
                f"{owner}: {name}={value!r} is no {words} but {type(value).__name__}"
            )


def unseen(function: Callable[P, T]) -> Callable[P, T]:
    """The function, from whose errors no variables of it can be read.

    Args:
        function: One that holds a secret, or all of the environment.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            # Reports of errors show the variables of every frame: these too, for a misspelt name.
            failure = error.with_traceback(None)
            if error.__suppress_context__:
                error.__context__ = None
        del args, kwargs
        raise failure

    return call
