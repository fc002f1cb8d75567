"""What can be exported of the old API: its rows as it wrote them, or in the vocabulary's words.

Time entries are asked for in the order of time, in which new ones come last: an entry that is made
while others are read moves none of them. When one that was deleted moves the others, a walk goes
on from the moment of its last row, and need not begin again. Everything else comes without an
order, by id.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Self

import msgspec

from jibble_async.core.operation import Operation
from jibble_async.core.pages import PageContent, RawRow, Sieve
from jibble_async.core.paging import BadRowHandler
from jibble_async.core.wire import Reply, decode_json
from jibble_async.entities import EntryType, TimeEntry
from jibble_async.entities.base import Entity
from jibble_async.entities.dicts import DictForm, as_dict
from jibble_async.errors import ConfigurationError, DecodeError, PaginationError
from jibble_async.query.clauses import Ordering, Query
from jibble_legacy.columns import Reference
from jibble_legacy.days import WorkingDays
from jibble_legacy.literals import ACTIONS
from jibble_legacy.pages import TIME, LoopBackPages, Span
from jibble_legacy.rows import row_reader

__all__ = ["RawLoopBackPages"]


class _Moment(msgspec.Struct, gc=False):
    date: Annotated[datetime, msgspec.Meta(tz=True)]


_MOMENT = msgspec.json.Decoder(_Moment)
_MOMENTS = msgspec.json.Decoder(list[_Moment])
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_HEADS = msgspec.json.Decoder(list[Reference])
_WORDS = DictForm(names="wire", secrets=True, exclude_none=True, as_text=True)


class RawLoopBackPages(LoopBackPages[RawRow]):
    """The same pages as `LoopBackPages`, of rows as bytes.

    Args:
        operation, base, days, between: As for `LoopBackPages`.
        entity: What the set holds.
        size: Rows that a page has at most.
        as_sent: Whether rows are to be as the server wrote them.
    """

    def __init__(
        self,
        operation: Operation,
        base: str,
        entity: type[Entity],
        *,
        size: int,
        as_sent: bool,
        days: WorkingDays | None = None,
        between: Span = (None, None),
    ) -> None:
        self.moves: bool = issubclass(entity, TimeEntry)
        query = Query(entity, order_by=(Ordering(TIME),) if self.moves else ())
        super().__init__(operation, base, _read_raw, query, days=days, between=between)
        self._entity = entity
        self._size = size
        self._as_sent = as_sent
        self._from: datetime | None = None
        self.key: Callable[[RawRow], str | None] = operator.itemgetter(0)

    def read(self, reply: Reply, on_bad_row: BadRowHandler | None) -> PageContent[RawRow]:
        """What an answer holds.

        Raises:
            DecodeError: It is no page, or a row has no id.
            PaginationError: Rows can't be told apart by their moments.
        """
        if self._from is not None:
            _require_later(decode_json(reply, _MOMENTS.decode), self._from, self._size)
        return super().read(reply, on_bad_row)

    def beyond(self, item: RawRow, offset: int, /) -> Self | None:
        """The rows from one on, by the moment; None if they have none."""
        if not self.moves:
            return None
        try:
            moment = _MOMENT.decode(item[1]).date
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return self._later(moment.replace(microsecond=moment.microsecond // 1000 * 1000), offset)

    def marked(self, mark: str) -> Self:
        """The rows that `beyond` found, by the mark of what it gave.

        Raises:
            ConfigurationError: It is no mark of this source.
        """
        offset, _, text = mark.partition(" ")
        try:
            moment, first = datetime.fromisoformat(text), int(offset)
        except ValueError:
            moment, first = None, 0
        if not self.moves or moment is None or moment.tzinfo is None or first < 0:
            raise ConfigurationError("resume_from= has a mark that is none of this query")
        return self._later(moment, first)

    def _later(self, moment: datetime, offset: int) -> Self:
        rest = copy.copy(self)
        rest._from, rest.first = moment, offset
        rest._options = self._rendered(moment, self._moments()[1])
        rest.mark = f"{offset} {moment.isoformat()}"
        return rest

    def sieve(self) -> Sieve[RawRow] | None:
        """What leaves out the rows of other days, and words the others as they are wanted."""
        days: Any = super().sieve()
        if self._as_sent and days is None:
            return None
        return _RawSieve(days, self._entity, as_sent=self._as_sent)


def _read_raw(reply: Reply, _: BadRowHandler | None) -> tuple[list[RawRow], int]:
    rows, heads = decode_json(reply, _ROWS.decode), decode_json(reply, _HEADS.decode)
    return [(head.id, raw) for head, raw in zip(heads, rows, strict=True)], len(rows)


def _require_later(rows: list[_Moment], first: datetime, most: int) -> None:
    """Refuse a page from which rows can't be found by their moments."""
    moments = [row.date for row in rows]
    if any(moment < first for moment in moments):
        raise PaginationError(f"the server gave rows from before {first}, which were not asked for")
    if len(moments) == most and moments[-1] == first:
        raise PaginationError(f"more rows are of {first} than a page holds")


class _RawSieve:
    """Lets rows of some days through, and words them as the vocabulary does if that is wanted."""

    def __init__(
        self, days: Sieve[TimeEntry] | None, entity: type[Entity], *, as_sent: bool
    ) -> None:
        self._days = days
        self._as_sent = as_sent
        self._read: Callable[[msgspec.Raw], tuple[Any, Any]]
        self._read = _punch if as_sent else row_reader(entity)

    @property
    def begin(self) -> int | None:
        """Where the rows begin that must be seen again to go on from here."""
        return None if self._days is None else self._days.begin

    def __call__(self, items: list[RawRow], offset: int) -> list[RawRow]:
        """The rows, each as it was sent, or with that beside what the vocabulary knows.

        Raises:
            DecodeError: A row can't be read, or does not say when it was, or whose it is.
        """
        entities: list[Any] = []
        others: dict[str, Any] = {}
        for key, raw in items:
            try:
                entity, others[key] = self._read(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, DecodeError) as error:
                is_text = not isinstance(error, UnicodeDecodeError)
                way_out = "; JSON lines, without days, keep every row" if is_text else ""
                raise DecodeError(f"the row {key!r} can't be read: {error}{way_out}") from None
            entities.append(entity)
        kept = entities if self._days is None else self._days(entities, offset)
        if self._as_sent:
            return [(entity.id, others[entity.id]) for entity in kept]
        return [(entity.id, _worded(entity, others[entity.id])) for entity in kept]


class _Punch(msgspec.Struct, gc=False):
    """As much of a time entry as decides its day."""

    id: str
    date: datetime
    person: Reference | None = None
    action: Any = None


_PUNCH = msgspec.json.Decoder(_Punch)


def _punch(raw: msgspec.Raw) -> tuple[TimeEntry, msgspec.Raw]:
    punch = _PUNCH.decode(raw)
    works = punch.action == ACTIONS[EntryType.IN]
    entry = TimeEntry(
        id=punch.id,
        type=EntryType.IN if works else EntryType.OUT,
        time=punch.date,
        person_id=None if punch.person is None else punch.person.id,
    )
    return entry, raw


def _worded(entity: Entity, other: dict[str, Any]) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode({**other, **as_dict(entity, _WORDS)}))
