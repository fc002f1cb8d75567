"""Which profile is meant, and what a command then works with; no file is touched here."""

from __future__ import annotations

import msgspec
import pytest

from jibble_async.cli.exit_codes import SetupError
from jibble_async.cli.profiles import (
    Account,
    Api,
    Environment,
    Profile,
    Profiles,
    checked_name,
    chosen,
    holds_credentials,
    name_for,
    told_urls,
    with_account,
)
from jibble_async.errors import ConfigurationError

ACME = Profile("Acme Ltd", "an id", current=Account(store="file", client_id="acme-key"))
BETA = Profile("Beta", current=Account(store="keyring", client_id="beta-key"))
BOTH = Profiles("acme", {"acme": ACME, "beta": BETA})
NO_DEFAULT = Profiles("", BOTH.profiles)
KEY = {"JIBBLE_CLIENT_ID": "x", "JIBBLE_CLIENT_SECRET": "canary"}


@pytest.mark.parametrize(
    ("given", "env", "profiles", "expected"),
    [
        ("beta", {}, BOTH, "beta"),
        ("beta", KEY, BOTH, "beta"),
        ("beta", {"JIBBLE_PROFILE": "acme"}, BOTH, "beta"),
        (None, KEY, BOTH, None),
        (None, {"JIBBLE_API_KEY": "x"}, BOTH, None),
        (None, {"JIBBLE_TOKEN": "x"}, BOTH, None),
        (None, {"JIBBLE_PROFILE": "beta"}, BOTH, "beta"),
        (None, {"JIBBLE_PROFILE": " "}, BOTH, "acme"),
        (None, {"JIBBLE_CLIENT_ID": " "}, BOTH, "acme"),
        (None, {"JIBBLE_LEGACY_TOKEN": "x"}, BOTH, "acme"),
        (None, {}, NO_DEFAULT, SetupError),
        (None, {}, Profiles(), None),
    ],
)
def test_which_profile_is_meant(
    given: str | None, env: dict[str, str], profiles: Profiles, expected: object
) -> None:
    if expected is SetupError:
        with pytest.raises(SetupError, match=r"which profile \(acme, beta\)\? give -p"):
            chosen(given, env, profiles, "current")
    else:
        assert chosen(given, env, profiles, "current") == expected


def test_of_two_that_may_be_meant_none_is_taken() -> None:
    with pytest.raises(SetupError, match=r"JIBBLE_PROFILE is set beside JIBBLE_CLIENT_ID") as told:
        chosen(None, {**KEY, "JIBBLE_PROFILE": "beta"}, BOTH, "current")
    assert "canary" not in str(told.value)
    assert not holds_credentials({**KEY, "JIBBLE_PROFILE": "beta"}, "legacy")


def test_a_profile_takes_the_place_of_the_shells_credentials() -> None:
    env = {**KEY, "JIBBLE_WORKSPACE_URL": "https://x.example", "HTTPS_PROXY": "http://p:1"}
    env |= {"JIBBLE_LEGACY_TOKEN": "other API", "JIBBLE_API_SECRET": "alias"}
    secrets = {"client_secret": "s"}
    assert with_account(env, "acme", ACME, "current", secrets, is_given=True) == {
        "HTTPS_PROXY": "http://p:1",
        "JIBBLE_LEGACY_TOKEN": "other API",
        "JIBBLE_CLIENT_ID": "acme-key",
        "JIBBLE_CLIENT_SECRET": "s",
    }


@pytest.mark.parametrize("url", ["https://elsewhere.example", "http://127.0.0.1:8000"])
def test_a_url_that_may_have_been_meant_is_not_left_aside(url: str) -> None:
    """Somebody who pointed the shell to a sandbox does not clock in for real."""
    env = {"JIBBLE_WORKSPACE_URL": url}
    with pytest.raises(SetupError, match="unset it, or give -p acme"):
        with_account(env, "acme", ACME, "current", {}, is_given=False)
    at = Profile(current=Account(store="file", workspace_url=url))
    env = {"JIBBLE_WORKSPACE_URL": f"{url}/"}
    assert with_account(env, "acme", at, "current", {}, is_given=False) == {
        "JIBBLE_WORKSPACE_URL": url
    }


