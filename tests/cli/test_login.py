"""`jibble login`, and the commands that then work with what it kept."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import io
import json
import os
import pty
import stat
import sys
import tomllib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest

from jibble_async import Unlimited
from jibble_async import client as client_module
from jibble_async.cli import login as login_module
from jibble_async.cli import main, paces, secret_stores
from jibble_async.cli.connection import Common, connect_either, connect_profiles
from jibble_async.cli.exit_codes import SetupError, exit_code_of
from jibble_async.cli.private_files import being_changed, read_private, replace_private
from jibble_async.cli.profile_files import write_profiles
from jibble_async.cli.profiles import Account, Profile, Profiles
from jibble_async.cli.secret_stores import FileStore, KeyringStore
from jibble_async.errors import AuthenticationError
from jibble_async.sandbox import Sandbox
from tests.cli.conftest import ROOT
from tests.cli.keyrings import (
    DeafKeyring,
    ForgetfulKeyring,
    LockedKeyring,
    MemoryKeyring,
    PlainKeyring,
)
from tests.support import virtual_time
from tests.support.canaries import found, local_variables, shown

ACME_SECRET, BETA_SECRET = "canary-acme-0123", "canary-beta-4567"
CANARIES = (ACME_SECRET, BETA_SECRET)


class Typing(io.StringIO):
    """Standard input, of somebody at a terminal unless told."""

    is_somebody = True

    def isatty(self) -> bool:
        return self.is_somebody


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Typing]:
    """Types lines, and a secret where one is asked for."""

    def type_(*lines: str, secrets: tuple[str, ...] = (), somebody: bool = True) -> Typing:
        stdin = Typing("".join(f"{line}\n" for line in lines))
        stdin.is_somebody = somebody
        left = list(secrets)
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(getpass, "getpass", lambda *_, **__: left.pop(0))
        return stdin

    return type_


@pytest.fixture(autouse=True)
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is paced, which would take real time."""
    monkeypatch.setattr(paces, "paces", lambda _: {})
    monkeypatch.setattr(client_module, "AdaptiveLimiter", Unlimited)


@pytest.fixture(autouse=True)
def memory() -> Iterator[MemoryKeyring]:
    """The keyring of the tests."""
    before = keyring.get_keyring()
    ours = MemoryKeyring()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


def config() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "jibble"


def kept() -> dict[str, Any]:
    return tomllib.loads((config() / "config.toml").read_text())


async def jibble(*arguments: str) -> int:
    """The exit code of a command, in a thread and a loop of its own."""
    return await asyncio.to_thread(main, arguments)


def at(monkeypatch: pytest.MonkeyPatch, box: Sandbox | None) -> None:
    """Point the shell to a sandbox, without its credentials; or nowhere."""
    for name in [name for name in os.environ if name.startswith("JIBBLE_")]:
        monkeypatch.delenv(name)
    for name, value in (box.environment() if box else {}).items():
        if name.endswith("_URL"):
            monkeypatch.setenv(name, value)


