"""What the page tells somebody who trusts nobody."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from jibble_async.version import __version__
from jibble_legacy.migration.checking.tally import Tally
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.report.html import moment
from jibble_legacy.migration.report.numbers import Auditor, Proof
from jibble_legacy.migration.writing.probed import Probed

__all__ = ["auditor"]

_HOUR = 3_600_000


def auditor(ledger: Ledger, tally: Tally) -> Auditor:
    """Where the numbers come from, and what they can't show.

    Args:
        ledger: The migration's.
        tally: What reading back counted.
    """
    pages, begin, end = ledger.read("SELECT count(*), min(received), max(received) FROM page")[0]
    plan = ledger.read("SELECT hash, at, detail FROM plan ORDER BY n DESC LIMIT 1")
    digest, at, detail = plan[0] if plan else ("", None, None)
    return Auditor(
        chain=ledger.get("chain", ""),
        answers=pages,
        requests=pages,
        read_from=begin,
        read_until=end,
        busiest_hour=_busiest(ledger),
        plan=digest,
        plan_at=at,
        tool=f"jibble-async {__version__}",
        proofs=list(_proofs(detail)),
        probe=list(_probe(ledger)),
        not_shown=list(_not_shown(begin, end, tally)),
    )


class _Plan(msgspec.Struct, gc=False):
    files: dict[str, str] = {}


def _proofs(detail: str | None) -> Iterator[Proof]:
    """The files as the plan read them."""
    if detail is not None:
        for name, sha256 in sorted(msgspec.json.decode(detail, type=_Plan).files.items()):
            yield Proof(name=name, sha256=sha256)


def _busiest(ledger: Ledger) -> int:
    """The most answers within any hour."""
    moments = [ms for (ms,) in ledger.scan("SELECT received FROM page ORDER BY received")]
    most = begin = 0
    for place, ms in enumerate(moments):
        while ms - moments[begin] >= _HOUR:
            begin += 1
        most = max(most, place - begin + 1)
    return most


def _probe(ledger: Ledger) -> Iterator[str]:
    known = ledger.get("probe")
    if known is None:
        return
    probed = msgspec.convert(known, Probed)
    tried = ledger.value("SELECT ms FROM probe ORDER BY n DESC LIMIT 1")
    if tried is not None:
        yield f"one entry of {moment(tried)} UTC, archived again"
    yield f"kept as sent: {', '.join(probed.kept) or 'nothing'}"
    if probed.known_differences:
        yield f"not kept, as was accepted: {', '.join(probed.known_differences)}"
    marks = {"its id": probed.keeps_id, "its nonce": probed.keeps_mark}
    kept = " and ".join(name for name, keeps in marks.items() if keeps)
    yield f"an entry is known by {kept or 'its person, moment and kind alone'}"
    yield f"sent again unchanged: {probed.repeat}"


def _not_shown(begin: int | None, end: int | None, tally: Tally) -> Iterator[str]:
    yield f"what was deleted from the old account before {moment(begin)} UTC"
    if tally.reread is None:
        yield f"what changed in the old account after {moment(end)} UTC"
    elif tally.reread.mode == "delta":
        yield f"what was deleted there after {moment(begin)} UTC, but for the pages that were drawn"
    yield "how Jibble's own timesheets count what is odd"
