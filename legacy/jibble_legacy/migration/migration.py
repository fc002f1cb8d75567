"""The steps of a migration, each from the ledger in its folder."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from jibble_async.errors import ConfigurationError
from jibble_legacy.client import LegacyClient
from jibble_legacy.migration.apply import ApplyReport, apply
from jibble_legacy.migration.doubts import settle_doubts
from jibble_legacy.migration.estimating import Estimate, estimate
from jibble_legacy.migration.extract import ExtractReport, extract
from jibble_legacy.migration.ledger import Ledger
from jibble_legacy.migration.plan import PlanReport, plan
from jibble_legacy.migration.probe import ProbeReport, probe
from jibble_legacy.migration.progress import OnProgress, silent
from jibble_legacy.migration.rejects import export_rejects
from jibble_legacy.migration.resolve import ResolveReport, resolve
from jibble_legacy.migration.rollback import RollbackReport, rollback
from jibble_legacy.migration.source import Source
from jibble_legacy.migration.status import LEDGER, Status, status_of
from jibble_legacy.migration.verify import VerifyReport, verify

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["Migration"]
