"""Tests of an engine that is not installed are left out and say so, but not in CI."""

from __future__ import annotations

import pytest

from tests.support.programs import engine


def test_an_engine_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no_engine is not installed"):
        engine("no_engine.core", "spark")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="make engines"):
        engine("no_engine.core", "spark")


def test_an_engine_that_is_there() -> None:
    assert engine("json.decoder", "dlt").__name__ == "json.decoder"