@pytest.mark.real_time
async def test_two_organisations_one_of_them_in_a_keyring(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typing: Callable[..., Typing],
    memory: MemoryKeyring,
    tmp_path: Path,
) -> None:
    async with Sandbox(people=2) as acme, Sandbox(people=3, seed=8) as beta:
        log = str(tmp_path / "log")
        at(monkeypatch, acme)
        typing(acme.client_id, secrets=(acme.client_secret,))
        assert await jibble("login", "-p", "acme", "--log-file", log) == 0
        at(monkeypatch, beta)
        typing(f"\ufeff{beta.client_secret}\r", somebody=False)
        arguments = ("--client-id", beta.client_id, "--secret-stdin", "--store", "file")
        assert await jibble("login", "-p", "beta", *arguments, "--log-file", log) == 0
        at(monkeypatch, None)
        assert kept()["default"] == "acme"
        capsys.readouterr()
        assert await jibble("people", "--json") == 0
        assert len(json.loads(capsys.readouterr().out)) <= 2
        assert await jibble("whoami", "-p", "beta", "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert told["organization"]["id"] == kept()["profiles"]["beta"]["organization_id"]
        assert told["profile"] == "beta"
        assert await jibble("whoami") == 0
        assert capsys.readouterr().out.startswith("profile          acme\n")
        assert await jibble("whoami", "-p", "acme", "-p", "beta") == 2
        monkeypatch.setenv("JIBBLE_PROFILE", "beta")
        assert await jibble("whoami", "--json", "--log-file", log) == 0
        assert json.loads(capsys.readouterr().out) == told
        monkeypatch.delenv("JIBBLE_PROFILE")
        async with connect_profiles(Common(profiles=("beta", "acme"))) as clients:
            ids = {name: (await each.whoami()).organization_id for name, each in clients}
        assert list(ids) == ["beta", "acme"]
        assert len(set(ids.values())) == 2
        async with connect_profiles(Common()) as clients:
            assert [name for name, _ in clients] == ["acme"]
        # What is refused shows nothing either, nor does what is not there any more.
        acme_kept = dict(memory.kept)
        memory.kept.clear()
        assert await jibble("people", "-p", "acme", "--log-file", log) == 78
        memory.kept.update(dict.fromkeys(acme_kept, '{"client_secret": "canary-old"}'))
        assert await jibble("people", "-p", "acme", "--log-file", log) == 77
        assert await jibble("profiles") == 0
        out, err = capsys.readouterr()
    assert "the secrets of the profile acme are not in the keyring: log in again" in err
    secrets = (acme.client_secret, beta.client_secret, "canary-old")
    files = [each.read_text() for each in (config() / "config.toml", tmp_path / "log")]
    assert found(secrets, out, err, *files) == []
    assert found((beta.client_secret,), (config() / "credentials.toml").read_text())
    assert not found((acme.client_secret,), (config() / "credentials.toml").read_text())
    modes = {
        each.name: stat.S_IMODE(each.stat().st_mode) for each in (config(), *config().iterdir())
    }
    assert modes.pop("jibble") == 0o700
    assert set(modes.values()) == {0o600}


@pytest.mark.real_time
async def test_what_the_server_refuses_is_not_kept(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typing: Callable[..., Typing],
    memory: MemoryKeyring,
) -> None:
    async with Sandbox(people=1) as box:
        at(monkeypatch, box)
        typing(box.client_id, secrets=(ACME_SECRET,))
        assert await jibble("login", "-p", "acme") == 77
        typing(ACME_SECRET, somebody=False)
        assert await jibble("login", "-p", "acme", "--token", "--secret-stdin") == 77
        assert (memory.kept, config().exists()) == ({}, False)
        typing(box.client_id, secrets=(ACME_SECRET,))
        assert await jibble("login", "-p", "acme", "--no-check") == 0
        assert box.ledger.count("identity") == 1
    assert len(memory.kept) == 1
    assert found(CANARIES, *capsys.readouterr()) == []


@pytest.mark.real_time
async def test_a_profile_is_named_after_the_organisation_and_keeps_to_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typing: Callable[..., Typing],
    memory: MemoryKeyring,
) -> None:
    async with Sandbox(people=1) as box, Sandbox(people=1, seed=8) as other:
        at(monkeypatch, box)
        typing(box.client_id, secrets=(box.client_secret,))
        assert await jibble("login") == 0
        assert list(kept()["profiles"]) == ["sandbox-works-ltd"]
        # Another key of the same organisation, and to another place.
        typing(box.client_id, secrets=(box.client_secret,))
        assert await jibble("login", "--store", "file") == 0
        assert memory.kept == {}
        at(monkeypatch, other)
        typing(other.client_id, secrets=(other.client_secret,))
        assert await jibble("login") == 2
    assert "give another name by -p, or: jibble logout -p" in capsys.readouterr().err
    assert box.client_secret in (config() / "credentials.toml").read_text()


@pytest.mark.real_time
async def test_both_apis_in_one_profile(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typing: Callable[..., Typing],
    memory: MemoryKeyring,
) -> None:
    async with Sandbox(people=2) as box:
        at(monkeypatch, box)
        typing(secrets=(box.legacy_token,))
        assert await jibble("login", "-p", "acme", "--legacy", "--token") == 0
        grant = box.legacy_credentials
        typing(box.client_id, secrets=(box.client_secret,))
        assert await jibble("login", "-p", "acme") == 0
        at(monkeypatch, None)
        assert set(kept()["profiles"]["acme"]) >= {"current", "legacy", "organization"}
        assert await jibble("people", "--legacy") == 0
        assert await jibble("people") == 0
        assert await jibble("migrate", "estimate") == 0
        at(monkeypatch, box)
        typing(grant.client_id, grant.username, box.legacy_token_url, secrets=grant[1::2])
        assert await jibble("login", "-p", "beta", "--legacy") == 0
        at(monkeypatch, None)
        assert await jibble("people", "--legacy", "-p", "beta") == 0
        assert await jibble("people", "-p", "beta") == 78
        assert await jibble("logout", "-p", "beta") == 0
        assert await jibble("logout") == 0
    assert memory.kept == {}
    assert found((*grant[1::2], box.legacy_token, box.client_secret), *capsys.readouterr()) == []
    assert kept() == {}
    assert await jibble("people") == 78


