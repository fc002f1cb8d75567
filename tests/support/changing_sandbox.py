"""The same set that never rests, answered for by the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from random import Random

import msgspec
from multidict import CIMultiDict

from jibble_async import ClientCredentials
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply
from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.exchange import Reply as Answer
from tests.support.changing_set import ChangingSet, Entry, Habits

__all__ = ["ChangingSandbox"]

_SET = "TimeEntries"


class ChangingSandbox(ChangingSet):
    """A sandbox whose time entries are those of a changing set.

    Fields that follow from other rows, such as `nextTimeEntryId`, are left alone: those are what
    no `updatedAt` tells of.
    """

    def __init__(self, habits: Habits, random: Random) -> None:
        super().__init__(habits, random)
        self._box = Sandbox(
            people=1,
            since=date(2026, 6, 1),
            until=date(2026, 6, 2),
            page_cap=habits.cap,
            clock=self.clock,
        )
        self.auth = ClientCredentials(self._box.client_id, self._box.client_secret)
        self._table = self._box.dataset.table(_SET)
        self._model = dict(self._table.rows[0])
        self._shown: dict[str, tuple[int, int]] = {}
        self._table.rows.clear()
        self._table.touch()
        self._show()

    def as_written(self, raw: bytes) -> bytes:
        row = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        return msgspec.json.encode({name: row[name] for name in self.entries[0].fields})

    def answer(self, request: Request, headers: Mapping[str, str]) -> Reply:
        if request.operation.service != "identity":
            self.requests += 1
            self.pass_time()
            self._show()
            if request.url.query.get("$top") == "1":
                self.counted = dict(self.state)
        url = request.url
        visit = self._box.hosts.arrive(
            request.operation.method,
            str(url.origin()),
            url.raw_path_qs,
            headers,
            request.body or b"",
        )
        answer = visit if isinstance(visit, Answer) else visit.reply()
        return Reply(answer.status, CIMultiDict(answer.headers), answer.encoded())

    def _show(self) -> None:
        """Let the sandbox have the rows as they are."""
        seen = {entry.id for entry in self.entries}
        for key in self._shown.keys() - seen:
            self._table.remove(self._table.by_id[key])
            del self._shown[key]
        for entry in self.entries:
            if self._shown.get(entry.id) != _state(entry):
                if entry.id in self._shown:
                    self._table.change(self._table.by_id[entry.id], dict(entry.fields))
                else:
                    self._table.add({**self._model, **entry.fields})
                self._shown[entry.id] = _state(entry)


def _state(entry: Entry) -> tuple[int, int]:
    return hash((entry.day, entry.archived)), hash((entry.note, entry.ticks))
