"""`config.toml`, and the environment of whoever a command works as."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from jibble_async.cli.exit_codes import SetupError
from jibble_async.cli.folders import config_folder
from jibble_async.cli.private_files import read_private, replace_private
from jibble_async.cli.profiles import (
    Api,
    Environment,
    Profiles,
    chosen,
    holds_credentials,
    require_account,
    with_account,
)
from jibble_async.cli.secret_stores import store_of

__all__ = ["environment_for", "read_profiles", "write_profiles"]

_NO_CREDENTIALS: dict[Api, str] = {
    "current": "no credentials: run `jibble login`, or set JIBBLE_CLIENT_ID and "
    "JIBBLE_CLIENT_SECRET, or JIBBLE_TOKEN; --sandbox needs none",
    "legacy": "no credentials for the old API: run `jibble login --legacy`, or set "
    "JIBBLE_LEGACY_TOKEN; --sandbox needs none",
}


def read_profiles() -> Profiles:
    """The profiles of this user.

    Raises:
        SetupError: The file that holds them can't be used.
    """
    path = _path()
    text = read_private(path)
    try:
        return Profiles() if text is None else msgspec.toml.decode(text, type=Profiles)
    except msgspec.MsgspecError as error:
        raise SetupError(f"{path}: {error}") from None


def write_profiles(profiles: Profiles) -> None:
    """Replace the profiles; to be done within `being_changed`.

    Raises:
        SetupError: The file can't be written.
    """
    replace_private(_path(), msgspec.toml.encode(profiles).decode())


async def environment_for(api: Api, given: str | None) -> tuple[str, Environment]:
    """Who a command works as: a profile's name, and the variables that say the rest.

    The name is empty where the environment's own credentials are used.

    Args:
        api: Which API is to be asked.
        given: The profile that the command line names.

    Raises:
        SetupError: There are no credentials, the profile can't be used, or it can't be told who
            is meant.
    """
    environment = Environment(os.environ)
    # What may be wrong with profiles is then no matter of this command.
    if given is None and holds_credentials(environment, api):
        return "", environment
    profiles = read_profiles()
    name = chosen(given, environment, profiles, api)
    if name is None:
        raise SetupError(_NO_CREDENTIALS[api])
    profile = profiles.get(name)
    account = require_account(name, profile, api)
    secrets = await store_of(account.store, config_folder()).load(name, api)
    return name, with_account(environment, name, profile, api, secrets, is_given=given is not None)


def _path() -> Path:
    return config_folder() / "config.toml"
