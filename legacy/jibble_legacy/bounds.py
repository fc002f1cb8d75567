"""A lower and an upper bound of a field, which become one operator."""

from __future__ import annotations

from typing import Any

import msgspec

from jibble_async.errors import NotSupportedError
from jibble_async.query.expressions import Constant, Kind, Operator, Path
from jibble_legacy.literals import MILLISECOND, ceiled, floored, literal, shifted

__all__ = ["Bounds"]


class Bounds(msgspec.Struct, frozen=True):
    """What lies between two bounds, either of which may be missing.

    Moments are kept in the milliseconds that the old API has: what is compared with a moment
    between two of them is compared with the one that no row can lie on the wrong side of.

    Attributes:
        kind: The kind of the values.
        low: The lower bound.
        above: Whether the lower bound itself lies outside.
        high: The upper bound.
        below: Whether the upper bound itself lies outside.
    """

    kind: Kind
    # Any, since a field is only compared with values of its own kind.
    low: Any = None
    above: bool = False
    high: Any = None
    below: bool = False

    @classmethod
    def of(cls, operator: Operator, constant: Constant, label: str) -> Bounds:
        """What a comparison leaves.

        Args:
            operator: One of `lt`, `le`, `gt`, `ge`.
            constant: What is compared with.
            label: The field, for the error.

        Raises:
            ConfigurationError: A value that can't be sent.
            NotSupportedError: The old API has no such value.
        """
        up = operator in {"ge", "lt"}
        value = (ceiled if up else floored)(constant.value)
        literal(Constant(value, constant.kind), label)
        if operator in {"gt", "ge"}:
            return cls(constant.kind, low=value, above=operator == "gt")
        return cls(constant.kind, high=value, below=operator == "lt")

    def within(self, other: Bounds) -> Bounds:
        """What lies between the bounds of both."""
        low, above = self.low, self.above
        if low is None or (other.low is not None and (other.low, other.above) > (low, above)):
            low, above = other.low, other.above
        high, below = self.high, self.below
        if high is None or (
            other.high is not None and (other.high, not other.below) < (high, not below)
        ):
            high, below = other.high, other.below
        return Bounds(self.kind, low, above, high, below)

    def render(self, path: Path) -> list[tuple[str, str]]:
        """The operator, with its one or two values.

        Args:
            path: The field, for the error.

        Raises:
            NotSupportedError: Two bounds, one of which lies outside.
        """
        if self.high is None:
            return [("[gt]" if self.above else "[gte]", self._literal(self.low, path))]
        if self.low is None:
            return [("[lt]" if self.below else "[lte]", self._literal(self.high, path))]
        low, high = self.low, self.high
        if (self.above or self.below) and self.kind is not Kind.DATETIME:
            raise NotSupportedError(
                f"the old API's two bounds on {path} both count as inside: use >= and <="
            )
        # No row lies between two milliseconds.
        low = shifted(low, MILLISECOND) if self.above else low
        high = shifted(high, -MILLISECOND) if self.below else high
        return [
            ("[between][0]", self._literal(low, path)),
            ("[between][1]", self._literal(high, path)),
        ]

    def _literal(self, value: Any, path: Path) -> str:
        return literal(Constant(value, self.kind), str(path))
