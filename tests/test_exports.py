"""The front door: what it offers is there, in order, typed, and of one version."""

from __future__ import annotations

import importlib
import importlib.metadata
from pathlib import Path

import pytest

import headroom

PACKAGE = Path(headroom.__file__).parent


def test_all_is_sorted_and_holds_each_name_once() -> None:
    assert headroom.__all__ == sorted(set(headroom.__all__))


@pytest.mark.parametrize("name", headroom.__all__)
def test_every_name_is_there_and_says_what_it_is(name: str) -> None:
    value = getattr(headroom, name)
    assert value.__doc__, f"{name} has no docstring"
    assert not name.startswith("_")


def test_star_import_gives_exactly_all() -> None:
    namespace: dict[str, object] = {}
    exec("from headroom import *", namespace)
    assert {name for name in namespace if not name.startswith("__")} == set(headroom.__all__)


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_one_version() -> None:
    assert headroom.__version__ == importlib.metadata.version("headroom-ai")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_imports_on_its_own_and_has_a_docstring(path: Path) -> None:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    module = importlib.import_module(name)
    empty = not path.read_text(encoding="utf-8").strip()
    assert empty or module.__doc__, f"{name} does not say what it is for"
