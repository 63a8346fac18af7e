"""What a plain `pip install headroom-ai` brings stays under 25 MB, and names nothing that it does not use."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from importlib.util import cache_from_source
from pathlib import Path

from packaging.requirements import Requirement

import headroom

LIMIT = 25_000_000


def needed(name: str) -> Iterator[str]:
    """The distribution, and those that it needs without extras on this Python."""
    yield name
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield from needed(requirement.name)


def files_of(found: Distribution) -> list[Path]:
    if found.name == "headroom-ai":  # here it is installed as a link to its source
        return list(Path(headroom.__file__).parent.rglob("*.py"))
    return [Path(str(file.locate())) for file in found.files or () if file.suffix != ".pyc"]


def bytes_of(file: Path) -> int:
    """Its size, and that of its bytecode; where that was not written yet, it takes about as much as the source."""
    size = file.stat().st_size
    if file.suffix != ".py":
        return size
    bytecode = Path(cache_from_source(str(file)))
    return size + (bytecode.stat().st_size if bytecode.exists() else size)


def test_the_default_install_is_small() -> None:
    names = set(needed("headroom-ai"))
    sizes = {name: sum(map(bytes_of, files_of(distribution(name)))) for name in names}
    assert sum(sizes.values()) < LIMIT, sizes
    assert all(sizes.values()), sizes
    assert names.isdisjoint({"typer", "rich", "pygments", "pydantic", "httpx", "openai", "anthropic"})
