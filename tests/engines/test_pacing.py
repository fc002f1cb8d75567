"""What a setting says of a quota that programs share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jibble_async import (
    ConfigurationError,
    RedisAdaptive,
    RedisWindow,
    SharedAdaptive,
    SharedWindow,
)
from jibble_async.integrations.pacing import limiter_at


@pytest.mark.parametrize(
    ("where", "options", "kind"),
    [
        ("redis://host:6379/0", {}, RedisAdaptive),
        ("rediss://host:6379/0", {"limit": 60, "per": 60.0, "workers": 3}, RedisWindow),
        ("folder", {}, SharedAdaptive),
        ("folder", {"limit": 60, "per": 60.0}, SharedWindow),
    ],
)
def test_a_place_makes_a_limiter(
    where: str, options: dict[str, Any], kind: type[Any], tmp_path: Path
) -> None:
    place = where if "://" in where else str(tmp_path / where)
    made: Any = limiter_at(place, "time-tracking-1", **options)
    assert type(made) is kind
    if "://" not in where:
        assert made.path == tmp_path / where / "time-tracking-1.db"


@pytest.mark.parametrize(
    ("where", "options", "says"),
    [
        ("http://host", {}, "redis://"),
        (" ", {}, "redis://"),
        ("folder", {"limit": 60}, "go together"),
        ("folder", {"per": 60.0}, "go together"),
        ("folder", {"limit": 0, "per": 60.0}, "limit"),
    ],
)
def test_what_is_no_place_is_refused_and_not_shown(
    where: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        limiter_at(where, "key", **options)