def test_nobody_is_there_to_be_asked(
    typing: Callable[..., Typing], capsys: pytest.CaptureFixture[str]
) -> None:
    typing(somebody=False)
    assert main(["login"]) == 2
    assert "nobody is there to be asked: give --client-id" in capsys.readouterr().err
    assert main(["login", "--client-id", "x"]) == 2
    assert "give --secret-stdin" in capsys.readouterr().err
    assert main(["login", "--token", "--client-id", "x"]) == 2
    assert "--client-id is not asked for here" in capsys.readouterr().err
    assert main(["login", "-p", "a b"]) == 2


@pytest.mark.parametrize("text", ["", " ", "{0}\n{0}", "{0}\0"])
def test_secrets_that_can_not_be(
    typing: Callable[..., Typing], capsys: pytest.CaptureFixture[str], text: str
) -> None:
    typing(text.format(ACME_SECRET), somebody=False)
    assert main(["login", "--client-id", "x", "--secret-stdin", "--no-check"]) in {2, 78}
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert found(CANARIES, err) == []
    assert not config().exists()


def test_a_secret_that_would_be_seen_is_not_asked_for(
    typing: Callable[..., Typing],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def echoing(*_: object, **__: object) -> str:
        warnings.warn("echo", getpass.GetPassWarning, stacklevel=2)
        return ACME_SECRET

    typing("an id")
    monkeypatch.setattr(getpass, "getpass", echoing)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert main(["login"]) == 2
    assert "without being seen: give --secret-stdin" in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["", EOFError])
def test_a_secret_that_is_not_typed(
    typing: Callable[..., Typing],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: Any,
) -> None:
    def give(*_: object, **__: object) -> str:
        if typed is EOFError:
            raise EOFError
        return str(typed)

    typing("an id")
    monkeypatch.setattr(getpass, "getpass", give)
    assert main(["login"]) == 2
    assert "no API key secret was typed: nothing is kept" in capsys.readouterr().err


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("ring", "words"),
    [
        (PlainKeyring, ""),
        (ForgetfulKeyring, "the keyring does not keep what it is given"),
        (LockedKeyring, "the keyring refused (KeyringLocked)"),
        (DeafKeyring, "the keyring did not answer in 0.05 s"),
    ],
)
def test_a_keyring_that_does_not_take_it(
    typing: Callable[..., Typing],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ring: type[MemoryKeyring],
    words: str,
) -> None:
    monkeypatch.setattr(secret_stores, "PATIENCE", 0.05)
    ours = ring()
    keyring.set_keyring(ours)
    arguments = ["login", "-p", "acme", "--client-id", "x", "--secret-stdin", "--no-check"]
    if words:
        typing(ACME_SECRET, somebody=False)
        assert main([*arguments, "--store", "keyring"]) == 78
        assert words in capsys.readouterr().err
        assert not (config() / "config.toml").exists()
    typing(ACME_SECRET, somebody=False)
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert "credentials.toml" in out
    assert ("the secret is kept in a file" in err) == bool(words)
    assert found(CANARIES, out, err) == []
    assert kept()["profiles"]["acme"]["current"]["store"] == "file"
    if isinstance(ours, DeafKeyring):
        ours.release.set()


@pytest.mark.real_time
async def test_nothing_is_seen_of_a_keyring_that_fails() -> None:
    for ring in (LockedKeyring(), ForgetfulKeyring()):
        keyring.set_keyring(ring)
        with pytest.raises(SetupError) as caught:
            await KeyringStore().save("acme", "current", login_module.Environment(s=ACME_SECRET))
        assert found(CANARIES, shown(caught.value), local_variables(caught.value)) == []


@pytest.mark.parametrize("text", [f'[acme.current]\nclient_secret = "{ACME_SECRET}', "x = 5", "\0"])
async def test_nothing_is_seen_of_a_file_that_is_broken(tmp_path: Path, text: str) -> None:
    path = tmp_path / "credentials.toml"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(SetupError, match="log in again") as caught:
        await FileStore(path).load("acme", "current")
    assert found(CANARIES, shown(caught.value), local_variables(caught.value)) == []


