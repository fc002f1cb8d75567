"""Somebody who decides what `plan` can't: fills in the files as a spreadsheet leaves them."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable
from pathlib import Path

Line = dict[str, str]


def decide(folder: Path, *, apart: bool = False) -> int:
    """Answer every question of the files, and say how many there were.

    Args:
        folder: Where they are.
        apart: Whether a human who was in two teams at once becomes two people.
    """
    people, things = 0, 0
    seen: dict[str, str] = {}

    def person(line: Line) -> None:
        nonlocal people
        if line["decision"] or not line["question"]:
            return
        people += 1
        line.update(_answer(line, seen, apart=apart))

    def thing(line: Line) -> None:
        nonlocal things
        if not line["new_name"] and line["question"]:
            things += 1
            line["new_name"] = "-"

    edit(folder / "people.csv", person)
    edit(folder / "activities.csv", thing)
    edit(folder / "clients.csv", thing)
    return people + things


def edit(path: Path, change: Callable[[Line], None], *, semicolons: bool = True) -> None:
    """Change the lines of a file, and save it as Excel does in most of Europe.

    Args:
        path: The file; nothing is done if it isn't there.
        change: Called with each line.
        semicolons: Whether they part the cells, in UTF-16, in another order of lines.
    """
    if not path.exists():
        return
    content = path.read_bytes()
    text = content.decode("utf-16" if content.startswith(codecs.BOM_UTF16) else "utf-8-sig")
    head = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",")
    lines = list(reader)
    heads = list(reader.fieldnames or ())
    for line in lines:
        change(line)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, heads, delimiter=";" if semicolons else ",")
    writer.writeheader()
    writer.writerows(reversed(lines) if semicolons else lines)
    path.write_bytes(out.getvalue().encode("utf-16" if semicolons else "utf-8-sig"))


def _answer(line: Line, seen: dict[str, str], *, apart: bool) -> Line:
    question, name = line["question"], line["old_name"]
    if question.startswith("left"):
        return {"decision": "create-and-remove", "new_name": f"Former {line['old_id'][3:]}"}
    if question.startswith("two member rows"):
        first = seen.setdefault(name, line["old_id"])
        if first == line["old_id"]:
            return {"decision": "match", "new_person": line["old_email"]}
        if apart:
            return {"decision": "create", "new_name": f"{name} II"}
        return {"decision": "match", "new_person": first}
    if question.startswith("was removed"):
        return {"decision": "match", "new_person": line["old_email"]}
    return {"decision": "create", "new_name": name or f"Unknown {line['old_id'][3:]}"}
