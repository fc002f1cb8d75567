"""`jibble sandbox`: a local Jibble for other programs."""

from __future__ import annotations

import asyncio
import os
from datetime import date
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from jibble_async.cli.connection import DEFAULTS, Common, make_sandbox, refuse_legacy
from jibble_async.cli.output import say, show_json, show_lines
from jibble_async.cli.shells import Shell, assignment, shell_of
from jibble_async.errors import ConfigurationError
from jibble_async.query.days import require_span

__all__ = ["sandbox"]


async def sandbox(
    *,
    port: Annotated[int, Parameter(validator=Number(gte=0, lte=65535))] = 0,
    people: Annotated[int, Parameter(validator=Number(gte=1))] = 100,
    since: date = date(2026, 7, 1),
    until: date = date(2026, 9, 30),
    seed: int = 7,
    shell: Shell | None = None,
    common: Common = DEFAULTS,
) -> None:
    """Run a local Jibble with made-up people until Ctrl-C.

    Args:
        port: The TCP port on 127.0.0.1; 0 takes a free one.
        people: Size of the organisation.
        since: First day that has time entries.
        until: Last day that has time entries.
        seed: Equal seeds give equal organisations.
        shell: Whose lines to print; by default that of this terminal.
        common: What every command takes.
    """
    refuse_legacy(common)
    require_span(since, until)
    box = make_sandbox(port=port, people=people, since=since, until=until, seed=seed)
    try:
        await box.start()
    except OSError as error:
        await box.aclose()
        raise ConfigurationError(f"can't listen on port {port}: {error.strerror}") from None
    try:
        environment = box.environment()
        if common.form in {"json", "jsonl"}:
            show_json({"url": box.url, "environment": environment}, common.form)
        elif common.form == "id":
            show_lines([box.url])
        else:
            reader = shell or shell_of(os.environ)
            show_lines(assignment(reader, name, value) for name, value in environment.items())
        say(f"a sandbox is at {box.url} until you press Ctrl-C")
        await asyncio.Event().wait()
    finally:
        await box.aclose()
