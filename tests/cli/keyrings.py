"""Keyrings for tests, in the place of the system's."""

from __future__ import annotations

import threading
from typing import Any

import keyring.backend
import keyring.errors

__all__ = ["DeafKeyring", "ForgetfulKeyring", "LockedKeyring", "MemoryKeyring", "PlainKeyring"]


class MemoryKeyring(keyring.backend.KeyringBackend):
    """Keeps what it is given, as long as it lives."""

    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class PlainKeyring(MemoryKeyring):
    """One that keyring does not recommend, as those that keep plain text in a file."""

    priority = 0.5  # type: ignore[assignment]


class ForgetfulKeyring(MemoryKeyring):
    """Switched off: it takes everything and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class LockedKeyring(MemoryKeyring):
    """Nobody unlocks it; and it quotes what it was given."""

    def get_password(self, service: str, username: str) -> str | None:
        raise keyring.errors.KeyringLocked(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        raise keyring.errors.KeyringLocked(password)


class DeafKeyring(MemoryKeyring):
    """Never answers, as one that waits for somebody to unlock it.

    Attributes:
        release: Lets its threads end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    def get_password(self, service: str, username: str) -> Any:
        self.release.wait()

    def set_password(self, service: str, username: str, password: str) -> None:
        self.release.wait()
