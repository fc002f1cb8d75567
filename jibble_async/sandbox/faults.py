"""Scripted faults: which request meets which trouble.

A fault waits for the requests that match it. Token requests are spared unless the fault names
`service="identity"` (or `"legacy-identity"`) or a part of their path; faults of pages wait for a
GET. On the legacy host, whose pages are bare arrays, those of links and counts change nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from jibble_async.sandbox.ledger import SERVICES, TOKEN_SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable

    from jibble_async.sandbox.ledger import Received, Service

_ELSEWHERE = "https://elsewhere.invalid/v1/TimeEntries?$skip=100"

INSTEAD: dict[str, dict[str, Any]] = {
    "drop_before": {},
    "reset_before": {},
    "commit_later": {"after": 60.0},
    "html_502": {},
    "status": {"status": 500, "body": b"", "headers": {}, "committed": False},
    "too_many": {"retry_after": 1, "as_date": False, "headers": True},
    "empty_403": {"body": ""},
    "denied_403": {},
    "unauthorized": {},
    "redirect": {"status": 302, "location": _ELSEWHERE},
}
OF_PAGES: dict[str, dict[str, Any]] = {
    "empty_page": {},
    "repeat_link": {},
    "foreign_link": {"link": _ELSEWHERE},
    "duplicate_rows": {"rows": 1},
    "wrong_count": {"count": None, "by": 1},
    "no_count": {},
    "bad_row": {"row": 0, "field": "time", "value": "not an instant"},
    "mutate": {"change": None},
}
AFTERWARDS: dict[str, dict[str, Any]] = {
    "drop_after": {},
    "reset_after": {},
    "stall": {"committed": False},
    "drip": {"size": 64, "gap": 0.0},
    "truncate": {"keep": None},
    "invalid_json": {},
}
KINDS = {**INSTEAD, **OF_PAGES, **AFTERWARDS}
UNANSWERED: frozenset[str] = frozenset({"drop_before", "reset_before", "commit_later"})
"""What ends a connection before anything is done."""


class Fault:
    """One scripted trouble.

    | kind | what the client sees | parameters |
    |---|---|---|
    | `drop_before`, `drop_after` | the connection closed, before or after the commit | |
    | `reset_before`, `reset_after` | the same as a TCP reset | |
    | `commit_later` | the connection closed, long before the commit | `after` seconds |
    | `stall` | nothing until `release()` | `committed`: do the work before the stall |
    | `drip` | the body in small pieces | `size` in bytes, `gap` in seconds |
    | `truncate` | less body than `Content-Length` says | `keep` bytes, half by default |
    | `invalid_json` | a body cut short, with a fitting length | |
    | `html_502`, `status` | an error page; any status | `status body headers committed` |
    | `too_many` | 429 | `retry_after` seconds or None, `as_date`, `headers` |
    | `empty_403`, `denied_403` | 403 without and with an error body | `body` |
    | `unauthorized` | 401 | |
    | `redirect` | a redirection | `status`, `location` |
    | `empty_page` | no rows, and a link to the page | |
    | `repeat_link`, `foreign_link` | a link to the same page, to another origin | `link` |
    | `duplicate_rows` | rows pushed in before this page: it repeats the last ones | `rows` |
    | `wrong_count`, `no_count` | `@odata.count` off or missing | `count`, or `by` |
    | `bad_row` | a row with an odd value | `row`, `field`, `value` |
    | `mutate` | rows that changed since the page before | `change`, called with the dataset |

    On the legacy host `mutate` calls with its store, and refusals have its own bodies.

    Args:
        kind: One of the above.
        service: The service's name; None for any but the token hosts.
        method: The HTTP method; None for any.
        path: A part of the decoded path, such as the set's name; None for any.
        nth: The first matching request that meets it, from 1.
        times: How many meet it; None for all from then on.
        **params: The kind's parameters.

    Raises:
        ValueError: The kind, the service or a parameter is unknown.

    Attributes:
        reached: Set when a request has met the fault.
        released: Set when stalled requests may go on.
    """

    def __init__(
        self,
        kind: str,
        service: Service | None = None,
        method: str | None = None,
        path: str | None = None,
        nth: int | None = None,
        times: int | None = 1,
        **params: Any,
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; there are {', '.join(KINDS)}")
        if service is not None and service not in SERVICES:
            raise ValueError(f"unknown service {service!r}; there are {', '.join(SERVICES)}")
        unknown = params.keys() - KINDS[kind].keys()
        if unknown:
            raise ValueError(f"the fault {kind!r} has no parameter {', '.join(sorted(unknown))}")
        self.kind = kind
        self.service = service
        self.method = method
        self.path = path
        self.nth: int = nth or 1
        self.left = times
        self.params: dict[str, Any] = {**KINDS[kind], **params}
        self.reached: asyncio.Event = asyncio.Event()
        self.released: asyncio.Event = asyncio.Event()
        self._seen = 0

    def __repr__(self) -> str:
        return f"Fault({self.kind!r}, path={self.path!r}, nth={self.nth}, left={self.left})"

    def matches(self, received: Received) -> bool:
        """Whether a request is of those that the fault waits for."""
        if received.service in TOKEN_SERVICES and self.service is None and self.path is None:
            return False
        if self.kind in OF_PAGES and received.method != "GET":
            return False
        return (
            self.service in {None, received.service}
            and self.method in {None, received.method}
            and (self.path is None or self.path in received.path)
        )

    def due(self, received: Received) -> bool:
        """Counts a request and tells whether it meets the fault."""
        if not self.matches(received):
            return False
        self._seen += 1
        return self._seen >= self.nth and self.left != 0

    def release(self) -> None:
        """Lets stalled requests go on."""
        self.released.set()


class Faults:
    """The faults in force, in the order they were added; a request meets at most one.

    Attributes:
        script: A second way to say it: called with a request that meets no added fault, gives a
            fault or None. For seeded random schedules.
    """

    def __init__(self) -> None:
        self.script: Callable[[Received], Fault | None] | None = None
        self._faults: list[Fault] = []
        self._stalling: list[Fault] = []
        self._shifts: dict[str, tuple[int, int]] = {}

    def add(self, fault: Fault) -> Fault:
        """Puts a fault in force and gives it back."""
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Takes every fault away and lets stalled requests go on."""
        self.release()
        self._faults.clear()
        self._shifts.clear()
        self.script = None

    def release(self) -> None:
        """Lets every stalled request go on."""
        for fault in (*self._faults, *self._stalling):
            fault.release()

    def take(self, received: Received) -> Fault | None:
        """The fault that a request meets, noted in the request."""
        due = [fault for fault in self._faults if fault.due(received)]
        fault = due[0] if due else self.script and self.script(received)
        if fault is None:
            return None
        if fault.left is not None:
            fault.left -= 1
        if fault.kind == "stall":
            self._stalling.append(fault)
        received.fault = fault.kind
        fault.reached.set()
        return fault

    def shift(self, fault: Fault | None, walk: str, skip: int) -> int:
        """How many rows were pushed in before a page, by this fault or one earlier in its walk.

        Args:
            fault: The fault that the page meets.
            walk: What is the same for every page of a walk.
            skip: The page's offset.
        """
        if fault is not None and fault.kind == "duplicate_rows" and skip:
            since, rows = self._shifts.get(walk, (skip, 0))
            self._shifts[walk] = (min(since, skip), rows + fault.params["rows"])
        since, rows = self._shifts.get(walk, (0, 0))
        return rows if skip >= since else 0