@pytest.mark.parametrize(
    ("mode", "folder_mode", "secret", "words"),
    [
        (0o644, 0o700, True, r"others may read .* \(mode 644\).* chmod 600"),
        (0o640, 0o700, True, "others may read"),
        (0o622, 0o700, False, "others may write .*: chmod go-w"),
        (0o600, 0o777, False, "others may write"),
        (0o644, 0o755, False, None),
        (0o600, 0o755, True, None),
    ],
)
def test_files_in_which_others_may_have_had_a_hand(
    tmp_path: Path, mode: int, folder_mode: int, secret: bool, words: str | None
) -> None:
    path = tmp_path / "f"
    path.write_text("text")
    path.chmod(mode)
    tmp_path.chmod(folder_mode)
    try:
        if words is None:
            assert read_private(path, secret=secret) == "text"
        else:
            with pytest.raises(SetupError, match=words):
                read_private(path, secret=secret)
    finally:
        tmp_path.chmod(0o700)


def test_a_logout_that_may_not_look_into_the_file_can_be_run_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    profile = Profile().with_account("current", Account(store="file", client_id="id"))
    config().mkdir(parents=True, mode=0o700)
    write_profiles(Profiles("acme", {"acme": profile}))
    secrets = config() / "credentials.toml"
    secrets.write_text(f'[acme.current]\nclient_secret = "{ACME_SECRET}"\n')
    secrets.chmod(0o644)
    assert main(["logout"]) == 78
    assert "chmod 600" in capsys.readouterr().err
    secrets.chmod(0o600)
    assert main(["logout"]) == 0
    assert ACME_SECRET not in secrets.read_text()


def test_a_file_that_a_killed_login_left_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "credentials.toml"
    (tmp_path / ".credentials.toml.part-01234567").write_text(ACME_SECRET)
    (tmp_path / "link").symlink_to(path)
    replace_private(tmp_path / "link", "text")
    assert {each.name for each in tmp_path.iterdir()} == {"credentials.toml", "link"}
    assert path.read_text() == "text"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_what_writes_profiles_no_secret_is_kept(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typing: Callable[..., Typing],
    memory: MemoryKeyring,
) -> None:
    monkeypatch.setitem(sys.modules, "tomli_w", None)
    typing("x", secrets=(ACME_SECRET,))
    assert main(["login", "-p", "acme", "--no-check"]) == 78
    assert "profiles need tomli_w" in capsys.readouterr().err
    assert (memory.kept, config().exists()) == ({}, False)


def test_two_logins_at_once(tmp_path: Path) -> None:
    with (
        being_changed(tmp_path / "a" / "jibble"),
        pytest.raises(SetupError, match="another program") as busy,
        being_changed(tmp_path / "a" / "jibble"),
    ):
        pass
    assert exit_code_of(busy.value) == 75
    with being_changed(tmp_path / "a" / "jibble"):
        pass


def test_profiles_are_listed_and_chosen(
    typing: Callable[..., Typing], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("acme", "beta"):
        typing(ACME_SECRET, somebody=False)
        arguments = ["--client-id", "x", "--secret-stdin", "--no-check", "--store", "file"]
        assert main(["login", "-p", name, *arguments]) == 0
    assert main(["profiles", "default", "beta"]) == 0
    assert main(["profiles", "default", "gamma"]) == 78
    capsys.readouterr()
    assert main(["profiles", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["default"], row["current"]) for row in rows] == [
        ("acme", False, "file"),
        ("beta", True, "file"),
    ]
    assert main(["profiles"]) == 0
    assert capsys.readouterr().out.splitlines()[2].split() == ["beta", "*", "file"]
    assert main(["logout"]) == 0
    assert main(["logout"]) == 78
    assert "which profile? give -p" in capsys.readouterr().err
    assert main(["people"]) == 78
    assert "which profile (acme)?" in capsys.readouterr().err
    assert main(["logout", "-p", "acme"]) == 0
    assert (config() / "credentials.toml").read_text() == ""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["people", "-p", "acme"], 78, "no profile 'acme' (there: none)"),
        (["people", "-p", "acme", "-p", "beta"], 2, "give -p once"),
        (["people", "-p", "acme", "--sandbox"], 2, "leave -p out"),
        (["migrate", "extract", "-p", "acme", "--sandbox"], 2, "leave -p out"),
        (["migrate", "extract", "-p", "acme"], 2, "no profile 'acme'"),
    ],
)
def test_profiles_that_can_not_be_meant(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    assert main(arguments) == code
    assert words in capsys.readouterr().err


def test_a_broken_file_is_no_matter_of_who_has_credentials(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config().mkdir()
    (config() / "config.toml").write_text("default = ")
    assert main(["people"]) == 78
    assert "config.toml: " in capsys.readouterr().err
    monkeypatch.setattr(asyncio, "run", virtual_time.run)
    monkeypatch.setenv("JIBBLE_TOKEN", "x")
    monkeypatch.setenv("JIBBLE_WORKSPACE_URL", "http://127.0.0.1:1")
    assert main(["people"]) == 69


def test_without_a_home_there_is_nothing_to_keep_anything_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "nowhere")
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}["nobody"])
    assert main(["profiles"]) == 78
    assert "set XDG_CONFIG_HOME" in capsys.readouterr().err
    # As versions of platformdirs do that know nothing better.
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: Path("~/x"))
    assert main(["profiles"]) == 78
    assert "set XDG_CONFIG_HOME" in capsys.readouterr().err


