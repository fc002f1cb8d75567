"""`jibble doctor`: whether a server does what the proofs of exports rest on."""

from __future__ import annotations

from typing import Any

import msgspec

from jibble_async.cli.connection import DEFAULTS, Common, connect
from jibble_async.cli.output import NotAllDoneError, show_facts, show_json
from jibble_async.export.proof.probe import probe_updated_at

__all__ = ["doctor"]

_YES_OR_NO = {True: "yes", False: "no", None: "not looked at"}
_VERDICTS = {
    True: "agrees with what exports rest on",
    False: "does not: exports may miss changes and call themselves proved; read whole sets anew",
    None: "nothing to see: no entry is archived; give --change-note-of",
}


async def doctor(*, change_note_of: str | None = None, common: Common = DEFAULTS) -> None:
    """Look whether changes set updatedAt, as proofs of exports need.

    Without --change-note-of nothing is changed: archived time entries are looked at.

    Args:
        change_note_of: The id of a time entry whose note is changed for a moment and changed back,
            which leaves it a later updatedAt. Best one that was made for it.
        common: What every command takes.
    """
    async with connect(common) as client:
        probe = await probe_updated_at(client, change_note_of)
    if common.form in {"json", "jsonl"}:
        told: dict[str, Any] = msgspec.to_builtins(probe)
        show_json({**told, "holds": probe.holds}, common.form)
    else:
        show_facts(
            {
                "archived entries": f"{probe.archived}, {probe.unstamped} not stamped later",
                "set by an edited note": _YES_OR_NO[probe.edited],
                "entry found by it": _YES_OR_NO[probe.found],
                "updatedAt": _VERDICTS[probe.holds],
            },
            common.form,
            id="updatedAt",
        )
    if probe.holds is False:
        raise NotAllDoneError
