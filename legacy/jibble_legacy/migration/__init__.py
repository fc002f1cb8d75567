"""The move from an old account to a new one: steps from one ledger, any of which can be resumed."""

from __future__ import annotations

from jibble_legacy.migration.migration import Migration
from jibble_legacy.migration.states import Exit

__all__ = ["Exit", "Migration"]
