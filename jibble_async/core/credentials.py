"""What a user gives a client to prove who they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import force_setattr

from jibble_async.errors import ConfigurationError

__all__ = ["Auth", "ClientCredentials", "StaticToken", "clean_secret"]


def clean_secret(name: str, value: str) -> str:
    """A credential without the white space that pasting leaves around it.

    Raises:
        ConfigurationError: It is empty or can't be a credential; the error does not show it.
    """
    value = value.strip()
    if not value:
        raise ConfigurationError(f"{name} is empty")
    if not value.isascii() or not value.isprintable():
        raise ConfigurationError(f"{name} holds characters that can't be part of it")
    return value


class ClientCredentials(msgspec.Struct, frozen=True):
    """The id and secret of an API key, made in Jibble's settings.

    White space around them, a common result of pasting, is removed.

    Raises:
        ConfigurationError: One of them is empty or holds control characters.
    """

    client_id: str
    client_secret: str

    def __post_init__(self) -> None:
        force_setattr(self, "client_id", clean_secret("client_id", self.client_id))
        force_setattr(self, "client_secret", clean_secret("client_secret", self.client_secret))

    def __repr__(self) -> str:
        return f"ClientCredentials({self.client_id!r})"

    # What rich prints, which would show every field of a struct.
    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("client_id", self.client_id)]


class StaticToken(msgspec.Struct, frozen=True):
    """A bearer token that is there already, such as a person's own; it is never renewed."""

    token: str

    def __post_init__(self) -> None:
        force_setattr(self, "token", clean_secret("token", self.token))

    def __repr__(self) -> str:
        return "StaticToken()"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


Auth: TypeAlias = ClientCredentials | StaticToken | Callable[[], Awaitable[str]]
"""What `auth=` takes; a function is asked for a bearer token, and again when one is refused."""
