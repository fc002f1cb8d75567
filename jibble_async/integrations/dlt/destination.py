"""What a destination has of a set already, so that a load can be proved, and rows be deleted."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any

import dlt
from dlt.common.configuration.container import Container
from dlt.common.exceptions import DltException
from dlt.common.pipeline import PipelineContext, StateInjectableContext
from dlt.destinations.exceptions import DatabaseUndefinedRelation

from jibble_async.export.proof.verdicts import SweptRow

__all__ = ["HeldThere", "TableThere", "Warehouse", "running_pipeline"]

_AT_A_TIME = 500


def running_pipeline() -> Any:
    """The pipeline that extracts; None if a program reads the source by itself."""
    container = Container()
    context = container[PipelineContext]
    if not context.is_active() or StateInjectableContext not in container:
        return None
    pipeline = context.pipeline()
    state = container[StateInjectableContext].state
    return pipeline if state.get("pipeline_name") == pipeline.pipeline_name else None


class Warehouse:
    """The destination of a run, which is connected to for as long as an answer takes.

    Args:
        client: dlt's client of its SQL.
        schema: dlt's schema of the source, which says how things are called there.
    """

    def __init__(self, client: Any, schema: Any) -> None:
        self._client = client
        self._naming = schema.naming
        # dlt's client has one connection, and sets are read side by side.
        self._lock = threading.Lock()

    @classmethod
    def of_pipeline(cls, pipeline: Any) -> Warehouse | None:
        """That of a pipeline that runs; None if it can't be asked what it holds.

        Nothing can be said of it while packages wait that were extracted and not loaded.

        Args:
            pipeline: The pipeline.
        """
        try:
            if pipeline.has_pending_data:
                return None
            schema = dlt.current.source_schema()
            found = cls(pipeline.sql_client(schema_name=schema.name), schema)
            with found.asking(""):
                pass
        except (DltException, NotImplementedError):
            return None
        return found

    @contextlib.contextmanager
    def asking(self, table: str) -> Generator[Callable[..., list[Any]]]:
        """A function that asks for rows of a table; the block ends early if there is none.

        It takes a query, in which `{table}`, `{id}` and `{values}` are put in their places, and
        values.

        Args:
            table: The table.

        Raises:
            DltException: It can't be asked.
        """
        with self._lock, contextlib.suppress(DatabaseUndefinedRelation), self._client as client:
            names = {"id": client.escape_column_name(self._naming.normalize_identifier("id"))}
            if table:
                name = self._naming.normalize_tables_path(table)
                names["table"] = client.make_qualified_table_name(name)

            def ask(query: str, values: Sequence[str] = ()) -> list[Any]:
                names["values"] = ", ".join(["%s"] * len(values))
                return client.execute_sql(query.format(**names), *values) or []

            yield ask


class TableThere:
    """A table of the destination.

    Args:
        warehouse: The destination.
        table: The table.
    """

    def __init__(self, warehouse: Warehouse, table: str) -> None:
        self._warehouse = warehouse
        self._table = table

    def count(self) -> int:
        """How many rows it has; none if there is no such table.

        Raises:
            DltException: It can't be asked.
        """
        found: list[Any] = []
        with self._warehouse.asking(self._table) as ask:
            found += ask("SELECT count(*) FROM {table}")
        return sum(int(count) for (count,) in found)

    def among(self, ids: Sequence[str]) -> set[str]:
        """Which of some ids it has; raises as `count` does."""
        found: set[str] = set()
        with self._warehouse.asking(self._table) as ask:
            for first in range(0, len(ids), _AT_A_TIME):
                some = ids[first : first + _AT_A_TIME]
                rows = ask("SELECT {id} FROM {table} WHERE {id} IN ({values})", some)
                found.update(key for (key,) in rows)
        return found

    def ids(self) -> list[str]:
        """The ids of all rows; raises as `count` does."""
        found: list[Any] = []
        with self._warehouse.asking(self._table) as ask:
            found += ask("SELECT {id} FROM {table}")
        return [key for (key,) in found]


class HeldThere:
    """The rows of the destination, and what is to be done to them: what `settle` looks through.

    Memory holds what changed, and all ids of the table when those of the server are looked through.

    Args:
        table: The table.
    """

    def __init__(self, table: TableThere) -> None:
        self._table = table
        self._swept: dict[str, SweptRow] = {}
        self._gone: set[str] = set()
        # Of the ids that were touched, which the table has.
        self._there: dict[str, bool] = {}
        self._count: int | None = None

    @property
    def kept(self) -> list[SweptRow]:
        """The rows that are to take the place of others, or to come in."""
        return [row for row in self._swept.values() if row.in_scope]

    @property
    def gone(self) -> list[str]:
        """The ids of the rows that are to be deleted."""
        left = {row.id for row in self._swept.values() if not row.in_scope} | self._gone
        return [key for key in left if self._there.get(key, True)]

    async def count(self) -> int:
        """How many rows there will be."""
        if self._count is None:
            self._count = await asyncio.to_thread(self._table.count)
        touched = self._swept.keys() | self._gone
        unknown = [key for key in touched if key not in self._there]
        if unknown:
            found = await asyncio.to_thread(self._table.among, unknown)
            self._there.update((key, key in found) for key in unknown)
        return self._count - sum(self._there[key] for key in touched) + len(self.kept)

    async def replace(self, rows: Iterable[SweptRow]) -> None:
        """Note rows that changed."""
        for row in rows:
            self._swept[row.id] = row
            self._gone.discard(row.id)

    async def retain(self, present: Callable[[str], bool]) -> int:
        """Note that rows which are not present are to be deleted."""
        found = await asyncio.to_thread(self._table.ids)
        away = {key for key in found if not present(key)}
        self._there.update(dict.fromkeys(away, True))
        leaving = {row.id for row in self._swept.values() if not row.in_scope} | self._gone
        unsent = {row.id for row in self.kept if not present(row.id)}
        for key in unsent:
            del self._swept[key]
        self._gone |= away
        return len((away | unsent) - leaving)