def test_what_is_kept_elsewhere_for_the_old_api() -> None:
    account = Account(store="file", client_id="c", username="u", token_url="https://t.example")
    secrets = Environment(client_secret="s", password="p")
    told = with_account({}, "acme", Profile(legacy=account), "legacy", secrets, is_given=True)
    assert told == {
        "JIBBLE_LEGACY_CLIENT_ID": "c",
        "JIBBLE_LEGACY_USERNAME": "u",
        "JIBBLE_LEGACY_TOKEN_URL": "https://t.example",
        "JIBBLE_LEGACY_CLIENT_SECRET": "s",
        "JIBBLE_LEGACY_PASSWORD": "p",
    }
    assert repr(told) == repr(secrets) == "<Environment>"
    env = {"JIBBLE_LEGACY_URL": "https://o.example/", "JIBBLE_WORKSPACE_URL": "https://w.example"}
    assert told_urls(env, "legacy") == {"url": "https://o.example"}
    assert told_urls(env, "current") == {"workspace_url": "https://w.example"}


@pytest.mark.parametrize(
    ("api", "words"),
    [("legacy", "the old API: jibble login -p acme --legacy"), ("current", "the current API")],
)
def test_an_api_that_a_profile_does_not_ask(api: Api, words: str) -> None:
    with pytest.raises(SetupError, match=words):
        with_account({}, "acme", Profile(), api, {}, is_given=True)


def test_a_profile_that_is_not_there() -> None:
    with pytest.raises(SetupError, match=r"no profile 'acne' \(there: acme, beta\)"):
        BOTH.get("acne")
    with pytest.raises(SetupError, match=r"\(there: none\); jibble login"):
        Profiles().get("acme")


def test_the_first_is_the_default_and_no_other_becomes_it() -> None:
    one = Profiles().with_profile("acme", ACME)
    two = one.with_profile("beta", BETA)
    assert (one.default, two.default) == ("acme", "acme")
    assert two.without("beta") == one
    left = two.without("acme")
    assert (left.default, list(left.profiles)) == ("", ["beta"])
    assert left.with_profile("acme", ACME).default == ""


def test_what_is_written_is_read_again() -> None:
    text = msgspec.toml.encode(BOTH).decode()
    assert msgspec.toml.decode(text, type=Profiles) == BOTH
    assert text.startswith('default = "acme"\n')
    assert "_url" not in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('default = "acme"', "there is no profile 'acme'"),
        ('[profiles.acme.current]\nstore = "file"\nclient_secret = "canary"', "client_secret"),
        ('[profiles.acme.current]\nstore = "cupboard"', "store"),
        ("[profiles.acme.current]\nclient_id = 5", "client_id"),
        ('[profiles."a b"]', "can't be a profile's name"),
        ("[profiles.acme]\ncurent = {}", "curent"),
    ],
)
def test_a_file_that_says_what_can_not_be(text: str, words: str) -> None:
    with pytest.raises(msgspec.MsgspecError, match=words) as told:
        msgspec.toml.decode(text, type=Profiles)
    assert "canary" not in str(told.value)


@pytest.mark.parametrize("name", ["", "-p", "a b", "../x", "a" * 64, "ä", "a\n"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ConfigurationError, match="such as acme"):
        checked_name(name)


@pytest.mark.parametrize(
    ("organization", "name"),
    [
        ("Acme Ltd", "acme-ltd"),
        ("Zoë's Café & Söhne", "zoe-s-cafe-sohne"),
        ("客先", "default"),
        (None, "default"),
        ("  --  ", "default"),
        ("x" * 80, "x" * 63),
    ],
)
def test_a_name_made_of_an_organisations(organization: str | None, name: str) -> None:
    assert checked_name(name_for(organization)) == name
