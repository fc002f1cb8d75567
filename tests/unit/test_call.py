"""What a call knows of itself: its time, and what may have become of it."""

from __future__ import annotations

import pytest

from jibble_async import (
    BadRequestError,
    ConnectionLostError,
    DeadlineExceededError,
    JibbleError,
    RetryPolicy,
    Safety,
    Timeouts,
)
from jibble_async.core.call import Call
from jibble_async.core.call_options import CallOptions
from jibble_async.core.operation import Operation, build
from jibble_async.core.wire import Reply

OPTIONS = CallOptions(Timeouts(), RetryPolicy())


def a_call(
    safety: Safety = Safety.UNSAFE, ends: float | None = None, *, authorised: bool = True
) -> Call[Reply]:
    request = build(Operation("workspace", "POST", "/v1/Things", safety), "http://127.0.0.1")
    return Call(request, lambda reply: reply, OPTIONS, ends, authorised=authorised)


@pytest.mark.parametrize(
    ("ends", "longest", "left"),
    [(None, None, None), (None, 5.0, 5.0), (103.0, None, 3.0), (103.0, 5.0, 3.0), (109, 5, 5)],
)
def test_what_is_left(ends: float | None, longest: float | None, left: float | None) -> None:
    assert a_call(ends=ends).left(100.0, longest) == left


def test_nothing_is_left_of_a_call_that_is_over() -> None:
    assert a_call(ends=99.0).left(100.0) == 0.0


@pytest.mark.parametrize(
    ("call", "error", "doubt"),
    [
        (a_call(), ConnectionLostError("x"), True),
        (a_call(), DeadlineExceededError("x", sent=False), False),
        (a_call(), BadRequestError("x", status=400), False),
        (a_call(Safety.IDEMPOTENT), ConnectionLostError("x"), True),
        (a_call(Safety.READ), ConnectionLostError("x"), False),
        (a_call(authorised=False), ConnectionLostError("x"), False),
    ],
)
def test_what_may_have_been_processed(call: Call[Reply], error: JibbleError, doubt: bool) -> None:
    call.ended(error, 2)
    assert error.maybe_processed is doubt
    assert (error.request, error.attempts) == ("POST workspace /v1/Things", 2)


def test_a_doubt_stays_whatever_comes_after() -> None:
    call, last = a_call(), BadRequestError("x", status=400)
    call.failed(ConnectionLostError("x"))
    call.ended(last, 2)
    assert last.maybe_processed


def test_an_error_of_the_call_for_a_token_keeps_its_own_request() -> None:
    call, error = a_call(), ConnectionLostError("x")
    error.request, error.attempts = "POST identity /token", 4
    call.ended(error, 1)
    assert (error.request, error.attempts) == ("POST identity /token", 4)
    assert not error.maybe_processed
