"""When writing stops by itself: what befalls so many would befall the rest, too. Decisions only."""

from __future__ import annotations

import contextlib
import re
from collections import deque
from collections.abc import Callable, Collection, Generator

import msgspec

from jibble_async.entities import EntryStatus, TimeEntry
from jibble_async.errors import (
    APIError,
    AuthenticationError,
    ConfigurationError,
    FeatureRestrictedError,
    JibbleError,
    MigrationError,
    RateLimitedError,
)
from jibble_legacy.migration.moments import milliseconds

__all__ = ["KEEPABLE", "Brakes", "Planned", "echo_differences"]

KEEPABLE = ("time", "belongsToDate", "offset", "note")
"""What a server may keep of an entry or not, as a probe finds out; everything else it must."""
_IN_A_ROW = 5
_WINDOW = 500
_SHARE = 0.02
# What differs between refusals of one kind: whose, when, which.
_PARTICULARS = r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\d[\d.:TZ+-]*|'[^']*'|\"[^\"]*\""


class Planned(msgspec.Struct, frozen=True):
    """An entry as it is sent.

    Attributes:
        person: Whose it is, over there.
        ms: Its moment.
        type: What it marks.
        day: The working day, as `2026-07-01`.
        offset: What the person's clock was ahead of UTC, in seconds.
        activity: The activity's id over there.
        project: The project's.
        note: The note; None and "" are one.
    """

    person: str
    ms: int
    type: str
    day: str
    offset: int
    activity: str | None
    project: str | None
    note: str | None


def echo_differences(
    sent: Planned, echo: TimeEntry, kept: Collection[str], *, whole_seconds: bool = False
) -> list[str]:
    """The names of the fields in which an answer differs from what was sent, beyond what is known.

    Args:
        sent: What was sent.
        echo: What the server made of it.
        kept: Which of `KEEPABLE` the server kept when it was probed.
        whole_seconds: Whether it was accepted that it keeps no more of a moment.
    """
    unit = 1000 if whole_seconds else 1
    came = None if echo.time is None else milliseconds(echo.time) // unit
    ahead = None if echo.offset is None else round(echo.offset.total_seconds())
    same = {
        "personId": _alike(sent.person, echo.person_id),
        "type": sent.type == echo.type,
        "status": echo.status == EntryStatus.ACTIVE,
        "activityId": _alike(sent.activity, echo.activity_id),
        "projectId": _alike(sent.project, echo.project_id),
        "time": sent.ms // unit == came,
        "belongsToDate": str(echo.belongs_to_date) == sent.day,
        "offset": sent.offset == ahead,
        "note": (sent.note or "") == (echo.note or ""),
    }
    known = set(KEEPABLE) - set(kept)
    return [name for name, alike in same.items() if not alike and name not in known]


class Brakes:
    """Counts what became of writes, and says when it is enough.

    Args:
        on_stop: Called when it is, perhaps more than once.

    Attributes:
        reason: Why writing stops, once it does.
        first: The first refusal in full.
    """

    def __init__(self, on_stop: Callable[[], object] | None = None) -> None:
        self._on_stop = on_stop
        self.reason: str | None = None
        self.first: str | None = None
        self._kind: tuple[str, str] | None = None
        self._people: set[int] = set()
        # Of the last writes, whether each was refused.
        self._latest: deque[bool] = deque(maxlen=_WINDOW)

    def kept(self, differing: Collection[str] = (), which: str = "") -> None:
        """Note that a write was done.

        Args:
            differing: The fields in which the answer differs from it; see `echo_differences`.
            which: The id over there.
        """
        self._kind = None
        self._latest.append(False)
        if differing:
            self.stop(
                f"the server changed {', '.join(differing)} of the entry {which}, and had kept it "
                "when it was probed: look at the entry, then probe again"
            )

    def refused(self, person: int, error: JibbleError) -> None:
        """Note that a write was refused.

        Args:
            person: Whose lane it is in.
            error: The server's answer.
        """
        self.first = self.first or str(error)
        kind = _kind_of(error)
        if kind != self._kind:
            self._kind, self._people = kind, set()
        self._people.add(person)
        self._latest.append(True)
        if len(self._people) >= _IN_A_ROW:
            self.stop(f"{_IN_A_ROW} people in a row were refused for the same reason")
        elif sum(self._latest) >= _SHARE * _WINDOW:
            self.stop(f"{sum(self._latest)} of the last {len(self._latest)} writes were refused")

    def turned_away(self, error: JibbleError, tries: int, most: int) -> None:
        """Note that a write was turned away unread.

        Args:
            error: Why.
            tries: How often in a row.
            most: After how many tries it is not tried again.
        """
        if isinstance(error, AuthenticationError):
            self.first = self.first or str(error)
            self.stop("the credentials are not taken any more (401)")
        elif isinstance(error, FeatureRestrictedError):
            self.first = self.first or str(error)
            self.stop("the plan of the new account does not include this (402)")
        elif tries >= most:
            self.first = self.first or str(error)
            what = "is too fast for" if isinstance(error, RateLimitedError) else "can't reach"
            self.stop(f"writing {what} the new account, {tries} times in a row")

    @contextlib.contextmanager
    def on_errors(self) -> Generator[None]:
        """Stop, rather than raise, when the new account can't be asked.

        It was a look-up, or what is safe to repeat: whoever comes next goes on from the ledger.
        """
        try:
            yield
        except (ConfigurationError, MigrationError):
            raise
        except JibbleError as error:
            self.stop(f"the new account could not be asked: {error}")

    def stop(self, reason: str) -> None:
        """Say that writing stops; the first reason is kept.

        Args:
            reason: Why.
        """
        self.reason = self.reason or reason
        if self._on_stop is not None:
            self._on_stop()


def _kind_of(error: JibbleError) -> tuple[str, str]:
    code = f"{error.status} {error.code}" if isinstance(error, APIError) else type(error).__name__
    return code, re.sub(_PARTICULARS, "…", error.message)


def _alike(sent: str | None, came: str | None) -> bool:
    return (sent or "").lower() == (came or "").lower()
