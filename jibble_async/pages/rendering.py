"""Templates filled in. Jinja2 is loaded when the first page is made."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from jibble_async.extras import extra
from jibble_async.pages import words

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render", "require_templates"]


def render(template: str, **values: Any) -> str:
    """A page.

    Args:
        template: The name of its template.
        **values: What the template shows; every text is escaped.

    Raises:
        ConfigurationError: Jinja2 is not installed.
    """
    return _environment().get_template(template).render(values)


def require_templates() -> None:
    """Find out whether pages can be made, before work is done for one.

    Raises:
        ConfigurationError: Jinja2 is not installed.
    """
    _environment()


@functools.cache
def _environment() -> Environment:
    jinja2 = extra("jinja2", "cli", "pages")
    made: Environment = jinja2.Environment(
        loader=jinja2.PackageLoader("jibble_async.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters: dict[str, Any] = made.filters
    filters.update(
        clean=words.clean_text,
        hours=words.hours_words,
        minutes=words.minutes_words,
        span=words.span_words,
    )
    return made
