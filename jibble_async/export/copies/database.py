"""A copy as a DuckDB database: a table for each set, and one of what is known of them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from jibble_async.api.set_names import SetName
from jibble_async.core.pages import RawRow
from jibble_async.errors import ConfigurationError, DecodeError, ExportBusyError, ExportError
from jibble_async.export.copies.base import Kept, Source
from jibble_async.export.files.atomic import hidden_name
from jibble_async.export.files.private import making_private
from jibble_async.export.journal.manifest import read_manifest
from jibble_async.export.proof.verdicts import Outcome, SweptRow, Verdict
from jibble_async.extras import extra
from jibble_async.tables.arrow_rows import ArrowRows
from jibble_async.tables.rows import unreadable

__all__ = ["DatabaseCopy"]

_STATE = "jibble_sync"
_COLUMNS = {
    "name": "VARCHAR PRIMARY KEY",
    "request": "VARCHAR",
    "account": "VARCHAR",
    "outcome": "VARCHAR",
    "reason": "VARCHAR",
    "mark": "VARCHAR",
    "reconciled": "VARCHAR",
    "row_count": "BIGINT",
}


class DatabaseCopy:
    """A database with a table for each set.

    What is done to a set is one transaction, so that others see it as a whole, or not at all.

    Args:
        path: The database; it is made if it is not there.

    Raises:
        ConfigurationError: It is no database, or duckdb is not installed.
        ExportBusyError: Another program has it open.
        ExportError: It can't be opened.
    """

    def __init__(self, path: Path) -> None:
        self._duckdb = extra("duckdb", "duckdb", "copies in a database")
        self._path = path
        self._staged = path.with_name(hidden_name(path, ".export"))
        try:
            with making_private():
                self._database: Any = self._duckdb.connect(str(path))
        except self._duckdb.IOException as error:
            kind = ExportBusyError if "Could not set lock" in str(error) else ExportError
            raise kind(f"{path} can't be opened: {_first_line(error)}") from error
        except self._duckdb.Error as error:
            raise ConfigurationError(f"{path} is no database: {_first_line(error)}") from None
        columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
        with self._telling():
            self._database.execute("SET TimeZone = 'UTC'")
            self._database.execute(f"CREATE TABLE IF NOT EXISTS {_STATE} ({columns})")

    def kept(self, source: Source) -> Kept | None:
        """What there is of a set."""
        with self._telling():
            asked = f"SELECT request, account, mark, reconciled, row_count FROM {_STATE}"
            found = self._database.execute(f"{asked} WHERE name = ?", [source.set]).fetchone()
            if found is None:
                return None
            request, account, mark, reconciled, rows = found
            return Kept(
                request=msgspec.json.decode(request),
                account=account,
                mark=mark,
                reconciled=reconciled,
                rows=rows,
                is_current=self._columns(source.set) == self._columns_for(source),
            )

    def staging(self, set: SetName) -> Path:
        """A folder beside the database."""
        self._staged.mkdir(0o700, exist_ok=True)
        return self._staged / set

    def adopt(self, source: Source, outcome: Outcome) -> None:
        """Fill the table anew from what was exported.

        Raises:
            ExportError: That could not be done; the table is as it was.
        """
        folder = self.staging(source.set)
        manifest = read_manifest(folder)
        assert manifest is not None
        with self._transaction():
            self._create(source)
            for part in manifest.parts:
                self._database.execute(
                    f"INSERT INTO {source.set} BY NAME SELECT * FROM read_parquet(?)",
                    [str(folder / part.name)],
                )
            self._note(
                source,
                msgspec.json.encode(manifest.request).decode(),
                Verdict(outcome=outcome, reason=manifest.reason, mark=manifest.mark),
                manifest.mark,
                manifest.rows,
            )
        shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def updating(self, source: Source) -> Generator[_TableUpdate]:
        """The rows of a set, which stay as they are unless they are committed."""
        with self._telling():
            self._database.begin()
        update = _TableUpdate(self._database, source, self._telling, self._commit)
        try:
            yield update
        finally:
            if not update.is_committed:
                with self._telling():
                    self._database.rollback()

    def close(self) -> None:
        """Close the database, and remove the folder beside it if nothing is left in it."""
        with making_private():
            self._database.close()
        with contextlib.suppress(OSError):
            self._staged.rmdir()

    @contextlib.contextmanager
    def _telling(self) -> Generator[None]:
        try:
            # DuckDB makes its journal beside it, again after every checkpoint, as the umask says.
            with making_private():
                yield
        except self._duckdb.Error as error:
            raise ExportError(
                f"{self._path} could not be written: {_first_line(error)}; it is as it was"
            ) from error

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None]:
        with self._telling():
            self._database.begin()
            try:
                yield
            except BaseException:
                self._database.rollback()
                raise
            self._database.commit()

    def _create(self, source: Source, name: str | None = None, kind: str = "TABLE") -> None:
        empty = source.schema.empty_table()
        self._database.register("jibble_rows", empty)
        table = name or source.set
        self._database.execute(f"CREATE OR REPLACE {kind} {table} AS SELECT * FROM jibble_rows")
        self._database.unregister("jibble_rows")

    def _columns(self, table: str) -> list[Any]:
        found: list[Any] = self._database.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? "
            "ORDER BY column_index",
            [table],
        ).fetchall()
        return found

    def _columns_for(self, source: Source) -> list[Any]:
        self._create(source, "jibble_now", "TEMP TABLE")
        return self._columns("jibble_now")

    def _commit(self, source: Source, verdict: Verdict, reconciled: str, rows: int) -> None:
        asked = f"SELECT request FROM {_STATE} WHERE name = ?"
        (request,) = self._database.execute(asked, [source.set]).fetchone()
        self._note(source, request, verdict, reconciled, rows)
        self._database.commit()

    def _note(
        self, source: Source, request: str, verdict: Verdict, reconciled: str, rows: int
    ) -> None:
        values = [
            source.set,
            request,
            source.account,
            str(verdict.outcome),
            verdict.reason,
            verdict.mark,
            reconciled,
            rows,
        ]
        places = ", ".join("?" for _ in _COLUMNS)
        self._database.execute(f"INSERT OR REPLACE INTO {_STATE} VALUES ({places})", values)


class _TableUpdate:
    """The rows of a table, within a transaction."""

    def __init__(
        self,
        database: Any,
        source: Source,
        telling: Callable[[], contextlib.AbstractContextManager[None]],
        commit: Callable[[Source, Verdict, str, int], None],
    ) -> None:
        self._database = database
        self._source = source
        self._telling = telling
        self._commit = commit
        self._rows = ArrowRows(source.table, {}, lambda _, __: None, _refuse)
        self.is_committed = False

    def count(self) -> int:
        """How many rows there are."""
        with self._telling():
            found = self._database.execute(f"SELECT count(*) FROM {self._source.set}").fetchone()
        return int(found[0])

    def replace(self, rows: Sequence[SweptRow]) -> None:
        """Let every copy of these rows go, and those in scope come in."""
        latest = {row.id: row for row in rows}
        with self._telling():
            self._remove([*latest])
            coming = [(row.id, row.raw) for row in latest.values() if row.in_scope]
            if coming:
                self._database.register("jibble_rows", self._rows.table(coming))
                self._database.execute(
                    f"INSERT INTO {self._source.set} BY NAME SELECT * FROM jibble_rows"
                )
                self._database.unregister("jibble_rows")

    def retain(self, present: Callable[[str], bool]) -> int:
        """Drop rows that are not present, and tell how many went."""
        with self._telling():
            found = self._database.execute(f"SELECT id FROM {self._source.set}").fetchall()
            away = [key for (key,) in found if not present(key)]
            self._remove(away)
        return len(away)

    def commit(self, verdict: Verdict, reconciled: str) -> int:
        """Commit it; see `Update.commit`."""
        rows = self.count()
        with self._telling():
            self._commit(self._source, verdict, reconciled, rows)
        self.is_committed = True
        return rows

    def _remove(self, ids: list[str]) -> None:
        self._database.execute(
            f"DELETE FROM {self._source.set} WHERE id IN (SELECT unnest(?::VARCHAR[]))", [ids]
        )


def _refuse(_: int, row: RawRow, reason: str) -> None:
    raise DecodeError(unreadable(row, reason))


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
