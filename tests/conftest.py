"""What all tests share: hypothesis that finds the same examples on every run, and virtual time."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Generator, Mapping

import pytest
from hypothesis import HealthCheck, settings

from tests.support.chaos import examples
from tests.support.made_up import made_up_once
from tests.support.virtual_time import VirtualTimeLoop

settings.register_profile(
    "repeatable",
    examples(100),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")


def pytest_collection_finish() -> None:
    """Spare the garbage collector the tests themselves, which live to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def made_up() -> Generator[None]:
    """Sandboxes that are made alike get copies of the same time entries."""
    with made_up_once():
        yield


@pytest.fixture(autouse=True, scope="session")
def unsynced() -> Generator[None]:
    """Nobody cuts the power in the middle of a test: files are not forced to the disk."""
    with pytest.MonkeyPatch.context() as patch:
        # A descriptor that can't be used is refused still.
        patch.setattr(os, "fsync", os.fstat)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let xdist send what a test printed and logged, whatever that is."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of a test that is a coroutine."""
    real = item.get_closest_marker("real_time") is not None
    return {"real": asyncio.SelectorEventLoop} if real else {"virtual": VirtualTimeLoop}
