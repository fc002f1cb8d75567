"""dlt's resources: one for each set, which all read through one connection."""

from __future__ import annotations

import contextlib
import functools
import tempfile
from collections.abc import Generator, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias

import dlt
import msgspec
from dlt.common import logger

from jibble_async.errors import ConfigurationError, PaginationError
from jibble_async.export.proof.verdicts import Outcome
from jibble_async.integrations.dlt.connection import Connection
from jibble_async.integrations.dlt.destination import TableThere
from jibble_async.integrations.dlt.flat_rows import FlatRows, column_hints
from jibble_async.integrations.dlt.reading import Asked, Before, Proof, SetLoaded, read_set
from jibble_async.tables.columns import Table
from jibble_async.version import __version__

__all__ = ["LOADS", "OnNotProved", "Resources"]

OnNotProved: TypeAlias = Literal["raise", "warn"]

LOADS = "jibble_loads"
"""The table with a row for each load of a set: what is known of it."""

_LOADS_COLUMNS: Any = {
    "set": {"data_type": "text", "nullable": False},
    "since": {"data_type": "date"},
    "until": {"data_type": "date"},
    "outcome": {"data_type": "text", "nullable": False},
    "reason": {"data_type": "text"},
    "whole": {"data_type": "bool"},
    "rows": {"data_type": "bigint"},
    "deleted": {"data_type": "bigint"},
    "counted": {"data_type": "bigint"},
    "mark": {"data_type": "timestamp"},
    "new_fields": {"data_type": "text"},
    "library": {"data_type": "text"},
}
_PERIOD = ("period_since", "period_until")
# Each id comes once, so dlt need not look for those that come twice.
_MERGED: Any = {"disposition": "merge", "strategy": "delete-insert", "deduplicated": True}
_OF_PERIODS: Any = {"disposition": "merge", "strategy": "delete-insert"}
# What this keeps in the state that dlt has for a resource.
_STATE = "jibble"


