"""`jibble migrate`: the time entries of an old account, moved to a new one step by step."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number
from jibble_legacy.migration import Exit, Migration
from jibble_legacy.migration.writing.lanes import LANES, SETTLE

from jibble_async.cli.connection import Flag
from jibble_async.cli.migrate_folder import DEFAULTS, Place, open_migration
from jibble_async.cli.migrate_shown import Told, show
from jibble_async.cli.output import NotAllDoneError, say, say_error
from jibble_async.errors import ConfigurationError, JibbleError

__all__ = ["migrate"]

migrate: App = App(name="migrate")

Settle = Annotated[float, Parameter(validator=Number(gte=0))]
Lanes = Annotated[int, Parameter(validator=Number(gte=1))]
Words = Annotated[
    tuple[str, ...], Parameter(negative="", consume_multiple=True, show_default=False)
]


@migrate.command
async def estimate(*, place: Place = DEFAULTS) -> None:
    """Say how many entries there are, and how long it takes to read them.

    Args:
        place: What every step takes.
    """
    await _step(place, Migration.estimate, source=True)


@migrate.command
async def extract(*, delta: Flag = False, place: Place = DEFAULTS) -> None:
    """Read the old account into the ledger; goes on where it was ended.

    Args:
        delta: Only what changed since it was read last.
        place: What every step takes.
    """
    await _step(place, lambda migration: migration.extract(delta=delta), source=True)


@migrate.command
async def plan(
    *,
    time_zone: str | None = None,
    trust_zones: Flag = False,
    settle: Settle = SETTLE,
    place: Place = DEFAULTS,
) -> None:
    """Decide who and what goes where, and ask what can't be told in files to fill in.

    Args:
        time_zone: Where people worked of whom people.csv does not say, such as Europe/Berlin.
        trust_zones: People who are in the new account worked in the zones that they have there.
        settle: Seconds after which a write that was not answered can't arrive any more.
        place: What every step takes.
    """
    await _step(
        place,
        lambda migration: migration.plan(
            time_zone=time_zone, trusts_zones=trust_zones, settle=settle
        ),
        target=True,
    )


@migrate.command
async def probe(*, again: Flag = False, settle: Settle = SETTLE, place: Place = DEFAULTS) -> None:
    """Write an entry at the oldest moment, find out what of it is kept, and archive it.

    Args:
        again: Ask again, though that is known.
        settle: Seconds after which a write that was not answered can't arrive any more.
        place: What every step takes.
    """
    await _step(place, lambda migration: migration.probe(again=again, settle=settle), target=True)


@migrate.command
async def apply(
    *,
    plan: str | None = None,
    go: Flag = False,
    lanes: Lanes = LANES,
    settle: Settle = SETTLE,
    only: Words = (),
    accept: Words = (),
    place: Place = DEFAULTS,
) -> None:
    """Show what would be written; with --plan and --go, write it.

    Args:
        plan: The hash of the plan that is meant, as `plan` printed it.
        go: Write.
        lanes: People whose entries are written at a time.
        settle: Seconds after which a write that was not answered may be sent again.
        only: The people whose entries are written, by old id, new id or e-mail address.
        accept: What the probe saw that an entry does not keep and that may differ, such as time.
        place: What every step takes.
    """
    if go and plan is None:
        raise ConfigurationError("--go needs the plan that is meant: --plan and its hash")
    await _step(
        place,
        lambda migration: migration.apply(
            plan=plan, go=go, lanes=lanes, settle=settle, only=only, accept=accept
        ),
        target=True,
    )


@migrate.command
async def verify(
    *,
    source: Literal["delta", "full"] = "delta",
    repair: Flag = False,
    sample: Annotated[int, Parameter(validator=Number(gte=0))] = 12,
    seed: str = "",
    place: Place = DEFAULTS,
) -> None:
    """Compare both accounts, field by field and in both directions, and write the report.

    Args:
        source: How the old account is read again: what changed and a sample, or all of it.
        repair: Archive what was written twice; nothing else is changed.
        sample: Entries that the report shows side by side.
        seed: A word that draws them; by default what was read draws them itself.
        place: What every step takes.
    """
    await _step(
        place,
        lambda migration: migration.verify(source=source, repair=repair, sample=sample, seed=seed),
        source=True,
        target=True,
    )


@migrate.command
async def rollback(
    *, go: Flag = False, lanes: Lanes = LANES, settle: Settle = SETTLE, place: Place = DEFAULTS
) -> None:
    """Show what would be archived; with --go, archive what the ledger wrote, newest first.

    Args:
        go: Archive.
        lanes: People whose entries are archived at a time.
        settle: Seconds after which a write that was not answered can't arrive any more.
        place: What every step takes.
    """
    await _step(
        place,
        lambda migration: migration.rollback(go=go, lanes=lanes, settle=settle),
        target=True,
    )


@migrate.command
async def recover(*, place: Place = DEFAULTS) -> None:
    """Find what a lost ledger wrote, by the marks of the entries: after `extract` into a new one.

    Args:
        place: What every step takes.
    """
    await _step(place, Migration.recover, target=True)


@migrate.command
async def resolve(
    old_id: str,
    *,
    is_: Annotated[str | None, Parameter(name="--is")] = None,
    send_again: Flag = False,
    skip: Flag = False,
    place: Place = DEFAULTS,
) -> None:
    """End what can't be told by your decision.

    Args:
        old_id: The old entry's id.
        is_: The id of the new entry that it is.
        send_again: It did not arrive: send it again.
        skip: Leave it out.
        place: What every step takes.
    """
    if (is_ is not None) + send_again + skip != 1:
        raise ConfigurationError("give one of --is, --send-again and --skip")
    await _step(
        place,
        lambda migration: migration.resolve(old_id, found=is_, send_again=send_again, skip=skip),
        target=True,
    )


@migrate.command
def status(*, place: Place = DEFAULTS) -> None:
    """Say how far it is, and what to do next; asks nobody.

    Args:
        place: What every step takes.
    """
    with _stopping(place):
        place.require_kind()
        told = Migration(place.folder).status()
    show(told, place.form)


@migrate.command
def export_rejects(*, out: Path | None = None, place: Place = DEFAULTS) -> None:
    """Write the entries that can't be moved as they are to rejects.csv, to be mended.

    Args:
        out: A file of another name, to be looked at; `plan` reads rejects.csv alone.
        place: What every step takes.
    """
    with _stopping(place):
        place.require_kind()
        written = Migration(place.folder).export_rejects(out)
    show(written, place.form)


async def _step(
    place: Place,
    step: Callable[[Migration], Awaitable[Any]],
    *,
    source: bool = False,
    target: bool = False,
) -> None:
    """Take a step and show its report; its verdict is the program's exit code.

    Raises:
        NotAllDoneError: The verdict is not clean, or the step could not go on.
    """
    with _stopping(place):
        async with open_migration(
            place, source=source, target=target, on_progress=Told()
        ) as migration:
            report = await step(migration)
    show(report, place.form)
    say(f"next: {migration.status().next}")
    verdict = getattr(report, "exit", 0)
    if verdict:
        raise NotAllDoneError(verdict)


@contextlib.contextmanager
def _stopping(place: Place) -> Generator[None]:
    """What a step could not go on for is said, and told from what was refused or used wrongly."""
    try:
        yield
    except BrokenPipeError:
        raise
    # Some errors of ours are an OSError, too.
    except JibbleError as error:
        say_error(error)
        is_misused = isinstance(error, ConfigurationError)
        raise NotAllDoneError(Exit.MISUSED if is_misused else Exit.STOPPED) from None
    except OSError as error:
        what = error.filename or place.folder
        raise ConfigurationError(
            f"{what} can't be used ({error.strerror or error}): see to it that you may read and "
            "write there, or name another folder by --folder"
        ) from error
