"""Records that show nobody what they hold: bodies, tokens, headers, and what was asked for."""

from __future__ import annotations

from typing import Any

import msgspec
from multidict import CIMultiDict

__all__ = ["Headers", "Opaque"]


class Opaque(msgspec.Struct, eq=False):
    """A record whose fields stay out of its repr, and of what rich prints of it."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    # Without it, rich would show every field of a struct.
    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class Headers(CIMultiDict[str]):
    """Headers whose values no debugger, log or error report shows as a local variable."""

    def __repr__(self) -> str:
        return f"<Headers {', '.join(self)}>"
