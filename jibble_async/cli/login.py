"""`jibble login` and `jibble logout`: credentials asked for once, checked, and kept."""

from __future__ import annotations

import contextlib
import getpass
import importlib.util
import os
import sys
import warnings
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter
from msgspec.structs import replace

from jibble_async.cli.connection import DEFAULT_OPTIONS, Flag, RunOptions, setting_up
from jibble_async.cli.exit_codes import SetupError
from jibble_async.cli.folders import config_folder
from jibble_async.cli.output import NotAllDoneError, say, say_error, show_facts
from jibble_async.cli.private_files import being_changed
from jibble_async.cli.profile_files import read_profiles, write_profiles
from jibble_async.cli.profiles import (
    Account,
    Api,
    Environment,
    Profile,
    Store,
    asked_names,
    checked_name,
    name_for,
    told_urls,
    with_account,
)
from jibble_async.cli.secret_stores import KeyringStore, store_of
from jibble_async.entities import Organization
from jibble_async.errors import ConfigurationError, NotFoundError, PermissionDeniedError

__all__ = ["Profiled", "login", "logout"]

_PROMPTS = {
    "client_id": "API key id",
    "client_secret": "API key secret",
    "token": "token",
    "username": "user name",
    "password": "password",
    "token_url": "URL that gives tokens",
}
# What shells put around a line that is piped, PowerShell's mark of UTF-8 included.
_AROUND = "\ufeff \t\r\n"


@Parameter(name="*")
@dataclass(frozen=True)
class Profiled:
    """What the commands take that keep profiles.

    Attributes:
        profile: A profile by its name, such as acme.
        options: What every command takes.
    """

    profile: Annotated[str | None, Parameter(name=("--profile", "-p"))] = None
    options: RunOptions = DEFAULT_OPTIONS


_NOBODY = Profiled()


# No coroutine yet while a person types: a signal would wait for the end of the line.
def login(
    *,
    client_id: str | None = None,
    username: str | None = None,
    token_url: str | None = None,
    token: Flag = False,
    secret_stdin: Flag = False,
    legacy: Flag = False,
    store: Store | None = None,
    no_check: Flag = False,
    of: Profiled = _NOBODY,
) -> Coroutine[Any, Any, None]:
    """Keep the credentials of an organisation as a profile.

    What is not given is asked for. A secret is typed, or read from standard input; never given.

    Args:
        client_id: The id of an API key, or of an app of the old API.
        username: Of the old API: who the app acts for.
        token_url: Of the old API: where it gives tokens.
        token: Keep a bearer token that is there already, instead of a key.
        secret_stdin: Read the secret from standard input; for --legacy two lines, the password
            last.
        legacy: Credentials of the old API; a profile may have both.
        store: Where secrets are kept; by default in the keyring where there is one.
        no_check: Don't ask the server first.
        of: What the commands take that keep profiles.
    """
    if of.profile is not None:
        checked_name(of.profile)
    api: Api = "legacy" if legacy else "current"
    settings, secrets = asked_names(api, token=token)
    given = {"client_id": client_id, "username": username, "token_url": token_url}
    astray = [name for name, text in given.items() if text is not None and name not in settings]
    if astray:
        raise ConfigurationError(f"--{astray[0].replace('_', '-')} is not asked for here")
    told = {name: given[name] or _typed(name) for name in settings}
    kept = _from_stdin(secrets) if secret_stdin else _typed_secrets(secrets)
    account = Account(store="file", **told, **told_urls(os.environ, api))
    return _log_in(api, account, kept, store, of, is_checked=not no_check)


async def logout(*, of: Profiled = _NOBODY) -> None:
    """Forget a profile and its secrets.

    Args:
        of: What the commands take that keep profiles.
    """
    left: list[SetupError] = []
    with being_changed(config_folder()):
        profiles = read_profiles()
        name = of.profile or os.environ.get("JIBBLE_PROFILE", "").strip() or profiles.default
        if not name:
            raise SetupError("which profile? give -p; `jibble profiles` lists them")
        profile = profiles.get(name)
        apis: tuple[Api, ...] = ("current", "legacy")
        for api in apis:
            account = profile.account(api)
            if account is not None:
                try:
                    await store_of(account.store, config_folder()).remove(name, api)
                except SetupError as failure:
                    # A file can be mended, and this run again; a keyring may be gone for good.
                    if account.store == "file":
                        raise
                    left.append(failure)
        write_profiles(profiles.without(name))
    show_facts({"forgotten": name}, of.options.form, id="forgotten")
    for error in left:
        say_error(error, "a secret may be left behind")
    if left:
        raise NotAllDoneError


