from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.limits import pacers
from tests.limits.redis_server import RedisServer
from tests.limits.stores import SHARED, STORES, Local, SharedStore, Store
from tests.support.programs import program


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "limit.db"


@pytest.fixture(scope="session")
def own_redis() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(program("redis-server"), Path(folder))
        server.start()
        yield server
        server.kill()


@pytest.fixture
def redis_server(own_redis: RedisServer) -> RedisServer:
    """A real server that knows nothing."""
    own_redis.client.flushall()  # pyright: ignore[reportUnknownMemberType]
    return own_redis


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    """Each place where slots are counted."""
    return Local() if request.param == "local" else _shared(request)


@pytest.fixture(params=SHARED)
def shared(request: pytest.FixtureRequest) -> SharedStore:
    """Each place that several processes share."""
    return _shared(request)


def _shared(request: pytest.FixtureRequest) -> SharedStore:
    make, place = SHARED[request.param]
    return make(request.getfixturevalue(place))


@pytest.fixture(params=pacers.PLACES)
def place(request: pytest.FixtureRequest) -> pacers.Place:
    """Each place where what adaptive limiters know is kept."""
    return pacers.Local() if request.param == "local" else _shared_place(request)


@pytest.fixture(params=pacers.SHARED)
def shared_place(request: pytest.FixtureRequest) -> pacers.SharedPlace:
    """Each of those that several processes share."""
    return _shared_place(request)


def _shared_place(request: pytest.FixtureRequest) -> pacers.SharedPlace:
    make, where = pacers.SHARED[request.param]
    made = make(request.getfixturevalue(where))
    request.addfinalizer(made.close)
    return made
