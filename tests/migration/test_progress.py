"""How long requests take where only a rolling quota holds them back."""

from datetime import UTC, datetime, timedelta

import pytest
from jibble_legacy.migration.progress import ends_at, seconds_for

NOW = datetime(2026, 7, 13, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("requests", "used", "hours"),
    [(0, 0, 0), (1, 0, 0), (150, 0, 0), (151, 0, 1), (1020, 0, 6), (1, 149, 0), (1, 150, 1)],
)
def test_each_full_window_costs_a_period(requests, used, hours):
    quota = (150, 3600.0, used)
    assert seconds_for(requests, quota) == hours * 3600
    assert ends_at(NOW, requests, quota) == NOW + timedelta(hours=hours)


def test_where_nobody_counts_nothing_is_waited_for():
    assert seconds_for(1000, None) == 0
