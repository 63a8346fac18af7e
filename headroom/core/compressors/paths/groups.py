"""What paths say about themselves: folder, ending, whether a machine wrote the file, how telling the name is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

GENERATED = re.compile(
    r"(?:^|[/\\])(?:node_modules|bower_components|\.git|__pycache__|\.pytest_cache|\.mypy_cache|\.ruff_cache|\.tox|\.venv|venv|site-packages"
    r"|dist|build|target|out|\.next|\.nuxt|\.cache|coverage|htmlcov|vendor|third_party|vendored|\.idea|\.gradle|cassettes|__snapshots__|snapshots)(?:[/\\]|$)"
    r"|(?:^|[/\\])(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|go\.sum|composer\.lock|Gemfile\.lock)$"
    r"|\.lock$|\.min\.(?:js|css)$|\.map$|\.snap$|\.pyc$|\.egg-info(?:[/\\]|$)|_pb2(?:_grpc)?\.pyi?$|\.pb\.go$|\.generated\.|\.svg$|\.ipynb$"
)
"""Written by machines: the first to be summarised."""

_TELLING = re.compile(
    r"^(?:readme|license|changelog|contributing|makefile|justfile|dockerfile|docker-compose|package\.json|pyproject\.toml|setup\.(?:py|cfg)|cargo\.toml"
    r"|go\.mod|pom\.xml|build\.gradle|requirements|tsconfig|\.env|\.gitignore|main\.|index\.|app\.|manage\.|cli\.|config|settings|conftest|tox\.ini)",
    re.IGNORECASE,
)
_TEST = re.compile(r"(?:^|[/\\_.])(?:tests?|specs?|__tests__|fixtures?|testdata)(?:[/\\_.]|$)", re.IGNORECASE)
_LARGEST_NUMBER_OF_FOLDERS = 8


def is_generated(path: str) -> bool:
    """Whether a machine wrote this file: lock files, build output, caches, snapshots, other people's code."""
    return GENERATED.search(path) is not None


def is_test(path: str) -> bool:
    """Whether a test or its data stands here."""
    return _TEST.search(path) is not None


def is_telling(name: str) -> bool:
    """Whether a file's name (not its path) says what the project is and how it is built: README, package.json, main."""
    return _TELLING.match(name) is not None


def split_path(path: str) -> tuple[str, str]:
    """(folder with its closing slash, name); the folder is "" where there is none. Joined they are `path`."""
    at = max(path.rfind("/", 0, len(path) - 1), path.rfind("\\", 0, len(path) - 1)) + 1
    return path[:at], path[at:]


def ending(name: str) -> str:
    """The ".py" of "a.py"; "other" where there is none, "folders" for "a/"."""
    if name.endswith(("/", "\\")):
        return "folders"
    at = name.rfind(".")
    return name[at:].lower() if at > 0 and len(name) - at <= 10 else "other"


def by_ending(names: Iterable[str], most: int = 3) -> str:
    """ "100 .py, 20 .md": the most frequent endings with their counts, the rest as "5 other"."""
    counts = Counter(map(ending, names))
    ranked = sorted(counts.items(), key=lambda item: (item[0] == "other", -item[1], item[0]))
    shown = ranked if len(ranked) <= most + 1 else ranked[:most]
    words = [f"{times:,} {name}" for name, times in shown]
    rest = sum(counts.values()) - sum(times for _, times in shown)
    return ", ".join([*words, f"{rest:,} other"] if rest else words)


def by_folder(folders: Sequence[str], amounts: Sequence[int] = ()) -> list[tuple[str, int, int]]:
    """(folder, files, amount) of the fewest levels that tell apart at most eight folders, most files first.

    `folders[i]` is file i's folder, `amounts[i]` what to add up (hits). Past eight, the rest share the name "".
    """
    amounts = amounts or [0] * len(folders)
    counted: Counter[str] = Counter(folders)
    merged = counted
    for depth in (8, 5, 4, 3, 2, 1):
        merged = Counter()
        for folder, times in counted.items():
            merged[top_of(folder, depth)] += times
        if len(merged) <= _LARGEST_NUMBER_OF_FOLDERS:
            break
    ranked = sorted(merged.items(), key=lambda item: (-item[1], item[0]))[:_LARGEST_NUMBER_OF_FOLDERS]
    names = {name for name, _ in ranked}
    sums: Counter[str] = Counter()
    files: Counter[str] = Counter()
    tops = {folder: top_of(folder, depth) for folder in counted}
    for folder, amount in zip(folders, amounts, strict=True):
        name = tops[folder] if tops[folder] in names else ""
        sums[name] += amount
        files[name] += 1
    return [(name, files[name], sums[name]) for name in sorted(files, key=lambda name: (not name, -files[name], name))]


def top_of(folder: str, depth: int) -> str:
    """The first `depth` levels of `folder`, whatever kind of slash it has; "./" and "/" count as no level."""
    at = 2 if folder.startswith("./") else 1 if folder.startswith("/") else 0
    for _ in range(depth):
        slash = folder.find("/", at)
        if slash < 0:
            slash = folder.find("\\", at)
        if slash < 0:
            return folder or "./"
        at = slash + 1
    return folder[:at]
