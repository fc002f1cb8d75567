"""A local Jibble for demonstrations, tests and benchmarks; needs the extra `sandbox`.

It shares no code with the client, so that the two cannot share a mistake.
"""

from __future__ import annotations

from jibble_async.sandbox.faults import Fault, Faults
from jibble_async.sandbox.history.past import History, Past
from jibble_async.sandbox.kept import kept_sandbox
from jibble_async.sandbox.ledger import Committed, Ledger, Received
from jibble_async.sandbox.legacy.rules import LEGACY_QUOTA, LegacyCredentials, LegacyRules
from jibble_async.sandbox.legacy.store import LegacyStore
from jibble_async.sandbox.quotas import Quota
from jibble_async.sandbox.rules import Rules
from jibble_async.sandbox.sandbox import Sandbox

__all__ = [
    "LEGACY_QUOTA",
    "Committed",
    "Fault",
    "Faults",
    "History",
    "Ledger",
    "LegacyCredentials",
    "LegacyRules",
    "LegacyStore",
    "Past",
    "Quota",
    "Received",
    "Rules",
    "Sandbox",
    "kept_sandbox",
]
