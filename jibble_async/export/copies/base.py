"""What a copy of sets has to be able to do."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from jibble_async.api.set_names import SetName
from jibble_async.errors import ConfigurationError
from jibble_async.export.journal.held import Holding
from jibble_async.export.proof.verdicts import Outcome, Verdict
from jibble_async.tables.columns import Table, table_of
from jibble_async.tables.schema import table_schema

__all__ = ["Copy", "Kept", "Source", "Update"]

_TELLING = ("host", "set", "since", "until", "include_archived", "secrets")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy is of.

    Attributes:
        set: The set.
        shape: The class of a row.
        secrets: Whether what opens a kiosk is kept.
        account: What tells the organization from others, if that is known.
        library: The version of this package.
    """

    set: SetName
    shape: type[msgspec.Struct]
    secrets: bool
    account: str | None
    library: str

    @property
    def table(self) -> Table:
        """The columns."""
        return table_of(self.shape, secrets=self.secrets)

    @property
    def schema(self) -> Any:
        """The `pyarrow.Schema` of the columns."""
        return table_schema(self.table)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a set's copy.

    Attributes:
        request: What was asked for.
        account: What tells the organization from others, if that is known.
        mark: The server's time from which on changes are not in it; empty if nothing tells.
        reconciled: When all ids were looked through last.
        rows: How many there are.
        is_current: Whether the columns are those that this version has.
    """

    request: Mapping[str, Any]
    account: str | None
    mark: str
    reconciled: str
    rows: int
    is_current: bool

    def require_same(self, path: Path, request: Mapping[str, Any], account: str | None) -> None:
        """Refuse a copy of something else.

        Raises:
            ConfigurationError: It is; the error says what differs, and the way out.
        """
        differing = [name for name in _TELLING if self.request.get(name) != request.get(name)]
        if self.account is not None and self.account != account:
            differing.append("organization")
        if differing:
            raise ConfigurationError(
                f"{path} is a copy of something else ({', '.join(differing)}): ask for the same, "
                "or sync into another"
            )


class Update(Holding, Protocol):
    """The rows of a set, about to be put in step."""

    def commit(self, verdict: Verdict, reconciled: str) -> int:
        """Make what was done the copy, and say how many rows it has.

        Args:
            verdict: What is known of it.
            reconciled: When all ids were looked through last.

        Raises:
            ExportError: That could not be done; the copy is as it was.
        """
        ...


class Copy(Protocol):
    """A copy of sets."""

    def kept(self, source: Source) -> Kept | None:
        """What there is of a set; None if nothing of it can be used."""
        ...

    def staging(self, set: SetName) -> Path:
        """Where a set is to be exported to as a whole, as a folder of Parquet."""
        ...

    def adopt(self, source: Source, outcome: Outcome) -> None:
        """Make what was exported there the copy."""
        ...

    def updating(self, source: Source) -> AbstractContextManager[Update]:
        """A set's rows, which stay as they are unless they are committed."""
        ...

    def close(self) -> None:
        """Let others have it."""
        ...
