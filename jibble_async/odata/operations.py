"""How the current API addresses entity sets and their members."""

from __future__ import annotations

from jibble_async.core.operation import Operation, Safety

__all__ = ["change_of", "creation_in", "list_of", "member_of"]


def list_of(service: str, name: str) -> Operation:
    """The operation that lists an entity set."""
    return Operation(service, "GET", f"/v1/{name}", Safety.READ)


def member_of(service: str, name: str) -> Operation:
    """The operation that gets one member of an entity set."""
    return Operation(service, "GET", f"/v1/{name}({{id}})", Safety.READ)


def creation_in(service: str, name: str) -> Operation:
    """The operation that adds to an entity set; twice makes two."""
    return Operation(service, "POST", f"/v1/{name}", Safety.UNSAFE)


def change_of(service: str, name: str) -> Operation:
    """The operation that changes a member of an entity set; twice is the same as once."""
    return Operation(service, "PATCH", f"/v1/{name}({{id}})", Safety.IDEMPOTENT)
