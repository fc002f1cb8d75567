"""Marks of evidence in the code, such as (documented: token), and the page they lead to."""

from __future__ import annotations

import re

from tests.meta.sources import ROOT, modules

_MARK = r"\(([^()]*\b(?:documented|observed|metadata)\b[^()]*)\)"
_HEADINGS = set(re.findall(r"(?m)^### (.+)$", (ROOT / "docs/sources.md").read_text()))


def _marks() -> list[tuple[str, str]]:
    return [
        (name, " ".join(mark.replace("#", " ").split()))
        for name, path in modules()
        for mark in re.findall(_MARK, path.read_text())
        if "$metadata" not in mark
    ]


def test_every_mark_names_a_heading_of_the_sources() -> None:
    marks = _marks()
    assert len(marks) > 50
    astray = [
        (module, mark)
        for module, mark in marks
        if (found := re.fullmatch(r"(?:documented|observed|metadata): ([\w-]+)", mark)) is None
        or found[1] not in _HEADINGS
    ]
    assert astray == []


def test_every_heading_is_named_somewhere_or_is_of_the_tables() -> None:
    named = {mark.partition(": ")[2] for _, mark in _marks()}
    assert _HEADINGS - named <= {"hosts", "limits", "old-refusals"}


def test_each_promise_of_security_has_a_test_that_exists() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    rows = [line for line in text.partition("## What is promised")[2].splitlines() if "|" in line]
    promises = [row.strip("| ").split(" | ") for row in rows[2:]]
    assert len(promises) > 30
    for promise in promises:
        found = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", promise[1])
        assert found, promise
        assert f"def {found[2]}(" in (ROOT / found[1]).read_text(), promise
