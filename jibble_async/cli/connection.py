"""The client of a command: of the real Jibble, or of a sandbox that lives as long as it does."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from jibble_async.client import JibbleClient
from jibble_async.errors import ConfigurationError
from jibble_async.limits.slots import Unlimited

if TYPE_CHECKING:
    from jibble_async.sandbox import Sandbox

__all__ = ["DEFAULTS", "Common", "Flag", "connect", "make_sandbox"]

# Off unless given: that needs no word in the help, nor an option that says so.
Flag = Annotated[bool, Parameter(negative="", show_default=False)]


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """What every command takes.

    Attributes:
        sandbox: Ask a sandbox inside this program, with made-up people: no account needed.
        json: Print the result as JSON.
    """

    sandbox: Flag = False
    json: Flag = False


DEFAULTS = Common()


@contextlib.asynccontextmanager
async def connect(
    common: Common, since: date | None = None, until: date | None = None
) -> AsyncGenerator[JibbleClient]:
    """The client that a command works with.

    Args:
        common: Whether to ask a sandbox; otherwise the environment says whom, and as whom.
        since: The first day that a sandbox should have time entries on.
        until: The last one.

    Raises:
        ConfigurationError: The environment holds no credentials, or a package is missing.
    """
    if not common.sandbox:
        async with JibbleClient.from_env() as client:
            yield client
        return
    period = {} if since is None or until is None else {"since": since, "until": until}
    async with (
        make_sandbox(**period) as box,
        JibbleClient.from_env(box.environment(), limiter=Unlimited()) as client,
    ):
        yield client


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
        raise ConfigurationError('the sandbox needs: pip install "jibble-async[sandbox]"') from None
    return Sandbox(**options)
