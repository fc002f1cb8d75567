"""A sandbox that one program after the other finds as the last one left it.

Its rows are made from a seed each time, and what was written is written again from a journal, at
the moments at which it was written first: equal requests in an equal order give equal rows.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jibble_async.sandbox.exchange import Reply
from jibble_async.sandbox.history.past import History
from jibble_async.sandbox.legacy.rules import LegacyRules
from jibble_async.sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from jibble_async.sandbox.exchange import Call
    from jibble_async.sandbox.ledger import Received

_ORIGIN = "https://{}.prod.jibble.io"
_LEGACY = "https://connect.jibble.io"
_YEARS = 1e9
_TOKENS = "https://identity.prod.jibble.io"


class _Beginning(msgspec.Struct, frozen=True):
    """The first line of a journal."""

    began: datetime
    people: int
    entries: int
    seed: int


class _Written(msgspec.Struct, frozen=True):
    """Every other line: a request that may have changed rows."""

    at: datetime
    service: str
    method: str
    target: str
    body: str


class _Clock:
    """The present, or the moment of what is being repeated."""

    def __init__(self, real: Callable[[], datetime]) -> None:
        self._real = real
        self.then: datetime | None = None

    def __call__(self) -> datetime:
        return self._real() if self.then is None else self.then


def kept_sandbox(
    path: str | PathLike[str],
    *,
    people: int = 24,
    entries: int = 600,
    seed: int = 7,
    clock: Callable[[], datetime] | None = None,
) -> Sandbox:
    """A sandbox of an old company beside a new one, as the last program left it.

    One program at a time may use it: the journal has no lock.

    Args:
        path: The journal; made if it is not there, and then the other arguments count.
        people: How many member rows the old account's entries name.
        entries: How many entries that account has.
        seed: Equal seeds give equal organisations.
        clock: The present instant, aware; None for real time.

    Raises:
        ValueError: The file is no journal of a sandbox.

    Example:
        >>> async with kept_sandbox("rehearsal.jsonl") as box:
        ...     print(len(box.dataset.rows("TimeEntries")))
        0
    """
    file = Path(path)
    now = _Clock(clock or (lambda: datetime.now(UTC)))
    try:
        beginning, written = _read(file)
    except FileNotFoundError:
        beginning, written = _Beginning(now(), people, entries, seed), []
        _append(file, beginning)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{file} is no journal of a sandbox: {error}") from error
    now.then = beginning.began
    box = Sandbox(
        beginning.people,
        seed=beginning.seed,
        history=History(beginning.entries),
        # The bearer is as old as the journal.
        legacy_rules=LegacyRules(token_lifetime=_YEARS),
        clock=now,
    )
    _repeat(box, written, now)

    def note(call: Call, received: Received) -> None:
        body = b64encode(call.body).decode()
        _append(file, _Written(received.at, received.service, call.method, received.target, body))

    box.hosts.before_write = note
    return box


def _repeat(box: Sandbox, written: list[_Written], now: _Clock) -> None:
    form = (
        f"grant_type=client_credentials&client_id={box.client_id}&client_secret={box.client_secret}"
    )
    bearer = ""
    for each in written:
        now.then = each.at
        headers = {"authorization": f"Bearer {bearer}", "content-type": "application/json"}
        if each.service == "legacy":
            headers["authorization"] = f"Bearer {box.legacy_token}"
        reply = _asked(box, each, headers)
        if reply.status == 401:
            kind = {"content-type": "application/x-www-form-urlencoded"}
            token = box.hosts.arrive("POST", _TOKENS, "/connect/token", kind, form.encode())
            answer: dict[str, Any] = _answered(token).payload
            bearer = answer["access_token"]
            _asked(box, each, headers | {"authorization": f"Bearer {bearer}"})
    now.then = None
    box.ledger.requests.clear()
    box.ledger.committed.clear()


def _asked(box: Sandbox, each: _Written, headers: dict[str, str]) -> Reply:
    origin = _LEGACY if each.service == "legacy" else _ORIGIN.format(each.service)
    return _answered(
        box.hosts.arrive(each.method, origin, each.target, headers, b64decode(each.body))
    )


def _answered(visit: Any) -> Reply:
    reply: Reply = visit if isinstance(visit, Reply) else visit.reply()
    return reply


def _read(file: Path) -> tuple[_Beginning, list[_Written]]:
    content = file.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        # What a program that was killed left of the line of a request that it didn't answer.
        os.truncate(file, whole)
    first, *others = content[:whole].splitlines() or [b""]
    return (
        msgspec.json.decode(first, type=_Beginning),
        [msgspec.json.decode(line, type=_Written) for line in others],
    )


def _append(file: Path, line: msgspec.Struct) -> None:
    with file.open("ab") as out:
        out.write(msgspec.json.encode(line) + b"\n")
