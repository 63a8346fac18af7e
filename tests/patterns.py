"""Every regular expression of the package, and inputs made from each that would show it running away.

A pattern runs away in two ways: it tries many splits of one stretch (`(a+)+$`), or a search begins anew at each place
of a long stretch and reads on to its end each time (`\\s+$`). Both show on inputs that repeat what one of its repeats
takes, then end in something that does not fit.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import headroom

if sys.version_info >= (3, 11):
    from re import _constants as codes
    from re import _parser as parser
else:
    import sre_constants as codes
    import sre_parse as parser

SEARCHING = frozenset(("search", "finditer", "findall", "sub", "subn", "split", "scanner"))
CALLS = SEARCHING | {"match", "fullmatch", "compile"}
ALPHABET = "a0A_ -.,:;/\\'\"<>()[]{}=|+*#@!?%~`$\n\t\r\0…é\u2028"
ENDS = ("", "\0", " \0", "\n!")
LONG_REPEAT = 20
"""A repeat that ends earlier costs a constant, however bad it is."""


@dataclass
class Found:
    """A pattern, where it stands, and the methods of it that are called: a match is tried at one place only."""

    where: str
    pattern: re.Pattern[Any]
    methods: frozenset[str] = SEARCHING

    @property
    def searched(self) -> bool:
        return bool(self.methods & SEARCHING)


@dataclass
class Uses:
    """What the source says: literals in calls of `re`, calls with patterns made at run time, methods called by name."""

    literal: list[Found] = field(default_factory=list)
    made_at_run_time: set[str] = field(default_factory=set)
    methods: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    """Of each module, by the name that they are called on."""
    names: dict[str, set[str]] = field(default_factory=dict)
    """Which each module gives a value itself."""

    def methods_of(self, module: str, name: str) -> frozenset[str]:
        """What is called on the module's `name`, there and where it may have been imported; all, if nobody calls it by name."""
        users = [other for other in self.methods if other == module or name not in self.names[other]]
        called = frozenset().union(*(self.methods[user].get(name, ()) for user in users))
        return called or SEARCHING


# --- finding them -------------------------------------------------------------------------------------------------------


