from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async import (
    AmbiguousWriteError,
    APIError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ConnectFailedError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    FeatureRestrictedError,
    JibbleError,
    NotFoundError,
    NotSupportedError,
    PaginationError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    ResponseTooLargeError,
    RetryPolicy,
    Safety,
    ServerError,
    ThrottledOrForbiddenError,
)
from jibble_async.core.clock import Clock
from jibble_async.core.retry import RETRYABLE, Decision, RetryBudget, decide, retry
from jibble_async.core.wire import error_class

POLICY = RetryPolicy()


def _with(error: JibbleError, **attributes: object) -> JibbleError:
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


# What may be tried again, by what it means to send the request twice: read, idempotent, unsafe,
# findable, once.
NEVER, TWICE = (False,) * 5, (True, True, False, False, False)
ALWAYS, REFUSED = (True,) * 5, (True, True, True, True, False)
TABLE: list[tuple[str, JibbleError, tuple[bool, ...]]] = [
    ("no connection", ConnectFailedError("x"), ALWAYS),
    ("bad certificate", _with(ConnectFailedError("x"), permanent=True), NEVER),
    ("lost", ConnectionLostError("x"), TWICE),
    ("lost, not sent", _with(ConnectionLostError("x"), sent=False), ALWAYS),
    ("too late", DeadlineExceededError("x"), TWICE),
    ("too late, not sent", DeadlineExceededError("x", sent=False), ALWAYS),
    ("no HTTP", ProtocolError("x"), TWICE),
    ("redirect", _with(ProtocolError("x"), permanent=True), NEVER),
    ("too large", ResponseTooLargeError("x"), NEVER),
    ("429", RateLimitedError("x", status=429), REFUSED),
    ("throttling 403", RateLimitedError("x", status=403), REFUSED),
    ("bare 403", ThrottledOrForbiddenError("x", status=403), REFUSED),
    ("403", PermissionDeniedError("x", status=403), NEVER),
    ("500", ServerError("x", status=500), TWICE),
    ("501", ServerError("x", status=501), NEVER),
    ("502", ServerError("x", status=502), TWICE),
    ("503", ServerError("x", status=503), TWICE),
    ("504", ServerError("x", status=504), TWICE),
    ("505", ServerError("x", status=505), NEVER),
    ("400", BadRequestError("x", status=400), NEVER),
    ("401", AuthenticationError("x", status=401), NEVER),
    ("402", FeatureRestrictedError("x", status=402), NEVER),
    ("404", NotFoundError("x", status=404), NEVER),
    ("409", ConflictError("x", status=409), NEVER),
    ("cut off", _with(DecodeError("x"), malformed=True), TWICE),
    ("another form", DecodeError("x"), NEVER),
    ("configuration", ConfigurationError("x"), NEVER),
    ("not supported", NotSupportedError("x"), NEVER),
    ("pages", PaginationError("x"), NEVER),
    ("ambiguous", AmbiguousWriteError("x"), NEVER),
]


