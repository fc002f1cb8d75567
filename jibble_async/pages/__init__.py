"""Pages to look at: one HTML document each, without scripts, which loads nothing.

All of them extend `shell.html`: its head, its colours by day and night, its paper. Templates are
Jinja2's, with every value escaped; the extra `cli` has it.
"""

from __future__ import annotations

from jibble_async.pages.rendering import render, require_templates
from jibble_async.pages.words import Html, clean_text, hours_words

__all__ = ["Html", "clean_text", "hours_words", "render", "require_templates"]
