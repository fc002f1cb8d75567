"""The Python in the documentation, found and run as a reader would run it."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=indent)```[ ]*$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced piece of Python.

    Attributes:
        page: Where it stands, from the project's folder.
        line: The line of its first statement.
        text: What it says.
        runs: Whether it is to be run, or only compiled.
        needs: The package without which it can't be run; none of the tests' own, where it is named.
    """

    page: str
    line: int
    text: str
    runs: bool
    needs: str | None = None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def compiled(self) -> CodeType:
        """The code; `await` and `async with` may stand outside any function."""
        # Blank lines before it give the lines of the page to errors.
        text = "\n" * (self.line - 1) + self.text
        code: CodeType = compile(
            text, self.page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
        )
        return code

    def run(self) -> None:
        """Run it by itself, in a loop of its own if it awaits anything."""
        code = self.compiled()
        outcome = eval(code, {"__name__": "__main__"})
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)


def blocks_of(page: str, document: str) -> list[Block]:
    """The Python in a page."""
    found: list[Block] = []
    for match in _FENCE.finditer(document):
        language, *marks = match["info"].split()[:2] or [""]
        if language != "python":
            continue
        mark = "".join(marks)
        needs = mark.removeprefix("needs:") if mark.startswith("needs:") else None
        assert needs or mark in {"", "no-run"}, f"{page}: what does {match['info']!r} mean?"
        line = document.count("\n", 0, match.start("text")) + 1
        indent = match["indent"]
        text = re.sub(rf"^{indent}", "", match["text"], flags=re.MULTILINE)
        found.append(Block(page, line, text, runs=mark != "no-run", needs=needs))
    return found


def pages() -> list[tuple[str, str]]:
    """Every page of the documentation, and what it says."""
    paths = [ROOT / "README.md", ROOT / "legacy/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [(str(path.relative_to(ROOT)), path.read_text()) for path in paths]


def blocks() -> list[Block]:
    """The Python in all pages."""
    return [block for page, document in pages() for block in blocks_of(page, document)]
