"""What a probe found of a server, and what may be relied on. Decisions only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from jibble_async.entities import EntryStatus, TimeEntry
from jibble_legacy.migration.moments import milliseconds
from jibble_legacy.migration.writing.lanes import nonce_of
from jibble_legacy.migration.writing.stopping import KEEPABLE, Planned, echo_differences

__all__ = ["Answer", "Probed", "Witness", "judged"]

Answer: TypeAlias = Literal["taken", "refused", "not tried"]


class Witness(msgspec.Struct, frozen=True):
    """What was seen of the entries that a probe made.

    Attributes:
        key: The id and the nonce that were sent.
        sent: What was sent.
        echo: The answer to it.
        by_id: What is there under the id of the answer; None if nothing is.
        around: What is there around the moment.
        repeat: What became of the same request, sent again: `conflict`, `same`, `second`, or the
            server's words.
        lone_out: Whether an Out without an In before it is taken.
        out_after_out: Whether an Out after an Out is taken.
        of_removed: Whether an entry of somebody who was removed is taken.
        listed: What the default list shows around the moment once all was archived.
        role: The role of the credential's person.
        earliest: What the server calls the first day that is allowed.
    """

    key: str
    sent: Planned
    echo: TimeEntry
    by_id: TimeEntry | None
    around: tuple[TimeEntry, ...]
    repeat: str = "conflict"
    lone_out: Answer = "not tried"
    out_after_out: Answer = "not tried"
    of_removed: Answer = "not tried"
    listed: tuple[TimeEntry, ...] = ()
    role: str | None = None
    earliest: str | None = None


class Probed(msgspec.Struct, frozen=True):
    """What may be relied on.

    Attributes:
        stop: Why nothing can be written to this server; None if it can.
        keeps_id: Whether an entry has the id that was sent.
        keeps_mark: Whether it carries the nonce.
        kept: The fields of `KEEPABLE` that come back as they were sent.
        resolution_ms: 1000 if moments are cut to seconds, which a person has to accept.
        archives: Whether an archived entry is gone from the default list.
        repeat: See `Witness`.
        lone_out: See `Witness`.
        out_after_out: See `Witness`.
        of_removed: See `Witness`.
        role: The role of the credential's person.
        earliest: See `Witness`.
    """

    stop: str | None = None
    keeps_id: bool = True
    keeps_mark: bool = True
    kept: tuple[str, ...] = KEEPABLE
    resolution_ms: int = 1
    archives: bool = True
    repeat: str = "conflict"
    lone_out: Answer = "not tried"
    out_after_out: Answer = "not tried"
    of_removed: Answer = "not tried"
    role: str | None = None
    earliest: str | None = None

    @property
    def by_twin(self) -> bool:
        """Whether an entry can only be found by what it looks like."""
        return not (self.keeps_id or self.keeps_mark)

    @property
    def whole_seconds(self) -> bool:
        """Whether moments are cut to seconds."""
        return self.resolution_ms > 1

    @property
    def known_differences(self) -> tuple[str, ...]:
        """The fields that won't come back as they were sent, which a person has to accept."""
        return tuple(name for name in KEEPABLE if name not in self.kept)


def judged(seen: Witness) -> Probed:
    """What may be relied on after a probe.

    Args:
        seen: What the probe saw.
    """
    echo, sent = seen.echo, seen.sent
    differing = set(echo_differences(sent, echo, KEEPABLE))
    whole_seconds = (
        "time" in differing
        and echo.time is not None
        and milliseconds(echo.time) // 1000 == sent.ms // 1000
    )
    kept = tuple(name for name in KEEPABLE if name not in differing)
    entry_id = echo.id.lower()
    still = any(
        row.id.lower() == entry_id and row.status != EntryStatus.ARCHIVED for row in seen.listed
    )
    return Probed(
        stop=_stop(seen, differing - set(KEEPABLE), whole_seconds=whole_seconds, kept=kept),
        keeps_id=entry_id == seen.key,
        keeps_mark=nonce_of(echo) == seen.key,
        kept=kept,
        resolution_ms=1000 if whole_seconds else 1,
        archives=not still,
        repeat=seen.repeat,
        lone_out=seen.lone_out,
        out_after_out=seen.out_after_out,
        of_removed=seen.of_removed,
        role=seen.role,
        earliest=seen.earliest,
    )


def _stop(
    seen: Witness, never: set[str], *, whole_seconds: bool, kept: Sequence[str]
) -> str | None:
    ids = {row.id.lower() for row in seen.around}
    if never:
        return f"the server did not keep {', '.join(sorted(never))} of an entry: report this"
    if "time" not in kept and not whole_seconds:
        return (
            "the server does not take the moment that an entry is sent with: every entry would lie "
            "at the time of its sending"
        )
    if seen.by_id is None or seen.echo.id.lower() not in ids:
        return (
            "an entry that was just made is not found by its id, or by its person and moment: a "
            "lost answer could not be told from a lost entry"
        )
    return None