class Resources:
    """Makes the resources of a source.

    Args:
        connection: What they read through.
        on_not_proved: What becomes of a load that may lack rows.
    """

    def __init__(self, connection: Connection, on_not_proved: OnNotProved) -> None:
        self._connection = connection
        self._on_not_proved = on_not_proved

    def changing(self, asked: Asked, table: Table) -> Any:
        """A set whose rows say when they changed: what did is merged into its table.

        Args:
            asked: What is loaded.
            table: The columns.
        """
        # It says from when on changes are looked for; which rows are new is not asked of dlt.
        since_last: dlt.sources.incremental[datetime] = dlt.sources.incremental(
            "updatedAt", lag=asked.lag, primary_key=(), allow_external_schedulers=False
        )

        def read(
            updated_at: dlt.sources.incremental[datetime] = since_last,
        ) -> Iterator[Any]:
            rows = FlatRows(table, key="id", deletes=True)
            with self._connection.used():
                there = self._table()
                yield None
                yield from self._read(asked, rows, updated_at, there)

        return dlt.resource(
            read,
            name=asked.set,
            primary_key="id",
            write_disposition=_MERGED,
            columns=column_hints(table, deletes=True),
        )

    def replaced(self, asked: Asked, table: Table) -> Any:
        """A set that says nothing of changes: its table is replaced each time.

        Args:
            asked: What is loaded.
            table: The columns.
        """

        def read() -> Iterator[Any]:
            rows = FlatRows(table, key="id", deletes=False)
            with self._connection.used():
                yield None
                yield from self._read(asked, rows)

        return dlt.resource(
            read,
            name=asked.set,
            primary_key="id",
            write_disposition="replace",
            columns=column_hints(table, deletes=False),
        )

    def by_period(self, asked: Asked, table: Table, periods: Sequence[tuple[date, date]]) -> Any:
        """A set of rows that are of spans of days: those of a span are replaced.

        Args:
            asked: What is loaded, but for the days.
            table: The columns.
            periods: The spans of days.
        """

        def read() -> Iterator[Any]:
            if not periods:
                raise ConfigurationError(
                    f"{asked.set} are of spans of days: give periods=, such as a month's first and "
                    "last day"
                )
            with self._connection.used():
                yield None
                for since, until in periods:
                    days = zip(_PERIOD, (since, until), strict=True)
                    rows = FlatRows(table, key=None, deletes=False, days=dict[str, date](days))
                    span = msgspec.structs.replace(asked, since=since, until=until)
                    yield from self._read(span, rows)

        return dlt.resource(
            read,
            name=asked.set,
            merge_key=_PERIOD,
            write_disposition=_OF_PERIODS,
            columns=column_hints(table, deletes=False),
            selected=bool(periods),
        )

    def loads(self) -> Any:
        """What is known of each load; it comes when all others have ended."""

        def read() -> Iterator[Any]:
            # The others begin when each was asked once.
            yield None
            yield None
            while not self._connection.is_idle:
                yield None
            if self._connection.loaded:
                yield self._connection.loaded

        return dlt.resource(read, name=LOADS, write_disposition="append", columns=_LOADS_COLUMNS)

    def _table(self) -> TableThere | None:
        warehouse, name = self._connection.warehouse, dlt.current.resource().table_name
        # Whoever has tables named by rows can't be asked for one.
        return TableThere(warehouse, name) if warehouse and isinstance(name, str) else None

    @contextlib.contextmanager
    def _folder(self, asked: Asked) -> Generator[Path]:
        """Where a set lies until it is given: a load that was killed goes on there."""
        home = self._connection.home
        if home is None:
            with tempfile.TemporaryDirectory() as folder:
                yield Path(folder)
        else:
            days = "" if asked.until is None else f"-{asked.since}-{asked.until}"
            yield home / "jibble" / dlt.current.source_schema().name / f"{asked.set}{days}"

    def _read(
        self,
        asked: Asked,
        rows: FlatRows,
        updated_at: Any = None,
        there: TableThere | None = None,
    ) -> Iterator[Any]:
        """The tables of a set, and None while there is nothing yet, so that others get a turn."""
        state = dlt.current.resource_state()
        kept = state.get(_STATE)
        with self._folder(asked) as folder:
            read = functools.partial(
                read_set,
                asked=asked,
                rows=rows,
                folder=folder,
                before=None if kept is None else msgspec.convert(kept, Before),
                start=None if updated_at is None else updated_at.start_value,
                there=there,
            )
            items = self._connection.read(read)
            try:
                proof: Proof | None = None
                while True:
                    try:
                        item = items.poll(0)
                    except StopIteration:
                        return
                    if isinstance(item, Proof):
                        proof = item
                        self._accept(asked, proof)
                        if updated_at is not None:
                            lag = timedelta(seconds=asked.lag)
                            updated_at.advance(datetime.fromisoformat(proof.mark) + lag)
                        state[_STATE] = msgspec.to_builtins(proof.before)
                    elif isinstance(item, SetLoaded):
                        assert proof is not None
                        self._note(asked, proof, item)
                    else:
                        yield item
            except BaseException:
                self._connection.cancel()
                raise
            finally:
                items.close()

    def _accept(self, asked: Asked, proof: Proof) -> None:
        if proof.outcome is not Outcome.NOT_PROVED:
            return
        text = f"{asked.set} may lack rows, or have some that are gone: {proof.reason}"
        if self._on_not_proved == "raise":
            raise PaginationError(f"{text}; on_not_proved='warn' loads them nevertheless")
        logger.warning(text)

    def _note(self, asked: Asked, proof: Proof, loaded: SetLoaded) -> None:
        if loaded.new_fields:
            names = ", ".join(loaded.new_fields)
            logger.warning(f"{asked.set} came with fields that this version does not know: {names}")
        self._connection.loaded.append(
            {
                "set": asked.set,
                "since": asked.since,
                "until": asked.until,
                "outcome": str(proof.outcome),
                "reason": proof.reason or None,
                "whole": proof.whole,
                "rows": loaded.rows,
                "deleted": loaded.deleted,
                "counted": proof.counted,
                "mark": datetime.fromisoformat(proof.mark) if proof.mark else None,
                "new_fields": ", ".join(loaded.new_fields) or None,
                "library": __version__,
            }
        )
