"""An export that benchmarks have done in several ways."""

from __future__ import annotations

from pathlib import Path

import msgspec

__all__ = ["HEADERS", "Job"]

HEADERS = {"Authorization": "Bearer eyJ" + "x" * 900}


class Job(msgspec.Struct, frozen=True):
    """What is to be exported.

    Attributes:
        base: What the paths of the service stand behind.
        rows: How many rows the set has.
        size: Rows to ask for at a time.
        concurrency: Pages in flight, for ways that can have more than one.
        folder: Where files go.
    """

    base: str
    rows: int
    size: int
    concurrency: int
    folder: Path

    @property
    def query(self) -> dict[str, str]:
        """What is asked for, but the place."""
        return {
            "$count": "true",
            "$expand": "person($select=id,fullName)",
            "$filter": "status ne 'Archived'",
            "$orderby": "id asc",
        }

    @property
    def urls(self) -> list[str]:
        """The pages, for ways that need not find out how many there are."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        start = f"{self.base}/v1/TimeEntries?{query}".replace(" ", "%20")
        places = range(0, self.rows, self.size)
        return [f"{start}&$skip={skip}&$top={self.size}" for skip in places]
