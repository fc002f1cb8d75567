"""The client of a command: of the real Jibble, or of a sandbox that lives as long as it does."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from jibble_legacy import LegacyClient

from jibble_async.cli.legacy_limit import TellingWindow, window_path
from jibble_async.client import JibbleClient
from jibble_async.errors import ConfigurationError
from jibble_async.limits.slots import RateLimiter, Unlimited

if TYPE_CHECKING:
    from jibble_async.sandbox import Sandbox

__all__ = [
    "DEFAULTS",
    "Common",
    "Flag",
    "connect",
    "connect_either",
    "make_sandbox",
    "refuse_legacy",
]

# Off unless given: that needs no word in the help, nor an option that says so.
Flag = Annotated[bool, Parameter(negative="", show_default=False)]


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """What every command takes.

    Attributes:
        sandbox: Ask a sandbox inside this program, with made-up people: no account needed.
        legacy: Ask the old API, connect.jibble.io, where it can do this.
        json: Print the result as JSON.
    """

    sandbox: Flag = False
    legacy: Flag = False
    json: Flag = False


DEFAULTS = Common()


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
        assert isinstance(client, JibbleClient)
        yield client


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
        common: Whether to ask a sandbox, or the old API; the environment says as whom.
        since: The first day that a sandbox should have time entries on.
        until: The last one.
        timezone: Where people work; for the old API, which does not know.

    Raises:
        ConfigurationError: The environment holds no credentials, a package is missing, or the
            zone can't be used.
    """
    if timezone is not None and not common.legacy:
        raise ConfigurationError(
            "--timezone is for --legacy: the current API knows the working days"
        )
    async with contextlib.AsyncExitStack() as stack:
        environment: Mapping[str, str] = os.environ
        limiter: RateLimiter | None = None
        if common.sandbox:
            days = {} if since is None or until is None else {"since": since, "until": until}
            box = await stack.enter_async_context(make_sandbox(**days))
            environment, limiter = box.environment(), Unlimited()
        elif common.legacy:
            window = TellingWindow(window_path(environment))
            limiter = await stack.enter_async_context(contextlib.aclosing(window))
        if common.legacy:
            yield await stack.enter_async_context(
                LegacyClient.from_env(environment, limiter=limiter, timezone=timezone)
            )
        else:
            yield await stack.enter_async_context(
                JibbleClient.from_env(environment, limiter=limiter)
            )


def refuse_legacy(common: Common) -> None:
    """Raise for a command that the old API can't do.

    Raises:
        ConfigurationError: The old API is to be asked.
    """
    if common.legacy:
        raise ConfigurationError(
            "the old API can't do this: --legacy is for people list, clock status, and export of "
            "time-entries, people, activities, clients and organizations"
        )


def make_sandbox(**options: Any) -> Sandbox:
    """A sandbox with these options.

    Raises:
        ConfigurationError: A package that it needs is missing.
    """
    try:
        from jibble_async.sandbox import Sandbox
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("jibble_async"):
            raise
        raise ConfigurationError('the sandbox needs: pip install ".[sandbox]"') from None
    return Sandbox(**options)
