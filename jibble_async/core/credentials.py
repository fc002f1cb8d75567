"""What a user gives a client to prove who they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeAlias

import msgspec
from msgspec.structs import force_setattr

from jibble_async.checks import unseen
from jibble_async.errors import ConfigurationError

__all__ = [
    "Auth",
    "ClientCredentials",
    "Credentials",
    "StaticToken",
    "clean_secret",
    "clean_token",
]


@unseen
def clean_secret(name: str, value: str) -> str:
    """A credential without the white space that pasting leaves around it.

    Raises:
        ConfigurationError: It is empty or can't be a credential; the error does not show it.
    """
    # Also for None, which is what a variable that is not set gives.
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"{name} is a text, not {type(value).__name__}: is it set?")
    value = value.strip()
    if not value:
        raise ConfigurationError(f"{name} is empty")
    if not value.isascii() or not value.isprintable():
        raise ConfigurationError(f"{name} holds characters that can't be part of it")
    return value


@unseen
def clean_token(name: str, value: str) -> str:
    """A bearer token, without the word `Bearer` that is copied along with it out of a header.

    Raises:
        ConfigurationError: It is empty or can't be a token; the error does not show it.
    """
    words = clean_secret(name, value).split()
    if len(words) > 1 and words[0].lower() == "bearer":
        del words[0]
    if len(words) > 1:
        raise ConfigurationError(f"{name} holds white space: give the bearer token alone")
    return words[0]


class Credentials(msgspec.Struct, frozen=True):
    """What proves who somebody is; of its fields it shows only those that are `shown`."""

    shown: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({fields})"

    # What rich prints, which would show every field of a struct.
    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in self.shown]


class ClientCredentials(Credentials, frozen=True):
    """The id and secret of an API key, made in Jibble's settings.

    White space around them, a common result of pasting, is removed.

    Raises:
        ConfigurationError: One of them is empty or holds control characters.
    """

    shown: ClassVar[tuple[str, ...]] = ("client_id",)

    client_id: str
    """The key's id."""
    client_secret: str
    """Its secret, which is in no repr."""

    @unseen
    def __post_init__(self) -> None:
        force_setattr(self, "client_id", clean_secret("client_id", self.client_id))
        force_setattr(self, "client_secret", clean_secret("client_secret", self.client_secret))


class StaticToken(Credentials, frozen=True):
    """A bearer token that is there already, such as a person's own; it is never renewed."""

    token: str
    """The token, which is in no repr."""

    @unseen
    def __post_init__(self) -> None:
        force_setattr(self, "token", clean_token("token", self.token))


Auth: TypeAlias = ClientCredentials | StaticToken | Callable[[], Awaitable[str]]
"""What `auth=` takes; a function is asked for a bearer token, and again when one is refused."""
