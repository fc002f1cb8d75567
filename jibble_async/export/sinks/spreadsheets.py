"""What a spreadsheet would run as a formula, and what stops it."""

from __future__ import annotations

import re

__all__ = [
    "FORMULA_STARTS",
    "UTF8_MARK",
    "may_separate",
    "safe_behind_separators",
    "spreadsheet_safe",
]

# Without it Excel takes a file for one in the machine's old code page, and `Zoë` for `ZoÃ«`.
UTF8_MARK = b"\xef\xbb\xbf"
# What spreadsheets take for the beginning of a formula, the full-width forms included.
_OPERATORS = "=+@\uff1d\uff0b\uff0d\uff20-"
FORMULA_STARTS = frozenset(f"{_OPERATORS}\t\r\n")
# Where lists are separated by a semicolon, Excel splits records there, quotes or not, since a quote
# behind a comma begins no cell for it; a line break then begins a record. A comma splits only
# where the quotes count.
_FORMULA_WITHIN = re.compile(f"([;|\\t\\r\\n])(?=[{_OPERATORS}])")


def spreadsheet_safe(text: str) -> str:
    """A text with `'` wherever a spreadsheet would begin a formula, whatever separates its cells.

    Args:
        text: What goes into one cell.
    """
    text = safe_behind_separators(text)
    return "'" + text if text[:1] in FORMULA_STARTS else text


def safe_behind_separators(text: str) -> str:
    """The same within the text, but not at its beginning."""
    # To find none is many times as quick as to replace none.
    return _FORMULA_WITHIN.sub(r"\1'", text) if _FORMULA_WITHIN.search(text) else text


def may_separate(raw: bytes) -> bool:
    """Whether a text of some JSON may hold what separates cells: a line break is an escape."""
    return b";" in raw or b"|" in raw or b"\\" in raw