@pytest.mark.parametrize(("name", "error", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_what_may_be_tried_again(name: str, error: JibbleError, expected: tuple[bool, ...]) -> None:
    found = tuple(decide(POLICY, error, safety, 1, 0.5) is not None for safety in Safety)
    assert found == expected
    if any(found):
        assert isinstance(error, RETRYABLE)


LOST = ConnectionLostError("x")
BUSY = RateLimitedError("x", status=429)
BARE = ThrottledOrForbiddenError("x", status=403)


@pytest.mark.parametrize(("error", "attempts"), [(LOST, 4), (BUSY, 10), (BARE, 2)])
def test_how_often(error: JibbleError, attempts: int) -> None:
    assert decide(POLICY, error, Safety.READ, attempts - 1, 0.5) is not None
    assert decide(POLICY, error, Safety.READ, attempts, 0.5) is None
    once = RetryPolicy(attempts=1, throttled_attempts=1)
    assert decide(once, error, Safety.READ, 1, 0.5) is None


def test_waits_double_up_to_the_longest() -> None:
    patient = RetryPolicy(attempts=100)
    found = [decide(patient, LOST, Safety.READ, attempt, 1.0) for attempt in range(1, 9)]
    assert [step.delay for step in found if step] == [0.5, 1, 2, 4, 8, 16, 20, 20]
    assert decide(patient, LOST, Safety.READ, 1, 0.0) == Decision(0.0, asked=False)
    endless = RetryPolicy(throttled_attempts=10_000)
    assert decide(endless, BUSY, Safety.READ, 9_000, 1.0) == Decision(20.0, asked=False)


@pytest.mark.parametrize("error_class", [RateLimitedError, ThrottledOrForbiddenError, ServerError])
def test_what_the_server_asks_for_is_honoured_up_to_a_cap(
    error_class: type[RateLimitedError | ServerError],
) -> None:
    def step(wait: float, chance: float = 0.0) -> Decision | None:
        error = error_class("x", status=503, retry_after=wait)
        return decide(POLICY, error, Safety.READ, 1, chance)

    assert step(0) == Decision(0.0, asked=False)
    assert step(120) == Decision(120.0, asked=True)
    assert step(120, chance=1.0) == Decision(120.5, asked=True)
    assert step(120.1) is None


@pytest.mark.parametrize("error", [ServerError("x", status=503), RateLimitedError("x", status=429)])
@pytest.mark.parametrize("asked", [0.0, 0.3])
def test_a_short_wait_is_never_less_than_our_own_and_draws_on_the_budget(
    error: APIError, asked: float
) -> None:
    error.retry_after = asked
    for attempt, own in ((1, 0.5), (2, 1.0), (3, 2.0)):
        step = decide(POLICY, error, Safety.READ, attempt, 1.0)
        assert step == Decision(max(own, asked + 0.5), asked=False)


def test_a_server_in_trouble_that_asks_for_less_than_we_would_wait_is_our_retry() -> None:
    error = ServerError("x", status=503, retry_after=1.0)
    policy = RetryPolicy(attempts=9)
    assert decide(policy, error, Safety.READ, 1, 1.0) == Decision(1.5, asked=True)
    assert decide(policy, error, Safety.READ, 5, 1.0) == Decision(8.0, asked=False)
    # One that refuses for speed has said when it will have room.
    refusal = RateLimitedError("x", status=429, retry_after=1.0)
    assert decide(policy, refusal, Safety.READ, 5, 1.0) == Decision(8.0, asked=True)


@pytest.mark.parametrize(
    "error", [LOST, ServerError("x", status=502), RateLimitedError("x", status=429)]
)
def test_patience_is_measured_by_time_not_by_attempts(error: JibbleError) -> None:
    patient = RetryPolicy(attempts=1, throttled_attempts=1, patience=900.0)
    assert decide(patient, error, Safety.READ, 10_000, 1.0, 899.9) is not None
    assert decide(patient, error, Safety.READ, 1, 1.0, 900.0) is None
    # What may not be sent again is not sent again by who has time either.
    assert decide(patient, LOST, Safety.UNSAFE, 1, 1.0) is None


def test_who_is_patient_waits_as_long_as_a_server_asks_for_within_it() -> None:
    patient = RetryPolicy(patience=900.0)
    error = ServerError("x", status=503, retry_after=600.0)
    assert decide(POLICY, error, Safety.READ, 1, 0.0) is None
    assert decide(patient, error, Safety.READ, 1, 0.0, 200.0) == Decision(600.0, asked=True)
    assert decide(patient, error, Safety.READ, 2, 0.0, 400.0) is None


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 520, 525, 530])
@pytest.mark.parametrize("safety", Safety)
def test_which_statuses_pass(status: int, safety: Safety) -> None:
    error = error_class(status)("x", status=status)
    again = decide(POLICY, error, safety, 1, 0.5) is not None
    assert again == (safety in {Safety.READ, Safety.IDEMPOTENT})
    assert isinstance(error, RETRYABLE)


@pytest.mark.parametrize("status", [400, 405, 422, 501, 505, 519, 531])
def test_which_statuses_stay(status: int) -> None:
    assert decide(POLICY, error_class(status)("x", status=status), Safety.READ, 1, 0.5) is None


