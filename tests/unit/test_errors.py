from __future__ import annotations

import copy
import pickle
import re

import pytest

from jibble_async import errors
from jibble_async.errors import (
    AmbiguousWriteError,
    APIError,
    ConfigurationError,
    DeadlineExceededError,
    DecodeError,
    JibbleError,
    PermissionDeniedError,
    RateLimitedError,
    ThrottledOrForbiddenError,
    TransportError,
    UnknownFieldError,
)

CLASSES: list[type[JibbleError]] = [getattr(errors, name) for name in errors.__all__]


def made(cls: type[JibbleError]) -> JibbleError:
    if issubclass(cls, APIError):
        return cls("it failed", status=418, code="teapot", retry_after=2.5)
    return cls("it failed")


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_errors_survive_pickling_with_all_they_know(cls: type[JibbleError]) -> None:
    error = made(cls)
    error.request = "GET workspace /v1/People?$filter"
    error.attempts = 3
    error.cursor = "abc"
    error.retries_exhausted = True
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is cls
        assert str(again) == str(error)
        assert again.args == error.args
        assert again.__dict__ == error.__dict__


def test_the_attributes_of_single_errors_survive_too() -> None:
    row = DecodeError("x", row=5)
    row.malformed = True
    late = DeadlineExceededError("x", sent=False)
    lost = AmbiguousWriteError("x", candidates=("a", "b"))
    for error in (row, late, lost):
        assert pickle.loads(pickle.dumps(error)).__dict__ == error.__dict__


def test_the_tree_is_the_one_in_the_docstring() -> None:
    document = errors.__doc__ or ""
    drawn = re.findall(r"^ +[│├└─ ]*(\w+Error)\b", document, re.MULTILINE)
    assert sorted(drawn) == sorted(errors.__all__)
    depths = {
        name: len(indent) // 4
        for indent, name in re.findall(r"^    ([│├└─ ]*)(\w+Error)\b", document, re.MULTILINE)
    }
    parents: dict[int, str] = {}
    for name, depth in depths.items():
        parents[depth] = name
        if depth:
            cls, parent = getattr(errors, name), getattr(errors, parents[depth - 1])
            assert parent in cls.__bases__, name


def test_errors_are_what_they_are_called_elsewhere_too() -> None:
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(UnknownFieldError, AttributeError)
    assert issubclass(DeadlineExceededError, TimeoutError)
    assert issubclass(ThrottledOrForbiddenError, RateLimitedError)
    assert issubclass(ThrottledOrForbiddenError, PermissionDeniedError)
    assert not issubclass(TransportError, APIError)


def test_the_text_says_what_where_and_how_often() -> None:
    error = JibbleError("it failed")
    assert str(error) == "it failed"
    error.request = "GET workspace /v1/People"
    error.attempts = 1
    assert str(error) == "it failed [GET workspace /v1/People]"
    error.attempts = 4
    error.retries_exhausted = True
    assert str(error) == (
        "it failed [GET workspace /v1/People] after 4 attempts "
        "(not retried further: the client's retry budget is empty)"
    )
