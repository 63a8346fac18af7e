"""One scripted model and one proxy in front of it for all tests of a module; each test finds them without requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proxy.running import Proxy
from tests.scripted_model import ScriptedModel


@pytest.fixture(scope="module")
def _running() -> Iterator[tuple[ScriptedModel, Proxy]]:
    with ScriptedModel() as model, Proxy(model) as proxy:
        yield model, proxy


@pytest.fixture
def model(_running: tuple[ScriptedModel, Proxy]) -> ScriptedModel:
    _running[0].clear()
    _running[0].script = ["done"]
    return _running[0]


@pytest.fixture
def proxy(_running: tuple[ScriptedModel, Proxy], model: ScriptedModel) -> Proxy:
    return _running[1]