@given(
    st.sampled_from([row[1] for row in TABLE]),
    st.sampled_from(Safety),
    st.integers(1, 10**6),
    st.floats(0, 1),
    st.builds(
        RetryPolicy,
        attempts=st.integers(1, 10**6),
        throttled_attempts=st.integers(1, 10**6),
        base_delay=st.floats(0, 1e300),
        max_delay=st.floats(0, 1e9),
        max_retry_after=st.floats(0, 1e9),
    ),
)
def test_no_wait_is_negative_or_longer_than_allowed(
    error: JibbleError, safety: Safety, attempt: int, chance: float, policy: RetryPolicy
) -> None:
    step = decide(policy, error, safety, attempt, chance)
    assert step is None or 0 <= step.delay <= policy.max_delay


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0},
        {"throttled_attempts": 0},
        {"base_delay": -1},
        {"max_delay": -0.1},
        {"max_retry_after": float("nan")},
        {"max_delay": float("inf")},
        {"patience": -1.0},
        {"patience": float("inf")},
    ],
)
def test_a_policy_that_cant_be_used(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=r"can't be used|is no number"):
        RetryPolicy(**wrong)  # type: ignore[arg-type]


def test_the_budget_gives_a_tenth_back() -> None:
    budget = RetryBudget(capacity=3)
    assert [budget.take() for _ in range(4)] == [True, True, True, False]
    for _ in range(9):
        budget.succeeded()
    assert not budget.take()
    for _ in range(2):
        budget.succeeded()
    assert budget.take()
    assert not budget.take()


def test_the_budget_never_holds_more_than_its_capacity() -> None:
    budget = RetryBudget(capacity=2)
    for _ in range(1000):
        budget.succeeded()
    assert [budget.take() for _ in range(3)] == [True, True, False]


@given(st.lists(st.booleans(), max_size=600))
def test_in_a_long_outage_retries_are_a_tenth_of_the_calls(calls: list[bool]) -> None:
    budget = RetryBudget(capacity=5)
    retries = successes = 0
    for succeeds in calls:
        if succeeds:
            budget.succeeded()
            successes += 1
        else:
            retries += budget.take()
    assert retries <= 5 + successes * 0.1 + 1e-6


class Naps:
    """A clock whose sleeps take no time, and are kept."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.clock = Clock(sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.taken.append(seconds)


def _steps(delays: list[float]) -> Iterator[Decision]:
    return (Decision(delay, asked=False) for delay in delays)


async def test_retry_carries_out_the_decisions() -> None:
    naps = Naps()
    steps = _steps([0.25, 3.0])
    seen: list[tuple[JibbleError, int]] = []

    async def next_step(error: JibbleError, number: int) -> Decision | None:
        seen.append((error, number))
        return next(steps)

    async def attempt(number: int) -> str:
        if number < 3:
            raise second
        return f"attempt {number}"

    second = ConnectionLostError("second")
    assert await retry(LOST, attempt, next_step, RETRYABLE, naps.clock) == "attempt 3"
    assert naps.taken == [0.25, 3.0]
    assert seen == [(LOST, 1), (second, 2)]


async def test_retry_raises_the_last_error_when_told_to_give_up() -> None:
    naps = Naps()
    steps = iter([Decision(1.0, asked=True), None])
    last = ServerError("last", status=503)

    async def attempt(_: int) -> str:
        raise last

    async def next_step(error: JibbleError, number: int) -> Decision | None:
        return next(steps)

    with pytest.raises(ServerError) as caught:
        await retry(LOST, attempt, next_step, RETRYABLE, naps.clock)
    assert caught.value is last
    assert naps.taken == [1.0]


@pytest.mark.parametrize(
    "end", [asyncio.CancelledError(), NotFoundError("x", status=404), KeyError("x")]
)
async def test_anything_else_passes_untouched(end: BaseException) -> None:
    naps = Naps()

    async def attempt(_: int) -> str:
        raise end

    async def next_step(error: JibbleError, number: int) -> Decision | None:
        return Decision(0.0, asked=False)

    with pytest.raises(type(end)) as caught:
        await retry(LOST, attempt, next_step, RETRYABLE, naps.clock)
    assert caught.value is end
    assert naps.taken == [0.0]