def modules() -> Iterator[ModuleType]:
    """All of them, imported."""
    for info in pkgutil.walk_packages(headroom.__path__, "headroom."):
        if not info.name.endswith("__main__"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what the frameworks complain of is not what is looked for here
                yield importlib.import_module(info.name)


def all_patterns() -> tuple[list[Found], set[str]]:
    """Every pattern of the package; and the functions that make patterns at run time, as "module.function"."""
    uses = Uses()
    loaded = list(modules())
    for module in loaded:
        if module.__file__ and module.__file__.endswith(".py"):
            _read_source(module.__name__, Path(module.__file__).read_text("utf-8"), uses)
    found = {one.pattern: one for one in uses.literal}
    for module in loaded:
        for name in sorted(uses.names.get(module.__name__, ())):
            for pattern in _patterns_in(vars(module).get(name)):
                before = found.get(pattern, Found("", pattern, frozenset()))
                methods = uses.methods_of(module.__name__, name) | before.methods
                found[pattern] = Found(before.where or f"{module.__name__}.{name}", pattern, methods)
    return list(found.values()), uses.made_at_run_time


def _patterns_in(value: Any, depth: int = 3) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(getattr(value, "__self__", None), re.Pattern):  # `_find = re.compile(...).search`
        yield value.__self__
    elif depth and isinstance(value, (tuple, list, set, frozenset)):
        for item in value:
            yield from _patterns_in(item, depth - 1)
    elif depth and isinstance(value, dict):
        yield from _patterns_in([*value, *value.values()], depth - 1)
    elif depth and isinstance(value, type) and value.__module__.startswith("headroom"):
        yield from _patterns_in(list(vars(value).values()), 1)


def _read_source(module: str, source: str, uses: Uses) -> None:
    tree = ast.parse(source)
    for function in [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]:
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and _is_of_re(node.func):
                _read_call(f"{module}.{function.name}", node, uses)
    uses.methods[module] = methods = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in CALLS:
            name = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
            methods.setdefault(name, set()).add(node.attr)
    given = [target for node in tree.body for target in _targets(node)]
    uses.names[module] = {target.id for target in given if isinstance(target, ast.Name)}


def _targets(node: ast.stmt) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []


def _is_of_re(called: ast.expr) -> bool:
    return isinstance(called, ast.Attribute) and called.attr in CALLS and isinstance(called.value, ast.Name) and called.value.id == "re"


def _read_call(where: str, call: ast.Call, uses: Uses) -> None:
    try:
        text = ast.literal_eval(call.args[0])
    except ValueError:
        uses.made_at_run_time.add(where)
        return
    assert isinstance(call.func, ast.Attribute)
    uses.literal.append(Found(where, re.compile(text), SEARCHING if call.func.attr == "compile" else frozenset((call.func.attr,))))


# --- pumping them -------------------------------------------------------------------------------------------------------


def inputs(found: Found) -> Iterator[tuple[str, str, str]]:
    """(before, pumped, after) for each way in which this pattern might run away, each once."""
    source = found.pattern.pattern
    text = source.decode("latin-1") if isinstance(source, bytes) else source
    tree = parser.parse(text, found.pattern.flags & ~re.DEBUG)
    pumps = dict.fromkeys(_of_repeats(tree, ""))
    whole = [_example(tree, choice) for choice in range(3)]
    pumps |= dict.fromkeys(("", one) for one in whole if one)
    if found.searched:
        pumps |= dict.fromkeys(("", before + pumped) for before, pumped in list(pumps))
        letters = dict.fromkeys(ALPHABET)
        pumps |= dict.fromkeys(("", letter) for letter in letters)
    for before, pumped in pumps:
        for end in ENDS:
            yield before, pumped, end


def _of_repeats(tree: Any, before: str) -> Iterator[tuple[str, str]]:
    """(what leads there, what it takes) for each long repeat of the tree."""
    for code, argument in tree:
        if code in _REPEATS:
            _, most, body = argument
            if most == codes.MAXREPEAT or most >= LONG_REPEAT:
                for pumped in _takes(body):
                    yield before, pumped
            yield from _of_repeats(body, before)
        elif code is codes.BRANCH:
            for branch in argument[1]:
                yield from _of_repeats(branch, before)
        elif code is codes.SUBPATTERN:
            yield from _of_repeats(argument[-1], before)
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            yield from _of_repeats(argument[1], before)
        elif code is getattr(codes, "ATOMIC_GROUP", None):
            yield from _of_repeats(argument, before)
        before += _example([(code, argument)], 0)


_REPEATS = [codes.MAX_REPEAT, codes.MIN_REPEAT, *([codes.POSSESSIVE_REPEAT] if hasattr(codes, "POSSESSIVE_REPEAT") else [])]


def _takes(body: Any) -> list[str]:
    """Some texts that the body of a repeat takes: each kind of character, or a few readings of a longer body."""
    if len(body) == 1 and body[0][0] in (codes.IN, codes.ANY, codes.NOT_LITERAL, codes.LITERAL):
        accepts = _accepts(*body[0])
        return [letter for letter in ALPHABET if accepts(letter)] or [_example(body, 0)]
    return [text for text in dict.fromkeys(_example(body, choice) for choice in range(5)) if text]


def _example(tree: Any, choice: int) -> str:
    """A text that the tree takes, assertions aside; `choice` picks among branches and characters."""
    return "".join(_example_of(code, argument, choice) for code, argument in tree)


def _example_of(code: Any, argument: Any, choice: int) -> str:
    if code is codes.LITERAL:
        return chr(argument)
    if code in (codes.IN, codes.ANY, codes.NOT_LITERAL):
        accepts = _accepts(code, argument)
        fitting = [letter for letter in ALPHABET if accepts(letter)]
        return fitting[choice % len(fitting)] if fitting else next(chr(n) for n in range(0x110000) if accepts(chr(n)))
    if code in _REPEATS:
        least, most, body = argument
        return _example(body, choice) * max(least, min(1, most))
    if code is codes.BRANCH:
        return _example(argument[1][choice % len(argument[1])], choice)
    if code is codes.SUBPATTERN:
        return _example(argument[-1], choice)
    return _example(argument, choice) if code is getattr(codes, "ATOMIC_GROUP", None) else ""


def _accepts(code: Any, argument: Any) -> Callable[[str], bool]:
    if code is codes.ANY:
        return lambda letter: letter != "\n"
    if code is codes.LITERAL:
        return lambda letter: ord(letter) == argument
    if code is codes.NOT_LITERAL:
        return lambda letter: ord(letter) != argument
    return lambda letter: _in_class(argument, letter)


def _in_class(members: Any, letter: str) -> bool:
    negated, found = False, False
    for code, argument in members:
        if code is codes.NEGATE:
            negated = True
        elif code is codes.LITERAL:
            found |= ord(letter) == argument
        elif code is codes.RANGE:
            found |= argument[0] <= ord(letter) <= argument[1]
        elif code is codes.CATEGORY:
            found |= _in_category(str(argument), letter)
    return found != negated


def _in_category(name: str, letter: str) -> bool:
    kind = name.rpartition("_")[2]
    inside = {"DIGIT": letter.isdecimal(), "SPACE": letter.isspace(), "WORD": letter.isalnum() or letter == "_"}[kind]
    return inside != ("_NOT_" in name)


# --- watching them run --------------------------------------------------------------------------------------------------

SIZES = (20, 26, 100, 600, 8_000)
"""Characters, growing slowly at first: what doubles with each character must show before it takes for ever."""
LOOK_CLOSER_SECONDS = 0.006
SUPER_LINEAR = 8.0
"""Of the times at n and 4n: linear is 4, quadratic 16."""


def runs_away(found: Found, most: int = SIZES[-1]) -> str | None:
    """The input on which the pattern's work grows faster than the input, described; None if there is none.

    No verdict hangs on a time: a long one only makes it look closer, and what then counts is the ratio of the
    processor times (the best of several) at one size and at four times that size.
    """
    sizes = [size for size in SIZES if size < most] + [most]
    for before, pumped, after in inputs(found):
        for size in sizes:
            if _seconds(found, _text(before, pumped, after, size)) < LOOK_CLOSER_SECONDS:
                continue
            ratio = _ratio(found, (before, pumped, after), size)
            if ratio > SUPER_LINEAR:  # other processes have their share in a single look
                ratio = min(ratio, *(_ratio(found, (before, pumped, after), size) for _ in range(2)))
            if ratio > SUPER_LINEAR:
                return f"{before!r} + {pumped!r} * n + {after!r}: {ratio:.0f} times the work for 4 times the text ({size} characters)"
            break
    return None


def _text(before: str, pumped: str, after: str, size: int) -> str:
    return before + pumped * (size // len(pumped)) + after


def _ratio(found: Found, parts: tuple[str, str, str], size: int) -> float:
    small, large = _text(*parts, size // 4), _text(*parts, size)
    repeats = 3 if size > 60 else 1
    return min(_seconds(found, large) for _ in range(repeats)) / max(min(_seconds(found, small) for _ in range(repeats + 2)), 1e-6)


def _seconds(found: Found, text: str) -> float:
    given: Any = text.encode("utf-8") if isinstance(found.pattern.pattern, bytes) else text
    start = time.thread_time()
    if found.searched:
        for _ in found.pattern.finditer(given):
            pass
    if "match" in found.methods:
        found.pattern.match(given)
    if "fullmatch" in found.methods:
        found.pattern.fullmatch(given)
    return time.thread_time() - start
