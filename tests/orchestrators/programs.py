"""The programs of `examples/orchestrators`, imported where their orchestrator is."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import msgspec
import pytest

from jibble_async import Unlimited
from jibble_async.sandbox import Sandbox

FOLDER = Path(__file__).parents[2] / "examples/orchestrators"


def example(name: str, needs: str | None = None) -> ModuleType:
    """A program, imported; its tests are left out where what it needs is not installed.

    Orchestrators have an environment of their own, since they don't go with what the other tests
    take: `make orchestrators`, where nothing is left out.

    Args:
        name: The module.
        needs: What it is a program of.
    """
    if needs is not None and os.environ.get("ORCHESTRATORS") != "1":
        pytest.skip(
            f"programs of {needs} are tested by make orchestrators", allow_module_level=True
        )
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    with warnings.catch_warnings():
        # What others warn of is no fault of these tests.
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


class Unpaced(Unlimited):
    """No limit, in a block as the shared ones are."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


def settle_in(box: Sandbox, folder: Path, patch: pytest.MonkeyPatch, jobs: Any) -> None:
    """An environment as a worker has it, without credentials, which an orchestrator keeps."""
    for name in [name for name in os.environ if name.startswith("JIBBLE_")]:
        patch.delenv(name)
    for name, text in box.environment().items():
        if name.endswith("_URL"):
            patch.setenv(name, text)
    patch.setenv("JIBBLE_FOLDER", str(folder))
    patch.setenv("XDG_STATE_HOME", str(folder / "state"))
    # Nothing is paced, which would take real time.
    patch.setattr(jobs, "pace", lambda *_: Unpaced())


def rows_of(folder: Path) -> dict[str, bytes]:
    """What a history holds, as its docstring says that it is to be read: lines by their ids."""

    def lines(path: Path) -> Iterator[tuple[str, bytes]]:
        for line in path.read_bytes().splitlines():
            decoded: dict[str, Any] = msgspec.json.decode(line)
            yield decoded["id"], line

    history = folder / "history"
    found: dict[str, bytes] = {}
    for part in sorted(history.glob("0*.jsonl")):
        found.update(lines(part))
    found.update(lines(history / "changed.jsonl"))
    for key in (history / "gone.txt").read_text().split():
        found.pop(key, None)
    return found
