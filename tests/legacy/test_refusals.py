"""How a refusal of the old API is read, and which steps finding out what it means has."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from jibble_legacy.error_bodies import BareForbiddenError, read_error
from jibble_legacy.forbidden import Probe, Procedure, Step, nearly_full

from jibble_async import (
    APIError,
    AuthenticationError,
    PermissionDeniedError,
    RateLimitedError,
)
from jibble_async.core.wire import Reply
from tests.legacy.hosts import EMPTY_BODIES


@pytest.mark.parametrize("body", EMPTY_BODIES)
def test_what_says_nothing(body: bytes) -> None:
    error = read_error(Reply(403, {}, body), throttling=False, wait=None)
    assert isinstance(error, BareForbiddenError)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (403, {"error": "invalid_grant"}, AuthenticationError, "invalid_grant"),
        (403, {"error": "insufficient_scope"}, PermissionDeniedError, "insufficient_scope"),
        (401, {"error": "invalid_client"}, AuthenticationError, "invalid_client"),
        (401, {}, AuthenticationError, None),
        (
            403,
            {"error": {"statusCode": 403, "name": "Error", "message": "no", "stack": "canary"}},
            PermissionDeniedError,
            "Error",
        ),
        (403, {"response": {}, "error": "denied"}, PermissionDeniedError, "denied"),
        (403, {"response": {"a": 1}}, PermissionDeniedError, None),
        (403, "no", PermissionDeniedError, None),
        (429, {}, RateLimitedError, None),
    ],
)
def test_what_says_something(status: int, body: Any, kind: type[APIError], code: Any) -> None:
    reply = Reply(status, {}, msgspec.json.encode(body))
    error = read_error(reply, throttling=False, wait=None)
    assert type(error) is kind
    assert error.code == code
    assert "canary" not in str(error)


def test_headers_of_the_limit() -> None:
    headers = {
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "1529928060",
        "Date": "Mon, 25 Jun 2018 12:00:00 GMT",
    }
    error = read_error(Reply(403, headers, b""), throttling=False, wait=None)
    assert isinstance(error, BareForbiddenError)
    assert (error.told, error.retry_after) == (True, 60.0)


def test_the_procedure_ends() -> None:
    """Whatever happens: one wait, one probe and two repetitions at most, then an error."""
    for crowds in itertools.product((True, False), repeat=3):
        for probe in Probe:
            procedure, steps = Procedure(), list[Step]()
            for crowded in crowds:
                step = procedure.refused(crowded=crowded)
                steps.append(step)
                if step is Step.PROBE:
                    step = procedure.probed(probe)
                    steps.append(step)
                if step in {Step.FORBIDDEN, Step.UNDECIDED}:
                    break
            assert steps[-1] in {Step.FORBIDDEN, Step.UNDECIDED}
            assert steps.count(Step.WAIT) <= 1
            assert steps.count(Step.PROBE) <= 1
            assert steps.count(Step.WAIT) + steps.count(Step.AGAIN) <= 2
            assert (steps[-1] is Step.FORBIDDEN) == (probe is Probe.ANSWERED)


def test_nearly_full() -> None:
    assert nearly_full(135, 150)
    assert not nearly_full(134, 150)
    assert not nearly_full(None, 150)