async def _log_in(
    api: Api,
    account: Account,
    secrets: Environment,
    store: Store | None,
    of: Profiled,
    *,
    is_checked: bool,
) -> None:
    profile = Profile().with_account(api, account)
    environment = with_account(os.environ, "login", profile, api, secrets, is_given=True)
    found = await _organization(api, environment, is_checked=is_checked)
    name = of.profile or name_for(found.organization)
    with being_changed(config_folder()):
        profiles = read_profiles()
        before = profiles.profiles.get(name, Profile())
        _require_same(name, before, found)
        where = await _keep(name, api, secrets, store)
        gone = before.account(api)
        if gone is not None and gone.store != where:
            with contextlib.suppress(SetupError):
                await store_of(gone.store, config_folder()).remove(name, api)
        now = before.with_account(api, replace(account, store=where)).of(found)
        profiles = profiles.with_profile(name, now)
        write_profiles(profiles)
    facts = {
        "profile": name,
        "default": profiles.default == name,
        "organisation": found.organization,
        "secrets": where if where == "keyring" else str(config_folder() / "credentials.toml"),
        **{key: text for key, text in account.settings().items() if key.endswith("url")},
    }
    show_facts(facts, of.options.form, id="profile")


async def _organization(api: Api, environment: Environment, *, is_checked: bool) -> Profile:
    """The organisation that credentials are of, as far as the server says; else nothing."""
    if api == "legacy":
        from jibble_legacy import LegacyClient

        from jibble_async.cli.legacy_limit import TellingWindow, window_path

        with setting_up():
            window = TellingWindow(window_path(environment))
            old = LegacyClient.from_env(environment, limiter=window)
        async with contextlib.aclosing(window), old:
            team = await old.organizations.list().first() if is_checked else None
        # Its id is another one than the current API has.
        return Profile(organization=(team and team.name) or "")
    from jibble_async.client import JibbleClient

    with setting_up():
        client = JibbleClient.from_env(environment)
    async with client:
        if not is_checked:
            return Profile()
        own_id = (await client.whoami()).organization_id
        found: Organization | None = None
        # What works need not be allowed to see this; but a token is asked about by nothing else.
        with contextlib.suppress(NotFoundError, PermissionDeniedError):
            own = client.organizations
            found = await (own.get(own_id) if own_id else own.list().first())
        return Profile((found and found.name) or "", own_id or (found and found.id) or "")


def _require_same(name: str, before: Profile, found: Profile) -> None:
    known, new = before.organization_id, found.organization_id
    if known and new and known != new:
        raise ConfigurationError(
            f"the profile {name} is of {before.organization or known}, and these credentials are "
            f"of {found.organization or new}: give another name by -p, or: jibble logout -p {name}"
        )


async def _keep(name: str, api: Api, secrets: Mapping[str, str], store: Store | None) -> Store:
    """Keep secrets, and tell where: in a file if no keyring takes them, unless told."""
    if store != "file":
        keyring = KeyringStore()
        try:
            if store == "keyring" or (_has_keyring() and await keyring.is_safe()):
                await keyring.save(name, api, secrets)
                return "keyring"
        except SetupError as error:
            if store == "keyring":
                raise
            say(f"{error}: the secret is kept in a file that nobody else may read")
    await store_of("file", config_folder()).save(name, api, secrets)
    return "file"


def _has_keyring() -> bool:
    return importlib.util.find_spec("keyring") is not None


def _typed(name: str) -> str:
    _require_somebody(f"give --{name.replace('_', '-')}")
    sys.stderr.write(f"{_PROMPTS[name]}: ")
    sys.stderr.flush()
    text = sys.stdin.readline().strip()
    if not text:
        raise ConfigurationError(f"no {_PROMPTS[name]} was typed: nothing is kept")
    return text


def _typed_secrets(names: tuple[str, ...]) -> Environment:
    _require_somebody("give --secret-stdin, and the secret on standard input")
    typed = Environment()
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        for name in names:
            try:
                typed[name] = getpass.getpass(f"{_PROMPTS[name]}: ", stream=sys.stderr).strip()
            except getpass.GetPassWarning:
                raise ConfigurationError(
                    "it can't be typed here without being seen: give --secret-stdin"
                ) from None
            except EOFError:
                typed[name] = ""
            if not typed[name]:
                raise ConfigurationError(f"no {_PROMPTS[name]} was typed: nothing is kept")
    return typed


def _from_stdin(names: tuple[str, ...]) -> Environment:
    lines = Environment(
        zip(names, (sys.stdin.readline().strip(_AROUND) for _ in names), strict=True)
    )
    if sys.stdin.read().strip():
        raise ConfigurationError(
            f"there is more on standard input than {' and '.join(names)}, a line each"
        )
    return lines


def _require_somebody(way_out: str) -> None:
    if not sys.stdin.isatty():
        raise ConfigurationError(f"nobody is there to be asked: {way_out}")
