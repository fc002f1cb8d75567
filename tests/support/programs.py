"""Programs of the system that tests run, where they are."""

from __future__ import annotations

import os
import shutil

import pytest


def program(name: str, package: str | None = None) -> str:
    """Where a program is; without it the test is left out, but not in CI.

    Args:
        name: What it is called.
        package: Debian's package that has it, if that is called otherwise.
    """
    found = shutil.which(name)
    if found is None:
        missing = f"{name} is not installed (Debian: apt install {package or name})"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{missing}, and CI must not skip this test")
        pytest.skip(missing)
    return found
