"""Programs of the system, and engines, that tests run where they are."""

from __future__ import annotations

import importlib
import os
import shutil
import warnings
from types import ModuleType
from typing import NoReturn

import pytest


def program(name: str, package: str | None = None) -> str:
    """Where a program is; without it the test is left out, but not in CI.

    Args:
        name: What it is called.
        package: Debian's package that has it, if that is called otherwise.
    """
    found = shutil.which(name)
    if found is None:
        _leave_out(f"{name} is not installed (Debian: apt install {package or name})")
    return found


def engine(name: str, extra: str) -> ModuleType:
    """A package that only `make engines` installs, imported; without it the tests are left out, but
    not in CI.

    For a whole module of tests, `dlt = engine("dlt", "dlt")` before any import of what needs it.

    Args:
        name: What it is imported as, such as `pyspark.sql`.
        extra: The extra that brings it.
    """
    try:
        with warnings.catch_warnings():
            # What an engine does with others' packages is no fault of these tests.
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError as error:
        _leave_out(f"{error.name or name} is not installed (make engines, or the extra {extra})")


def _leave_out(missing: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{missing}, and CI must not skip this test")
    pytest.skip(missing, allow_module_level=True)
