"""Two workers of a web backend, ten users and exports, at a quota that nobody told them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks.limits.simulator import Kind, Server
from benchmarks.limits.workers_model import serve
from jibble_async.limits.adaptive.limiter import AdaptiveLimiter
from jibble_async.limits.slots import RateLimiter
from tests.limits.pacers import Memory


def shared() -> Sequence[RateLimiter]:
    place = Memory()
    return [place.limiter() for _ in range(2)]


@pytest.mark.parametrize("kind", ["aligned", "sliding"])
def test_workers_that_share_find_the_quota_together(kind: Kind) -> None:
    backend = serve(shared, Server(10, 1.0, kind), seed=1, seconds=180)
    assert backend.refused() < 0.015
    assert backend.refused(since=20) < 0.01
    assert backend.used(10, 20, 180) > 0.95
    assert backend.too_long == 0
    assert max(backend.waits) < 1


def test_workers_that_share_are_not_refused_where_headers_tell() -> None:
    backend = serve(shared, Server(10, 1.0, "aligned", headers=True), seed=5, seconds=120)
    assert backend.refused() <= 0.001
    assert backend.used(10, 10, 120) > 0.99
    assert backend.too_long == 0
    assert max(backend.waits) < 1


def test_workers_that_do_not_share_are_refused_where_headers_tell() -> None:
    server = Server(10, 1.0, "aligned", headers=True)
    backend = serve(lambda: [AdaptiveLimiter(), AdaptiveLimiter()], server, seed=1, seconds=60)
    assert backend.refused() > 0.03
