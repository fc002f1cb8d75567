from __future__ import annotations

from tools import architecture


def test_the_picture_of_the_house_is_drawn_from_its_imports() -> None:
    text = architecture.DOCUMENT.read_text()
    assert "```mermaid\n" in text
    assert architecture.document(text) == text, "make pictures draws it anew"
