"""Examples are programs of their own: what one of them imported from beside it is not there for the next."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_shop_of_another_example() -> Iterator[None]:
    sys.modules.pop("shop", None)
    yield
    sys.modules.pop("shop", None)
