"""Profiles: who somebody is to Jibble, by a name; no file is touched here.

A profile is an organisation. For each API it says what is no secret of how to ask it, by the names
that the environment's variables have behind `JIBBLE_` or `JIBBLE_LEGACY_`, and where the rest is
kept. So what a command works with is always an environment, the shell's or one with a profile in
the place of the shell's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec
from jibble_legacy import config as legacy_config
from msgspec.structs import asdict, replace

from jibble_async import config
from jibble_async.cli.exit_codes import SetupError
from jibble_async.errors import ConfigurationError

__all__ = [
    "Account",
    "Api",
    "Environment",
    "Profile",
    "Profiles",
    "Store",
    "asked_names",
    "checked_name",
    "chosen",
    "holds_credentials",
    "name_for",
    "require_account",
    "told_urls",
    "with_account",
]

Api: TypeAlias = Literal["current", "legacy"]
Store: TypeAlias = Literal["keyring", "file"]

_PREFIXES: dict[Api, str] = {"current": "JIBBLE_", "legacy": "JIBBLE_LEGACY_"}
_CREDENTIALS: dict[Api, tuple[str, ...]] = {
    "current": config.CREDENTIAL_VARIABLES,
    "legacy": legacy_config.CREDENTIAL_VARIABLES,
}
_URLS: dict[Api, tuple[str, ...]] = {
    "current": tuple(config.URL_VARIABLES.values()),
    "legacy": (legacy_config.URL_VARIABLE,),
}
_FLAGS: dict[Api, str] = {"current": "", "legacy": " --legacy"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_VARIABLE = "JIBBLE_PROFILE"


class Environment(dict[str, str]):
    """Variables, whose values no debugger, log or report of an error shows."""

    def __repr__(self) -> str:
        return "<Environment>"


class Account(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """How a profile asks one API: what is no secret of it.

    Attributes:
        store: Where its secrets are kept.
        client_id: The id of an API key, or of an app of the old API.
        username: Of the old API: who the app acts for.
        token_url: Of the old API: where a token is asked for.
        url: Where the old API is, if not where it usually is.
        identity_url: Where a service of the current API is, if not where it usually is.
        workspace_url: Another.
        time_tracking_url: Another.
        time_attendance_url: Another.
    """

    store: Store
    client_id: str = ""
    username: str = ""
    token_url: str = ""
    url: str = ""
    identity_url: str = ""
    workspace_url: str = ""
    time_tracking_url: str = ""
    time_attendance_url: str = ""

    def settings(self) -> dict[str, str]:
        """What it says, by name."""
        return {name: text for name, text in asdict(self).items() if text and name != "store"}


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An organisation, and how to ask it.

    Attributes:
        organization: Its name.
        organization_id: Its id over there.
        current: How to ask the current API.
        legacy: How to ask the old one.
    """

    organization: str = ""
    organization_id: str = ""
    current: Account | None = None
    legacy: Account | None = None

    def account(self, api: Api) -> Account | None:
        """How it asks an API; None if it does not."""
        return self.current if api == "current" else self.legacy

    def with_account(self, api: Api, account: Account) -> Profile:
        """This profile with another way to ask an API."""
        if api == "current":
            return replace(self, current=account)
        return replace(self, legacy=account)

    def of(self, found: Profile) -> Profile:
        """This profile with what another says of the organisation, as far as it says anything."""
        return replace(
            self,
            organization=found.organization or self.organization,
            organization_id=found.organization_id or self.organization_id,
        )


class Profiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What `config.toml` says.

    Attributes:
        default: The profile that is used where nothing else is said.
        profiles: All of them, by name.
    """

    default: str = ""
    profiles: dict[str, Profile] = {}

    def __post_init__(self) -> None:
        for name in self.profiles:
            checked_name(name)
        if self.default and self.default not in self.profiles:
            raise ConfigurationError(f"default: there is no profile {self.default!r}")

    def get(self, name: str) -> Profile:
        """A profile.

        Raises:
            SetupError: There is none of that name.
        """
        if name not in self.profiles:
            there = ", ".join(sorted(self.profiles)) or "none"
            raise SetupError(
                f"no profile {name!r} (there: {there}); jibble login -p NAME makes one"
            )
        return self.profiles[name]

    def with_profile(self, name: str, profile: Profile) -> Profiles:
        """These with one more, or another of that name; the first is the default."""
        default = self.default or ("" if self.profiles else name)
        return Profiles(default, {**self.profiles, name: profile})

    def without(self, name: str) -> Profiles:
        """These without one; if it was the default, there is no other until one is chosen.

        Else commands would go on and ask another organisation.
        """
        left = {each: profile for each, profile in self.profiles.items() if each != name}
        return Profiles("" if self.default == name else self.default, left)


def checked_name(name: str) -> str:
    """A profile's name.

    Raises:
        ConfigurationError: It can't be one.
    """
    if _NAME.fullmatch(name) is None:
        raise ConfigurationError(
            f"{name!r} can't be a profile's name: letters, digits, '.', '_' and '-', such as acme"
        )
    return name


def name_for(organization: str | None) -> str:
    """A profile's name made of an organisation's, such as `acme-ltd`."""
    plain = unicodedata.normalize("NFKD", organization or "").encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "-", plain.lower()).strip("-")[:63].strip("-") or "default"


def holds_credentials(env: Mapping[str, str], api: Api) -> bool:
    """Whether an environment says as whom to ask an API.

    Args:
        env: The shell's variables.
        api: Which API.

    Raises:
        SetupError: It does, and names a profile, too.
    """
    own = next((name for name in _CREDENTIALS[api] if env.get(name, "").strip()), None)
    named = env.get(_VARIABLE, "").strip()
    if own is not None and named:
        raise SetupError(f"{_VARIABLE} is set beside {own}: unset one, or give -p {named}")
    return own is not None


def chosen(given: str | None, env: Mapping[str, str], profiles: Profiles, api: Api) -> str | None:
    """The name of the profile that a command works with; None if it is the environment's own.

    Args:
        given: What `--profile` names; it comes first.
        env: The shell's variables.
        profiles: What there is.
        api: Which API is to be asked.

    Raises:
        SetupError: The environment names a profile and holds credentials, too; or there are
            profiles, and none is the default.
    """
    if given is not None:
        return given
    if holds_credentials(env, api):
        return None
    named = env.get(_VARIABLE, "").strip()
    if not named and not profiles.default and profiles.profiles:
        names = ", ".join(sorted(profiles.profiles))
        raise SetupError(f"which profile ({names})? give -p, or: jibble profiles default NAME")
    return named or profiles.default or None


def require_account(name: str, profile: Profile, api: Api) -> Account:
    """How a profile asks an API.

    Raises:
        SetupError: It has no credentials for it.
    """
    account = profile.account(api)
    if account is None:
        which = "the old API" if api == "legacy" else "the current API"
        raise SetupError(
            f"the profile {name} has no credentials for {which}: jibble login -p {name}"
            f"{_FLAGS[api]}"
        )
    return account


def asked_names(api: Api, *, token: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is asked for at a login, in this order: what is no secret, and what is.

    Args:
        api: For which API.
        token: Whether there is a bearer token already.
    """
    if token:
        return (), ("token",)
    if api == "legacy":
        return ("client_id", "username", "token_url"), ("client_secret", "password")
    return ("client_id",), ("client_secret",)


def told_urls(env: Mapping[str, str], api: Api) -> dict[str, str]:
    """Where an environment says that an API is, by the names of an `Account`."""
    given = {name: env.get(name, "").strip().rstrip("/") for name in _URLS[api]}
    prefix = _PREFIXES[api]
    return {name.removeprefix(prefix).lower(): url for name, url in given.items() if url}


def with_account(
    env: Mapping[str, str],
    name: str,
    profile: Profile,
    api: Api,
    secrets: Mapping[str, str],
    *,
    is_given: bool,
) -> Environment:
    """An environment in which the variables of an API are those of a profile.

    Args:
        env: The shell's variables.
        name: The profile's name.
        profile: What it says.
        api: Which API is to be asked.
        secrets: What is kept elsewhere, by the same names.
        is_given: Whether the command line names the profile. Else a URL of the environment that
            is not the profile's is an error, since it may have been meant.

    Raises:
        SetupError: That is so, or the profile does not ask this API.
    """
    account = require_account(name, profile, api)
    prefix = _PREFIXES[api]
    told = {prefix + key.upper(): text for key, text in {**account.settings(), **secrets}.items()}
    if not is_given:
        for variable in _URLS[api]:
            url = env.get(variable, "").strip()
            if url and url.rstrip("/") != told.get(variable):
                raise SetupError(
                    f"{variable} is set, and is not that of the profile {name}: unset it, or give "
                    f"-p {name}"
                )
    hidden = {*_CREDENTIALS[api], *_URLS[api]}
    return Environment({key: text for key, text in env.items() if key not in hidden} | told)
