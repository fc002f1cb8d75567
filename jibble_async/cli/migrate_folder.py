"""The migration that a command works on: its folder, and the two accounts or a rehearsal's."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from jibble_legacy import LegacyClient
from jibble_legacy.migration import Migration
from jibble_legacy.migration.ledger.opening import make_folder
from jibble_legacy.migration.progress import OnProgress, silent
from jibble_legacy.migration.status import LEDGER

from jibble_async.cli.connection import (
    DEFAULT_OPTIONS,
    Flag,
    RunOptions,
    importing_sandbox,
    open_current,
    open_legacy,
)
from jibble_async.cli.forms import Form
from jibble_async.client import JibbleClient
from jibble_async.errors import ConfigurationError
from jibble_async.limits.slots import Unlimited

__all__ = ["DEFAULTS", "Place", "open_migration"]

_REHEARSAL = "sandbox.jsonl"
_SANDBOX = "sandbox"


@Parameter(name="*")
@dataclass(frozen=True)
class Place:
    """What every step takes.

    Attributes:
        folder: Where the migration is kept: its ledger, the files to fill in, and the report.
        sandbox: Rehearse: ask two made-up accounts, which are kept in the folder.
        profile: Whose credentials, of both APIs: a profile by its name.
        options: What every command takes.
    """

    folder: Path = Path("migration")
    sandbox: Flag = False
    profile: Annotated[str | None, Parameter(name=("--profile", "-p"))] = None
    options: RunOptions = DEFAULT_OPTIONS

    @property
    def form(self) -> Form | None:
        """What the result is printed as; None for what suits a terminal, or a pipe."""
        return self.options.form

    @property
    def journal(self) -> Path:
        """What a rehearsal's accounts are kept in."""
        return self.folder / _REHEARSAL

    def require_kind(self) -> None:
        """Refuse to go on with a rehearsal for real, and the other way round.

        Raises:
            ConfigurationError: That is what was asked for.
        """
        if not self.sandbox and self.journal.exists():
            raise ConfigurationError(
                f"{self.folder} is a rehearsal: add --sandbox, or name another folder by --folder"
            )
        if self.sandbox and not self.journal.exists() and (self.folder / LEDGER).exists():
            raise ConfigurationError(
                f"{self.folder} is no rehearsal: name another folder by --folder, or leave "
                "--sandbox away"
            )


DEFAULTS = Place()


@contextlib.asynccontextmanager
async def open_migration(
    place: Place,
    *,
    source: bool = False,
    target: bool = False,
    on_progress: OnProgress = silent,
) -> AsyncGenerator[Migration]:
    """The migration in a folder, with the clients that a step needs.

    Args:
        place: What the command line says.
        source: Whether the step asks the old account.
        target: Whether it asks the new one.
        on_progress: Called with what the step has done so far.

    Raises:
        ConfigurationError: The environment holds no credentials, or the folder is of another kind.
    """
    place.require_kind()
    async with contextlib.AsyncExitStack() as stack:
        if place.sandbox:
            if place.profile is not None:
                raise ConfigurationError("a rehearsal has accounts of its own: leave -p out")
            rehearsed = await _rehearsed(stack, place)
            old = LegacyClient.from_env(rehearsed, limiter=Unlimited()) if source else None
            new = JibbleClient.from_env(rehearsed, limiter=Unlimited()) if target else None
            for client in (old, new):
                if client is not None:
                    await stack.enter_async_context(client)
        else:
            old = await open_legacy(stack, place.profile) if source else None
            new = (await open_current(stack, place.profile))[1] if target else None
        base = _SANDBOX if place.sandbox else None
        yield Migration(
            place.folder,
            source=old,
            target=new,
            source_base=base,
            target_base=base,
            on_progress=on_progress,
        )


async def _rehearsed(stack: contextlib.AsyncExitStack, place: Place) -> dict[str, str]:
    """The environment of the rehearsal's accounts, which live as long as the command does."""
    with importing_sandbox():
        from jibble_async.sandbox import kept_sandbox
    make_folder(place.folder)
    try:
        box = kept_sandbox(place.journal)
    except ValueError as error:
        raise ConfigurationError(f"{error}: name another folder by --folder") from None
    await stack.enter_async_context(box)
    return box.environment()
