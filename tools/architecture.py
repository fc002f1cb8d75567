"""Draws `docs/architecture.md`'s picture from the imports: `python -m tools.architecture`."""

from __future__ import annotations

import sys
from pathlib import Path

import grimp

__all__ = ["DOCUMENT", "document", "picture"]

DOCUMENT = Path(__file__).parents[1] / "docs" / "architecture.md"
_PACKAGES = ("jibble_async", "jibble_legacy")
_BEGIN, _END = "```mermaid\n", "```\n"


def picture() -> str:
    """The rooms of both packages and who imports whom, as a Mermaid flow chart.

    An arrow that follows from two others is left out: what is above may import all that can be
    reached from it.
    """
    rooms = _imports()
    reached = {room: _reached(rooms, room) for room in rooms}
    lines = ["flowchart TD"]
    for room in sorted(rooms):
        direct = rooms[room]
        kept = [to for to in direct if not any(to in reached[via] for via in direct - {to})]
        lines += [f"    {room} --> {to}" for to in sorted(kept)]
    alone = set(rooms) - {each for line in lines for each in line.split()}
    return "\n".join([*lines, *(f"    {room}" for room in sorted(alone))]) + "\n"


def document(text: str) -> str:
    """The document with its picture drawn anew.

    Args:
        text: The document.
    """
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{picture()}{_END}{after}"


def _imports() -> dict[str, set[str]]:
    """Each room, and the rooms that it imports from when it is imported or later."""
    graph = grimp.build_graph(*_PACKAGES, exclude_type_checking_imports=True, cache_dir=None)
    rooms: dict[str, set[str]] = {}
    for module in graph.modules:
        room = _room(module)
        if room is not None:
            targets = map(_room, graph.find_modules_directly_imported_by(module))
            rooms.setdefault(room, set()).update(to for to in targets if to not in (None, room))
    return rooms


def _room(module: str) -> str | None:
    """The part of the house that a module is in; None for the package that only names names."""
    package, *inside = module.split(".")
    if package == "jibble_legacy":
        return package
    return inside[0] if inside else None


def _reached(rooms: dict[str, set[str]], room: str) -> set[str]:
    found: set[str] = set()
    left = [*rooms[room]]
    while left:
        each = left.pop()
        if each not in found:
            found.add(each)
            left += rooms[each]
    return found


if __name__ == "__main__":
    text = DOCUMENT.read_text()
    if "--check" in sys.argv[1:] and document(text) != text:
        sys.exit("docs/architecture.md is not as the imports are: python -m tools.architecture")
    DOCUMENT.write_text(document(text))
