"""The checklist of `docs/comparison.md`: its rows, its words, and what they link to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

PAGE = ROOT / "docs/comparison.md"
COLUMNS = ["openai", "stripe", "azure-core", "githubkit", "botocore", "cognite-sdk"]
CELLS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ")
]
ROWS = [cells for cells in CELLS if cells[0].isdigit()]
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """What the headings of a page are linked to by."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", head.lower()) for head in heads]
    return {head.replace(" ", "-") for head in plain}


def test_there_are_43_rows_each_with_an_answer_of_everybody() -> None:
    assert [int(cells[0]) for cells in ROWS] == list(range(1, 44))
    assert CELLS[0] == ["#", "what a user checks", *COLUMNS, "jibble-async"]
    assert len({cells[1] for cells in ROWS}) == 43
    for cells in ROWS:
        assert len(cells) == 9, cells
        for cell in cells[2:]:
            assert re.fullmatch(r"(yes|no|part)(: .+)?|-|\?", cell), cells


def test_ours_says_where_to_look_and_no_only_for_what_is_another_issues() -> None:
    for cells in ROWS:
        ours = cells[-1]
        assert re.match(r"yes: .|no: issue [IJ]\b", ours), cells
        assert LINK.search(ours) or "`" in ours, cells


@pytest.mark.parametrize("target", sorted({*LINK.findall(PAGE.read_text())}))
def test_a_link_leads_somewhere(target: str) -> None:
    if target.startswith("https://"):
        return
    name, _, anchor = target.partition("#")
    page = (PAGE.parent / name).resolve()
    assert page.is_file(), target
    assert not anchor or anchor in anchors(page), (target, sorted(anchors(page)))


def test_a_command_names_a_file_that_is_there() -> None:
    for command in re.findall(r"`pytest ([^`]+)`", PAGE.read_text()):
        assert (ROOT / command).is_file(), command
