"""What a write becomes by what befalls it, and what a look-up proves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from jibble_legacy.migration.moments import milliseconds, moment_at
from jibble_legacy.migration.states import State
from jibble_legacy.migration.writing.lanes import (
    Event,
    Finding,
    Sought,
    after,
    event_after,
    event_of,
    found_among,
    settles_in,
)

from jibble_async import TimeEntry
from jibble_async.entities import EntryStatus, EntryType, Platform
from jibble_async.errors import (
    AmbiguousWriteError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ConnectFailedError,
    ConnectionLostError,
    DecodeError,
    FeatureRestrictedError,
    JibbleError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    ThrottledOrForbiddenError,
)

KEY = "11111111-2222-5333-8444-555555555555"
OTHER = "99999999-2222-5333-8444-555555555555"
THEN = datetime(2017, 3, 1, 8, 0, 0, 123_000, tzinfo=UTC)
SOUGHT = Sought(KEY, milliseconds(THEN), "In")


def lost(error: JibbleError) -> JibbleError:
    error.maybe_processed = True
    return error


def entry(id: str, nonce: str | None = None, **fields: Any) -> TimeEntry:
    platform = None if nonce is None else Platform(event_id=nonce)
    same: dict[str, Any] = {"time": THEN, "type": EntryType.IN, "status": EntryStatus.ACTIVE}
    return TimeEntry(id=id, platform=platform, **same | fields)


def look(*rows: TimeEntry, **told: Any) -> Finding:
    usual: dict[str, Any] = {"before": (), "claimed": (), "by_twin": False}
    return found_among(rows, SOUGHT, **usual | told)


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (AmbiguousWriteError("lost"), Event.LOST),
        (ConflictError("there", status=409), Event.LOST),
        (RateLimitedError("fast", status=429), Event.TURNED_AWAY),
        (ThrottledOrForbiddenError("403", status=403), Event.TURNED_AWAY),
        (AuthenticationError("token", status=401), Event.TURNED_AWAY),
        (ConnectFailedError("no connection"), Event.TURNED_AWAY),
        (lost(ConnectionLostError("broken")), Event.LOST),
        (lost(RateLimitedError("fast", status=429)), Event.LOST),
        (lost(ServerError("down", status=503)), Event.LOST),
        (lost(DecodeError("half")), Event.LOST),
        (BadRequestError("timeout", status=408), Event.LOST),
        (BadRequestError("no", status=400), Event.REFUSED),
        (BadRequestError("no", status=422), Event.REFUSED),
        (FeatureRestrictedError("plan", status=402), Event.TURNED_AWAY),
        (PermissionDeniedError("not you", status=403), Event.REFUSED),
        (NotFoundError("nobody", status=404), Event.REFUSED),
    ],
)
def test_what_an_error_says_of_a_write(error: JibbleError, event: Event) -> None:
    assert event_of(error) is event
    assert event_after(error, 2) is event
    is_bare = isinstance(error, ThrottledOrForbiddenError)
    assert event_after(error, 3) is (Event.REFUSED if is_bare else event)


def test_an_error_that_says_nothing_of_the_write_is_raised() -> None:
    closed = ConfigurationError("this client is closed")
    with pytest.raises(ConfigurationError) as caught:
        event_of(closed)
    assert caught.value is closed
    assert event_of(lost(ConfigurationError("closed meanwhile"))) is Event.LOST


def test_nothing_that_was_sent_is_sent_again_but_by_a_late_look_up() -> None:
    into = {
        (state, event)
        for state in State
        for event in Event
        if leads_to(state, event) is State.PLANNED
    }
    assert into == {
        (State.SENT, Event.TURNED_AWAY),
        (State.DOUBTFUL, Event.ABSENT),
        (State.PLANNED, Event.ABSENT),
        (State.STALE, Event.ARCHIVED),
    }
    # And only what is on the disk as sent can be told of as kept.
    assert leads_to(State.PLANNED, Event.INTENDED) is State.SENT
    assert leads_to(State.PLANNED, Event.KEPT) is None
    assert leads_to(State.UNKNOWN, Event.INTENDED) is None
    assert leads_to(State.UNDONE, Event.INTENDED) is None


def leads_to(state: State, event: Event) -> State | None:
    try:
        return after(state, event)
    except ValueError:
        return None


def test_an_impossible_step_is_told_of() -> None:
    with pytest.raises(ValueError, match="a write that is undone can't be kept"):
        after(State.UNDONE, Event.KEPT)


@pytest.mark.parametrize("row", [entry(KEY), entry(OTHER, KEY), entry(OTHER, KEY.upper())])
def test_a_mark_is_proof_whatever_was_there_before(row: TimeEntry) -> None:
    finding = look(row, before={row.id})
    assert (finding.event, finding.target, finding.by) == (Event.FOUND, row.id, "mark")


def test_a_twin_is_proof_only_where_no_mark_is_kept() -> None:
    twin = entry(OTHER)
    assert look(twin).event is Event.ABSENT
    finding = look(twin, by_twin=True)
    assert (finding.event, finding.target, finding.by) == (Event.FOUND, OTHER, "twin")


@pytest.mark.parametrize(
    "told",
    [
        {"before": {OTHER}},
        {"claimed": {OTHER}},
        {"row": entry(OTHER, time=THEN + timedelta(milliseconds=1))},
        {"row": entry(OTHER, time=None)},
        {"row": entry(OTHER, type=EntryType.OUT)},
        {"row": entry(OTHER, status=EntryStatus.ARCHIVED)},
    ],
)
def test_what_is_no_twin(told: dict[str, Any]) -> None:
    row = told.pop("row", entry(OTHER))
    assert look(row, by_twin=True, **told).event is Event.ABSENT


def test_a_server_of_whole_seconds_has_its_twins_by_the_second() -> None:
    cut = entry(OTHER, time=THEN.replace(microsecond=0))
    assert look(cut, by_twin=True).event is Event.ABSENT
    assert look(cut, by_twin=True, whole_seconds=True).event is Event.FOUND


def test_the_first_that_was_made_answers_and_the_others_are_extras() -> None:
    early, late = THEN + timedelta(days=3000), THEN + timedelta(days=3001)
    rows = [
        entry("c", KEY, created_at=late),
        entry("a", KEY, created_at=late),
        entry("b", KEY, created_at=early),
    ]
    finding = look(*rows)
    assert (finding.event, finding.target, finding.extras) == (Event.FOUND, "b", ("a", "c"))
    assert look(*reversed(rows)) == finding
    # A twin beside a marked one is somebody else's.
    assert look(entry(OTHER), entry(KEY), by_twin=True).extras == ()


def test_what_is_archived_is_not_found_but_shown() -> None:
    finding = look(entry(KEY, status=EntryStatus.ARCHIVED))
    assert (finding.event, finding.target, finding.candidates) == (Event.ABSENT, None, (KEY,))


def test_a_mark_on_what_is_not_ours_is_unclear() -> None:
    assert look(entry(KEY), claimed={KEY}).event is Event.UNCLEAR
    finding = look(entry(KEY, type=EntryType.OUT))
    assert (finding.event, finding.candidates) == (Event.UNCLEAR, (KEY,))


def test_settling_counts_from_when_it_was_given_up() -> None:
    assert settles_in(1_000, 1_000, 600.0) == 600.0
    assert settles_in(1_000, 600_999, 600.0) == pytest.approx(0.001)
    assert settles_in(1_000, 601_000, 600.0) == 0.0
    assert settles_in(1_000, 999_000, 600.0) == 0.0
    # A clock that was set back waits longer, never shorter.
    assert settles_in(10_000, 1_000, 600.0) == 609.0


def test_moments_are_whole_milliseconds() -> None:
    assert moment_at(milliseconds(THEN)) == THEN
    assert milliseconds(THEN + timedelta(microseconds=999)) == milliseconds(THEN)
    assert moment_at(milliseconds(datetime(1970, 1, 1, tzinfo=UTC))).year == 1970
    old = datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
    assert milliseconds(old) == -1
    assert moment_at(-1) == old


def test_a_twin_of_somebody_else_is_none_where_the_server_shows_everybody() -> None:
    sought = msgspec.structs.replace(SOUGHT, person=KEY)
    theirs, mine = entry(OTHER, person_id=OTHER), entry(OTHER, person_id=KEY.upper())
    for row, event in ((theirs, Event.ABSENT), (mine, Event.FOUND)):
        finding = found_among([row], sought, before=(), claimed=(), by_twin=True)
        assert finding.event is event
