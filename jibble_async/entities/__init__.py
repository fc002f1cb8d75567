"""The vocabulary: what Jibble talks about, whichever of its APIs answers. No I/O.

A name is public if the module that declares it says so. What type checkers and editors read is
`__init__.pyi`, which `make stubs` writes.
"""

from __future__ import annotations

from jibble_async.entities.base import *
from jibble_async.entities.calendars import *
from jibble_async.entities.hour_entries import *
from jibble_async.entities.locations import *
from jibble_async.entities.organization import *
from jibble_async.entities.people import *
from jibble_async.entities.projects import *
from jibble_async.entities.reports import *
from jibble_async.entities.schedules import *
from jibble_async.entities.time_entries import *
from jibble_async.entities.time_off import *
from jibble_async.entities.timesheets import *

__all__ = sorted(name for name in globals() if name[0].isupper())  # pyright: ignore[reportUnsupportedDunderAll]
