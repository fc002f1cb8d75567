"""The client of a command: of the real Jibble, or of a sandbox that lives as long as it does."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Generator, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeGuard

from cyclopts import Group, Parameter

from jibble_async.cli.exit_codes import SetupError
from jibble_async.cli.forms import Form
from jibble_async.cli.notify import PingURL
from jibble_async.errors import ConfigurationError

# What asks is loaded by who asks: reading a command line, or showing help, takes none of it.
if TYPE_CHECKING:
    from jibble_legacy import LegacyClient

    from jibble_async.client import JibbleClient
    from jibble_async.sandbox import Sandbox

__all__ = [
    "COMMON",
    "DEFAULTS",
    "DEFAULT_OPTIONS",
    "Common",
    "Flag",
    "RunOptions",
    "Several",
    "connect",
    "connect_either",
    "connect_named",
    "connect_profiles",
    "importing_sandbox",
    "is_current",
    "make_sandbox",
    "open_current",
    "open_legacy",
    "options_of",
    "refuse_legacy",
    "setting_up",
]

# Off unless given: that needs no word in the help, nor an option that says so.
Flag = Annotated[bool, Parameter(negative="", show_default=False)]
# What may be given several times; a bare tuple would offer an option that empties it.
Several = Annotated[tuple[str, ...], Parameter(negative="", show_default=False)]

COMMON = Group("Common options", sort_key=99)
"""What every command takes stands below what only this one does."""


@Parameter(name="*", group=COMMON)
@dataclass(frozen=True)
class RunOptions:
    """What every command takes, whomever it asks.

    Attributes:
        output: As table, csv, jsonl, json or id.
        json: The same as -o json.
        quiet: Print ids, and say nothing but errors.
        verbose: Log what goes on; -vv more of it.
        log_file: Append what goes on to this file.
        notify: Ping this at the end, /CODE behind it if it failed.
    """

    output: Annotated[Form | None, Parameter(alias="-o", metavar="FORM", show_choices=False)] = None
    json: Annotated[bool, Parameter(negative="", show=False)] = False
    quiet: Annotated[bool, Parameter(alias="-q", negative="", show_default=False)] = False
    verbose: Annotated[int, Parameter(alias="-v", count=True, show_default=False)] = 0
    log_file: Path | None = None
    notify: PingURL | None = None

    @property
    def form(self) -> Form | None:
        """What results are printed as; None for what suits a terminal, or a pipe."""
        if self.output is not None:
            return self.output
        return "json" if self.json else "id" if self.quiet else None


DEFAULT_OPTIONS = RunOptions()


@Parameter(name="*", group=COMMON)
@dataclass(frozen=True)
class Common(RunOptions):
    """What every command takes that asks a Jibble.

    Attributes:
        sandbox: Ask made-up people in this program: no account needed.
        legacy: Ask the old API, where it can do this.
        profiles: Whose credentials: a profile by its name.
    """

    sandbox: Flag = False
    legacy: Flag = False
    profiles: Annotated[
        tuple[str, ...], Parameter(name=("--profile", "-p"), negative="", show_default=False)
    ] = ()

    @property
    def profile(self) -> str | None:
        """The one profile that is named, if any.

        Raises:
            ConfigurationError: There are several, or one for a sandbox.
        """
        if self.sandbox and self.profiles:
            raise ConfigurationError("--sandbox is an organisation of its own: leave -p out")
        if len(self.profiles) > 1:
            raise ConfigurationError("this asks one organisation: give -p once")
        return self.profiles[0] if self.profiles else None


DEFAULTS = Common()


def options_of(arguments: Iterable[object]) -> RunOptions:
    """What a command was told of how it is to be run.

    Args:
        arguments: What it is called with; also those of which it is a part.
    """
    held = (part for each in arguments for part in (each, *getattr(each, "__dict__", {}).values()))
    return next((part for part in held if isinstance(part, RunOptions)), DEFAULTS)


@contextlib.asynccontextmanager
async def connect(
    common: Common, since: date | None = None, until: date | None = None
) -> AsyncGenerator[JibbleClient]:
    """The client of a command that only the current API can do; see `connect_either`.

    Raises:
        ConfigurationError: As there, or the old API is to be asked.
    """
    refuse_legacy(common)
    async with connect_either(common, since, until) as client:
        assert is_current(client)
        yield client


@contextlib.asynccontextmanager
async def connect_named(common: Common) -> AsyncGenerator[tuple[str, JibbleClient]]:
    """The client of one organisation, with the name of its profile; see `connect_profiles`.

    Raises:
        ConfigurationError: As there, or several profiles are named.
    """
    given = common.profile
    async with connect_profiles(common) as clients:
        assert given is None or clients[0][0] == given
        yield clients[0]


@contextlib.asynccontextmanager
async def connect_profiles(
    common: Common, since: date | None = None, until: date | None = None
) -> AsyncGenerator[list[tuple[str, JibbleClient]]]:
    """The clients of a command that may ask several organisations, each with its profile's name.

    Without `-p` there is one; its name is empty if it is no profile's.

    Args:
        common: Whom to ask.
        since: The first day that a sandbox should have time entries on.
        until: The last one.

    Raises:
        ConfigurationError: One can't be asked, or is named twice.
    """
    twice = [name for name in common.profiles if common.profiles.count(name) > 1]
    if twice:
        raise ConfigurationError(f"-p {twice[0]} is given twice: leave one out")
    refuse_legacy(common)
    if common.sandbox:
        async with connect(common, since, until) as client:
            yield [("", client)]
        return
    async with contextlib.AsyncExitStack() as stack:
        yield [await open_current(stack, each) for each in common.profiles or (None,)]


@contextlib.asynccontextmanager
async def connect_either(
    common: Common,
    since: date | None = None,
    until: date | None = None,
    timezone: str | None = None,
) -> AsyncGenerator[JibbleClient | LegacyClient]:
    """The client that a command works with which either API can do.

    The old API's limit is counted in a file, since it holds over several runs.

    Args:
        common: Whether to ask a sandbox, or the old API, and as whom.
        since: The first day that a sandbox should have time entries on.
        until: The last one.
        timezone: Where people work; for the old API, which does not know.

    Raises:
        SetupError: There are no credentials, they can't be used, or a package is missing.
        ConfigurationError: The zone can't be used, or several profiles are named.
    """
    if timezone is not None and not common.legacy:
        raise ConfigurationError(
            "--timezone is for --legacy: the current API knows the working days"
        )
    given = common.profile
    async with contextlib.AsyncExitStack() as stack:
        if common.sandbox:
            days = {} if since is None or until is None else {"since": since, "until": until}
            box = await stack.enter_async_context(make_sandbox(**days))
            client = _sandboxed(box, legacy=common.legacy, timezone=timezone)
            yield await stack.enter_async_context(client)
        elif common.legacy:
            yield await open_legacy(stack, given, timezone)
        else:
            _, client = await open_current(stack, given)
            yield client


async def open_current(
    stack: contextlib.AsyncExitStack, given: str | None
) -> tuple[str, JibbleClient]:
    """A client of the current API, with the name of its profile, empty if it has none.

    Args:
        stack: What closes it.
        given: The profile that the command line names.

    Raises:
        SetupError: There are no credentials, or they can't be used.
    """
    from jibble_async.cli.paces import paces
    from jibble_async.cli.profile_files import environment_for
    from jibble_async.client import JibbleClient

    name, environment = await environment_for("current", given)
    with setting_up():
        limiters = paces(environment)
        client = JibbleClient.from_env(environment, limiter=limiters)
    for limiter in limiters.values():
        await stack.enter_async_context(contextlib.aclosing(limiter))
    return name, await stack.enter_async_context(client)


async def open_legacy(
    stack: contextlib.AsyncExitStack, given: str | None, timezone: str | None = None
) -> LegacyClient:
    """A client of the old API, whose requests are counted over all runs.

    Args:
        stack: What closes it.
        given: The profile that the command line names.
        timezone: Where people work.

    Raises:
        SetupError: There are no credentials, or they can't be used.
        ConfigurationError: The zone can't be used.
    """
    from jibble_legacy import LegacyClient

    from jibble_async.cli.legacy_limit import TellingWindow, window_path
    from jibble_async.cli.profile_files import environment_for

    _, environment = await environment_for("legacy", given)
    with setting_up():
        window = TellingWindow(window_path(environment))
    await stack.enter_async_context(contextlib.aclosing(window))
    client = LegacyClient.from_env(environment, limiter=window, timezone=timezone)
    return await stack.enter_async_context(client)


def _sandboxed(box: Sandbox, *, legacy: bool, timezone: str | None) -> JibbleClient | LegacyClient:
    from jibble_async.limits.slots import Unlimited

    if legacy:
        from jibble_legacy import LegacyClient

        return LegacyClient.from_env(box.environment(), limiter=Unlimited(), timezone=timezone)
    from jibble_async.client import JibbleClient

    return JibbleClient.from_env(box.environment(), limiter=Unlimited())


@contextlib.contextmanager
def setting_up() -> Generator[None]:
    """What can't be used within it is this machine's set-up, not what was asked for.

    Raises:
        SetupError: Instead of any other error of configuration.
    """
    try:
        yield
    except ConfigurationError as error:
        raise SetupError(str(error)) from None


def is_current(client: JibbleClient | LegacyClient) -> TypeGuard[JibbleClient]:
    """Whether a client is one of the current API."""
    from jibble_async.client import JibbleClient

    return isinstance(client, JibbleClient)


def refuse_legacy(common: Common) -> None:
    """Raise for a command that the old API can't do.

    Raises:
        ConfigurationError: The old API is to be asked.
    """
    if common.legacy:
        raise ConfigurationError(
            "the old API can't do this: --legacy is for people list, clock status, and list and "
            "export of time-entries, people, activities, clients and organizations"
        )


def make_sandbox(**options: Any) -> Sandbox:
    """A sandbox with these options.

    Raises:
        SetupError: A package that it needs is missing.
    """
    with importing_sandbox():
        from jibble_async.sandbox import Sandbox
    return Sandbox(**options)


@contextlib.contextmanager
def importing_sandbox() -> Generator[None]:
    """What is imported within it is of the sandbox, which takes packages of its own.

    Raises:
        SetupError: One of them is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("jibble_async"):
            raise
        raise SetupError('the sandbox needs: pip install "jibble-async[sandbox]"') from None
