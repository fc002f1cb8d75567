"""Async Python client for Jibble: typed, paced, and safe to retry."""

from __future__ import annotations

import importlib
import typing

from jibble_async.client import Identity, JibbleClient
from jibble_async.config import ClientConfig, Endpoints
from jibble_async.core.auth import ClientCredentials, StaticToken
from jibble_async.core.cursor import Cursor
from jibble_async.core.events import Stats
from jibble_async.core.operation import Safety
from jibble_async.core.options import Timeouts
from jibble_async.core.pager import Pager
from jibble_async.core.pages import Page
from jibble_async.core.retry import RetryPolicy
from jibble_async.entities import (
    Activity,
    ActivityGroup,
    Client,
    ClientType,
    CommonStatus,
    Coordinates,
    Entity,
    EntryStatus,
    EntryType,
    FileData,
    GeoFence,
    GeoUnits,
    Group,
    GroupApprover,
    Location,
    LocationSchedule,
    ManagedUnit,
    OpenEnum,
    Organization,
    Person,
    PersonKiosk,
    PersonStatus,
    Platform,
    Position,
    Project,
    ProjectAssignee,
    TimeEntry,
    UnitManager,
    UnitProject,
    UnitTimeOffPolicy,
    UnitWorkType,
)
from jibble_async.errors import (
    AmbiguousWriteError,
    APIError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ConnectFailedError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    ExportError,
    FeatureRestrictedError,
    JibbleError,
    NotFoundError,
    NotSupportedError,
    PaginationError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    ResponseTooLargeError,
    ServerError,
    ThrottledOrForbiddenError,
    TransportError,
    UnknownFieldError,
)
from jibble_async.limits.adaptive import AdaptiveLimiter
from jibble_async.limits.bucket import TokenBucket
from jibble_async.limits.slots import Outcome, RateLimiter, Slot, Unlimited
from jibble_async.limits.window import RollingWindow
from jibble_async.query.expressions import Expression, raw_filter
from jibble_async.query.vocabulary import fields

if typing.TYPE_CHECKING:
    from jibble_async.limits.redis import RedisWindow
    from jibble_async.limits.shared import SharedWindow

__all__ = [
    "APIError",
    "Activity",
    "ActivityGroup",
    "AdaptiveLimiter",
    "AmbiguousWriteError",
    "AuthenticationError",
    "BadRequestError",
    "Client",
    "ClientConfig",
    "ClientCredentials",
    "ClientType",
    "CommonStatus",
    "ConfigurationError",
    "ConflictError",
    "ConnectFailedError",
    "ConnectionLostError",
    "Coordinates",
    "Cursor",
    "DeadlineExceededError",
    "DecodeError",
    "Endpoints",
    "Entity",
    "EntryStatus",
    "EntryType",
    "ExportError",
    "Expression",
    "FeatureRestrictedError",
    "FileData",
    "GeoFence",
    "GeoUnits",
    "Group",
    "GroupApprover",
    "Identity",
    "JibbleClient",
    "JibbleError",
    "Location",
    "LocationSchedule",
    "ManagedUnit",
    "NotFoundError",
    "NotSupportedError",
    "OpenEnum",
    "Organization",
    "Outcome",
    "Page",
    "Pager",
    "PaginationError",
    "PermissionDeniedError",
    "Person",
    "PersonKiosk",
    "PersonStatus",
    "Platform",
    "Position",
    "Project",
    "ProjectAssignee",
    "ProtocolError",
    "RateLimitedError",
    "RateLimiter",
    "RedisWindow",
    "ResponseTooLargeError",
    "RetryPolicy",
    "RollingWindow",
    "Safety",
    "ServerError",
    "SharedWindow",
    "Slot",
    "StaticToken",
    "Stats",
    "ThrottledOrForbiddenError",
    "TimeEntry",
    "Timeouts",
    "TokenBucket",
    "TransportError",
    "UnitManager",
    "UnitProject",
    "UnitTimeOffPolicy",
    "UnitWorkType",
    "UnknownFieldError",
    "Unlimited",
    "fields",
    "raw_filter",
]

# Imported when asked for: they need SQLite and Redis, which few programs use.
_LAZY = {
    "RedisWindow": "jibble_async.limits.redis",
    "SharedWindow": "jibble_async.limits.shared",
}


# Hidden from type checkers, to which it would make every name an export.
if not typing.TYPE_CHECKING:

    def __getattr__(name: str) -> typing.Any:
        if name in _LAZY:
            return getattr(importlib.import_module(_LAZY[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
