"""Where the secrets of profiles are kept: in the system's keyring, or in a file."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from jibble_async.checks import unseen
from jibble_async.cli.exit_codes import SetupError
from jibble_async.cli.private_files import read_private, replace_private
from jibble_async.cli.profiles import Api, Environment, Store

__all__ = ["PATIENCE", "FileStore", "KeyringStore", "SecretStore", "store_of"]

T = TypeVar("T")

_SERVICE = "jibble-async"
# Somebody may be asked to unlock it.
PATIENCE = 60.0
"""Seconds that a keyring may take to answer."""
_Sections = dict[str, dict[Api, dict[str, str]]]


class SecretStore(Protocol):
    """Keeps a few secrets of a profile's API by their names."""

    async def load(self, name: str, api: Api) -> Mapping[str, str]:
        """What was saved.

        Raises:
            SetupError: There is nothing, or it can't be read.
        """
        ...

    async def save(self, name: str, api: Api, secrets: Mapping[str, str]) -> None:
        """Keep secrets, in the place of what was there.

        Raises:
            SetupError: That can't be done.
        """
        ...

    async def remove(self, name: str, api: Api) -> None:
        """Forget secrets; also those that are not there.

        Raises:
            SetupError: That can't be done.
        """
        ...


class FileStore:
    """Keeps secrets in a file that nobody else may read.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def load(self, name: str, api: Api) -> Mapping[str, str]:
        """See `SecretStore`."""
        found = self._read().get(name, {}).get(api)
        if found is None:
            raise _gone(name, str(self._path))
        return Environment(found)

    async def save(self, name: str, api: Api, secrets: Mapping[str, str]) -> None:
        """See `SecretStore`."""
        self._change(name, api, secrets)

    async def remove(self, name: str, api: Api) -> None:
        """See `SecretStore`."""
        if api in self._read().get(name, {}):
            self._change(name, api, None)

    @unseen
    def _change(self, name: str, api: Api, secrets: Mapping[str, str] | None) -> None:
        sections = self._read()
        accounts = sections.setdefault(name, {})
        accounts.pop(api, None)
        if secrets is not None:
            accounts[api] = dict(secrets)
        kept = {each: accounts for each, accounts in sections.items() if accounts}
        replace_private(self._path, msgspec.toml.encode(kept).decode())

    @unseen
    def _read(self) -> _Sections:
        text = read_private(self._path, secret=True)
        try:
            return {} if text is None else msgspec.toml.decode(text, type=_Sections)
        except msgspec.MsgspecError:
            raise SetupError(
                f"{self._path} is not as `jibble login` writes it: remove it, and log in again"
            ) from None


class KeyringStore:
    """Keeps secrets in the system's keyring.

    It is asked in a thread that may be left behind: a keyring that nobody unlocks says nothing.

    Args:
        patience: Seconds that it may take to answer; by default a minute.
    """

    def __init__(self, patience: float | None = None) -> None:
        self._patience = PATIENCE if patience is None else patience

    async def is_safe(self) -> bool:
        """Whether there is one that keyring itself recommends, which those of plain text are not.

        Raises:
            SetupError: It can't be asked.
        """
        return await self._ask(lambda keyring: keyring.get_keyring().priority >= 1)

    async def load(self, name: str, api: Api) -> Mapping[str, str]:
        """See `SecretStore`."""
        text = await self._get(name, api)
        if text is None:
            raise _gone(name, "the keyring")
        return _secrets_of(text)

    async def save(self, name: str, api: Api, secrets: Mapping[str, str]) -> None:
        """See `SecretStore`."""
        text = _Hidden(json.dumps(dict(secrets)))
        await self._ask(lambda keyring: keyring.set_password(_SERVICE, _user(name, api), str(text)))
        # Those that are switched off take everything and keep nothing.
        if await self._get(name, api) != text:
            raise SetupError("the keyring does not keep what it is given")

    async def remove(self, name: str, api: Api) -> None:
        """See `SecretStore`."""
        if await self._get(name, api) is not None:
            await self._ask(lambda keyring: keyring.delete_password(_SERVICE, _user(name, api)))

    async def _get(self, name: str, api: Api) -> _Hidden | None:
        def get(keyring: Any) -> _Hidden | None:
            found = keyring.get_password(_SERVICE, _user(name, api))
            return None if found is None else _Hidden(found)

        return await self._ask(get)

    async def _ask(self, question: Callable[[Any], T]) -> T:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def settle(found: T | SetupError) -> None:
            if answer.done():
                return
            if isinstance(found, SetupError):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        def work() -> None:
            found = _asked(question)
            # Nobody may wait for it any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=work, name="jibble-keyring", daemon=True).start()
        try:
            async with asyncio.timeout(self._patience):
                return await answer
        except TimeoutError:
            raise SetupError(
                f"the keyring did not answer in {self._patience:g} s: unlock it, or keep secrets "
                "in a file: jibble login --store file"
            ) from None


class _Hidden(str):
    """A text that holds secrets, of which a report of an error shows nothing."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<hidden>"


def _asked(question: Callable[[Any], T]) -> T | SetupError:
    """What the keyring says, or why it says nothing: of its own words nothing is repeated."""
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return SetupError('the keyring needs: pip install "jibble-async[keyring]"')
    try:
        return question(keyring)
    # Whatever a backend of somebody else's raises.
    except Exception as error:
        return SetupError(f"the keyring refused ({type(error).__name__})")


@unseen
def _secrets_of(text: str) -> Environment:
    try:
        return Environment(msgspec.json.decode(text.encode(), type=dict[str, str]))
    except msgspec.MsgspecError:
        raise SetupError(
            "what the keyring holds is not what `jibble login` keeps there: log in again"
        ) from None


def _user(name: str, api: Api) -> str:
    return f"{name} {api}"


def _gone(name: str, where: str) -> SetupError:
    return SetupError(f"the secrets of the profile {name} are not in {where}: log in again")


def store_of(kind: Store, folder: Path) -> SecretStore:
    """A store.

    Args:
        kind: Which.
        folder: Where profiles are kept.
    """
    return KeyringStore() if kind == "keyring" else FileStore(folder / "credentials.toml")
