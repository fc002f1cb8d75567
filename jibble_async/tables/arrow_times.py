"""Times as the server writes them to Arrow's: in microseconds, and never rounded."""

from __future__ import annotations

import re
from typing import Any

from jibble_async.tables.columns import Holds
from jibble_async.tables.schema import arrow

__all__ = ["ArrowTimes"]

# Digits beyond microseconds, which are cut off and never rounded.
_BEYOND = (r"(\.\d{6})\d+", r"\1")
_ZONE = (r"(?:Z|[+-]\d\d:?\d\d)$", "")
_PLAIN_ZONE, _ZONE_SIZE = re.compile(r"[+-]\d\d:\d\d"), -6
# A moment without a zone is UTC, and a day its first moment.
_DAY = (r"^(\d{4}-\d\d-\d\d)$", r"\1T00:00:00")
_NO_ZONE = (r"^(\d{4}-\d\d-\d\dT[\d:.]+)$", r"\1Z")


class ArrowTimes:
    """Makes arrays of times.

    Raises:
        ConfigurationError: pyarrow is not installed.
    """

    def __init__(self) -> None:
        self._pa, self._compute = arrow(), arrow("pyarrow.compute")

    def column(self, sent: Any, holds: Holds) -> Any:
        """An array of days, moments or clocks, cut to microseconds.

        Args:
            sent: Texts, or moments in nanoseconds.
            holds: What they are.

        Raises:
            ValueError: One of them is none; Arrow's errors are.
        """
        pa, replace = self._pa, self._compute.replace_substring_regex
        if holds is Holds.DAY:
            return sent.cast(pa.date32())
        zone = "UTC" if holds is Holds.MOMENT else None
        kind = pa.timestamp("us", zone)
        if pa.types.is_timestamp(sent.type):
            return self._cut(sent, kind)
        texts = sent if zone else self._without_zone(sent)
        try:
            moments = texts.cast(pa.timestamp("ns", zone))
        except pa.ArrowInvalid:
            for each in (_DAY, _BEYOND, *([_NO_ZONE] if zone else [])):
                texts = replace(texts, *each)
            return texts.cast(kind)
        return self._cut(moments, kind)

    def _cut(self, moments: Any, kind: Any) -> Any:
        """Nanoseconds as microseconds, never rounded up: before 1970 a mere cut would do that."""
        first = self._compute.min(moments).value
        if first is not None and first < 0:
            moments = self._compute.floor_temporal(moments, unit="microsecond")
        return moments.cast(kind, safe=False)

    def _without_zone(self, texts: Any) -> Any:
        """Texts of moments without their zones: where all have the same form, it is cut off."""
        ends = self._compute.utf8_slice_codeunits(texts, _ZONE_SIZE, None).unique()
        if all(end is None or _PLAIN_ZONE.fullmatch(end) for end in ends.to_pylist()):
            return self._compute.utf8_slice_codeunits(texts, 0, _ZONE_SIZE)
        return self._compute.replace_substring_regex(texts, *_ZONE)
