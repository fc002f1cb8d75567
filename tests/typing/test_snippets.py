"""The Python of the documentation as a reader's editor sees it: both checkers, as most have them.

mypy as it is, and pyright in its *basic* mode, which is what editors begin with: there a value
that may be None can't be used as if it weren't.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.docs.blocks import Block, blocks
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
# What a block that is not run is a part of.
AROUND = """\
from datetime import date, datetime
from typing import Any
from jibble_legacy import LegacyClient
from jibble_async import *
jibble: JibbleClient
legacy: LegacyClient
person: Person
project: Project
since: date
until: date
moment: datetime
key_id: str
secret: str
"""
# The types of others are read where they are cheap to read.
MYPY = """\
[mypy]
mypy_path = {0}:{0}/legacy
ignore_missing_imports = True
check_untyped_defs = True
[mypy-duckdb.*,numpy.*,pandas.*,polars.*,pyarrow.*,deltalake.*,pyiceberg.*,fastapi.*,litestar.*]
follow_imports = skip
[mypy-pydantic.*,sqlalchemy.*,opentelemetry.*,matplotlib.*,prometheus_client.*]
follow_imports = skip
"""
PYRIGHT = {
    "typeCheckingMode": "basic",
    "extraPaths": [str(ROOT), str(ROOT / "legacy")],
    # Some of what blocks need is not installed everywhere.
    "reportMissingImports": False,
    "reportMissingModuleSource": False,
}

pytestmark = pytest.mark.type_checkers


def module_of(block: Block) -> str:
    """A module in which a block may await, as it may where it is run."""
    head = "" if block.runs else AROUND
    tree = ast.parse(block.text)
    given = [node for node in tree.body if isinstance(node, ast.ImportFrom | ast.Import)]
    imports = "\n".join(ast.unparse(node) for node in given)
    return f"{head}{imports}\nasync def block() -> None:\n{textwrap.indent(block.text, '    ')}"


# Both must find what is wrong with this one, and nothing else.
WRONG = Block("wrong", 0, "some = await jibble.people.by_email('a')\nprint(some.id)\n", runs=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("snippets")
    for block in [*blocks(), WRONG]:
        name = "".join(each if each.isalnum() else "_" for each in str(block))
        (made / f"{name}.py").write_text(f"# {block}\n{module_of(block)}")
    return made


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


def test_mypy(folder: Path) -> None:
    config = folder / "mypy.ini"
    config.write_text(MYPY.format(ROOT))
    cache = ROOT / ".mypy_cache" / "snippets"
    options = ["--no-error-summary", f"--cache-dir={cache}", f"--config-file={config}", "."]
    (only,) = run(folder, "mypy", *options).splitlines()
    assert only.startswith("wrong_0.py")


def test_pyright(folder: Path) -> None:
    (folder / "pyrightconfig.json").write_text(json.dumps(PYRIGHT))
    output = run(folder, "basedpyright", "--pythonpath", sys.executable, "--outputjson", "-p", ".")
    found = [
        (Path(item["file"]).name, item["range"]["start"]["line"] + 1, item["message"])
        for item in json.loads(output)["generalDiagnostics"]
        if item["severity"] == "error"
    ]
    assert [each[0] for each in found] == ["wrong_0.py"], found