@pytest.mark.real_time
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="this system has no /proc")
async def test_a_secret_that_is_typed_is_seen_nowhere(tmp_path: Path) -> None:
    """At a real terminal, of which everything is kept that is shown."""
    async with Sandbox(people=1) as box:
        urls = {key: text for key, text in box.environment().items() if key.endswith("_URL")}
        ours, theirs = pty.openpty()
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "jibble_async.cli", "login", "-p", "acme", "--store", "file",
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'legacy'}", **urls},
        )  # fmt: skip
        os.close(theirs)
        terminal = os.fdopen(ours, "r+b", buffering=0)
        screen = b""
        for prompt, line in ((b"key id: ", box.client_id), (b"key secret: ", box.client_secret)):
            while not screen.endswith(prompt):
                screen += await asyncio.to_thread(terminal.read, 1000)
            seen = (Path(f"/proc/{program.pid}") / "cmdline").read_bytes()
            seen += (Path(f"/proc/{program.pid}") / "environ").read_bytes()
            assert box.client_secret.encode() not in seen
            terminal.write(f"{line}\n".encode())
        # A terminal that nobody has open any more is an error on Linux.
        with contextlib.suppress(OSError):
            while more := await asyncio.to_thread(terminal.read, 1000):
                screen += more
        assert await program.wait() == 0
        terminal.close()
    assert box.client_id.encode() in screen
    assert b"profile" in screen
    assert box.client_secret.encode() not in screen


async def test_nothing_is_seen_of_a_command_that_fails_as_somebody(
    monkeypatch: pytest.MonkeyPatch, typing: Callable[..., Typing]
) -> None:
    async with Sandbox(people=1) as box:
        at(monkeypatch, box)
        typing(ACME_SECRET, somebody=False)
        refused = login_module.login(client_id=box.client_id, secret_stdin=True, store="file")
        with pytest.raises(AuthenticationError) as told:
            await refused
        assert found(CANARIES, shown(told.value), local_variables(told.value)) == []
        typing(box.client_secret, somebody=False)
        of = login_module.Profiled("acme")
        await login_module.login(
            client_id="x", secret_stdin=True, store="file", no_check=True, of=of
        )
        at(monkeypatch, None)
        with pytest.raises(ZeroDivisionError) as broken:
            async with connect_either(Common(profiles=("acme",))):
                _ = 1 / 0
        text = (config() / "config.toml").read_text().replace("http://127.0.0.1", "ftp://x")
        (config() / "config.toml").write_text(text)
        with pytest.raises(SetupError, match="URL") as misled:
            async with connect_either(Common()):
                pass
    for caught in (broken, misled):
        seen = shown(caught.value), local_variables(caught.value)
        assert found((box.client_secret,), *seen) == []


def test_a_shell_that_points_elsewhere_does_not_meet_the_default_profile(
    typing: Callable[..., Typing],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typing(ACME_SECRET, somebody=False)
    arguments = ["--client-id", "x", "--secret-stdin", "--no-check", "--store", "file"]
    assert main(["login", "-p", "acme", *arguments]) == 0
    monkeypatch.setenv("JIBBLE_WORKSPACE_URL", "http://127.0.0.1:1")
    assert main(["clock", "in"]) == 78
    assert "JIBBLE_WORKSPACE_URL is set" in capsys.readouterr().err
