# Written by `make stubs`: change what it is written from instead.
"""The sets that can be exported: those of the resources that say so."""

from typing import Literal, TypeAlias

__all__ = ["SetName"]
SetName: TypeAlias = Literal[
    "activities",
    "clients",
    "groups",
    "locations",
    "organizations",
    "people",
    "projects",
    "time_entries",
]
