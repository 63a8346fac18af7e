"""The outline of source code, line by line: where definitions begin and end, and what every line is for.

By indentation and the words that open a definition, for any language that is usually indented: a partial file, a file
with a syntax error or of an unknown language gets one too. Python's own parser agrees with it on nearly every
definition of real files and takes several times as long, so it is asked only on demand (`code.parsers`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

BODY, BLANK, FRAME, HEADER, DOC_FIRST, DOC, IMPORT, COMMENT = range(8)
"""What a line is for. FRAME: not code at all (a path, a fence, words between sections)."""

_LONG_FUNCTION = 80
"""Lines above which a function that holds others is read as a container: a module pattern, a suite of tests."""
_LONGEST_HEADER = 40
_LONGEST_LINE = 1_000

_MODIFIERS = (
    r"(?:(?:export|default|declare|public|private|protected|internal|static|final|abstract|sealed|async|unsafe|const|virtual"
    r"|inline|override|partial|readonly|open|data|suspend|pub|pub\([a-z]{1,12}\)|extern|extern \"C\"|local|typedef)\s+)*"
)
_OPENING = re.compile(
    _MODIFIERS + r"(?:(?P<function>def|function\*?|func|fn|fun|macro_rules!)(?:\s+|(?=\())[\w$(*]"
    r"|(?P<container>class|struct|enum|trait|interface|module|mod|namespace|record|union|protocol|object|template|type)\s+[\w$<{]"
    r"|(?P<impl>impl)[\s<])"
    r"|(?P<value>(?:export\s+)?(?:const|let|var)\s+[\w$]+\s*(?::[^=]{0,80})?=\s*(?:async\s*)?(?:function|\([^()]{0,200}\)[^={]{0,60}=>|[\w$]+\s*=>|\($))"
    r"|(?P<suite>(?:describe|it|test|suite|context|beforeEach|afterEach|before|after)(?:\.\w{1,20})?\()"
    r"|(?P<import>(?:import|from|use|using|package|require|require_once|include|#include|extern crate)[\s\"'(<{])"
    r"|(?P<comment>#(?!\w{1,60} ?\(|include|define|if|el|endif|undef|pragma|\[)|//|/\*|\*(?:[\s/*]|$)|--\s)"
    r"|(?P<decorator>@[\w.]|#!?\[|\[[A-Z][\w.]*(?:\(.*\))?\]\s*$)"
)
_OPENING_PYTHON = re.compile(
    r"(?P<function>(?:async\s+)?def\s+\w)|(?P<container>class\s+\w)|(?P<import>import\s|from\s+[\w.]+\s+import\b)|(?P<comment>#)|(?P<decorator>@\w)"
)
_CONTROL = frozenset(
    "if for while switch catch do return else new await throw case with lock foreach elseif elsif elif unless until defer "  # noqa: SIM905
    "go select match loop assert echo print printf yield delete typeof sizeof not and or in is raise except try finally super this".split()
)
"""Words that stand before a parenthesis and name no function."""
_CALLABLE = re.compile(r"[\w#*&~@$\[][\w\s<>:,*&~\[\]?@$.#]*(?<=[\w\]$>\s])$")
_TYPE_ALONE = re.compile(r"[A-Za-z_][\w:<>]*(?:[ *&]+[\w:<>]+)*[ *&]*$")
_FIRST_WORD = re.compile(r"\w+")
_CLOSER = re.compile(r"[})\]]|\*/|(?:end|fi|done|esac)\b(?!\s*=)")
_QUOTES = re.compile(r"\"\"\"|'''|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|#.*")


@dataclass(slots=True)
class Definition:
    """A class, function or the like: lines `start` (its first decorator) to before `end`."""

    start: int
    header: int
    indent: int
    container: bool
    """Holds definitions that have a place of their own in the outline (a class, an impl, a long closure)."""
    depth: int = 0
    header_end: int = 0
    end: int = 0
    nested: bool = False
    """Inside a function: part of its body."""
    children: int = 0


@dataclass(slots=True)
class Outline:
    """Every line's role, and the definitions in the order of their headers."""

    roles: bytearray
    definitions: list[Definition] = field(default_factory=list)


def outline(
    lines: Sequence[str],
    sections: Sequence[tuple[int, int]],
    python: Callable[[int], bool],
    parsed: Callable[[int, int, bool], list[Definition] | None] | None = None,
) -> Outline:
    """The outline of the code in `sections` (start, end), each read by itself; all other lines are FRAME.

    `python(start)` tells whether the section that begins there is Python. `parsed` may know better where a section's
    definitions are (see `code.parsers`), or None. Linear.
    """
    found = Outline(bytearray([FRAME]) * len(lines))
    for start, end in sections:
        before = len(found.definitions)
        reader = _Reader(lines, start, end, found, is_python=python(start))
        reader.read()
        better = parsed(start, end, python(start)) if parsed else None
        if better is not None:
            found.definitions[before:] = better
    _settle(found)
    return found


class _Reader:
    """One pass over one section."""

    def __init__(self, lines: Sequence[str], start: int, end: int, found: Outline, *, is_python: bool) -> None:
        self.lines, self.start, self.end, self.found = lines, start, end, found
        self.is_python = is_python
        self.open: list[Definition] = []
        self.decorated = -1
        self.last_code = start
        self.header_of: Definition | None = None
        self.parens = 0
        self.after_header = is_python  # a module's own docstring counts like a function's

    def read(self) -> None:
        inside = self._text_lines()
        roles, lines = self.found.roles, self.lines
        for index in range(self.start, self.end):
            line = lines[index]
            stripped = line.lstrip()
            if not stripped:
                roles[index] = BLANK
            elif inside[index - self.start]:
                roles[index] = self._text_line(index, inside[index - self.start])
                self.last_code = index
            elif self.header_of is not None:
                self._header_line(self.header_of, index, stripped)
            else:
                self._code_line(index, len(line) - len(stripped), stripped)
        self._close(-1, self.end)

    def _text_line(self, index: int, state: int) -> int:
        """A line of a multi-line string or comment: state 1 begins it, 2 goes on."""
        header_end = self.open[-1].header_end if self.open else self.start
        if self.after_header and index <= header_end + 2:
            if state == 1 and len(self.lines[index].strip()) <= 4:
                return DOC  # the quotes stand alone: the first words are on the next line
            self.after_header = False
            return DOC_FIRST
        return DOC

    def _code_line(self, index: int, indent: int, stripped: str) -> None:
        if self.open and indent <= self.open[-1].indent:
            if (_CLOSER.match(stripped) and indent == self.open[-1].indent) or stripped.startswith("{"):
                self.last_code = index
                self.found.roles[index] = BODY
                if stripped[0] != "{" and stripped.rstrip()[-1] != "{":
                    self._close(indent, index + 1)
                return
            if self.lines[index][:1] == "#" and stripped.startswith("#") and not self.is_python:
                self.found.roles[index] = BODY  # a preprocessor line stands at the margin and ends nothing
                return
            self._close(indent, self.last_code + 1)
        self.after_header = False
        self._classify(index, indent, stripped)
        self.last_code = index

    def _classify(self, index: int, indent: int, stripped: str) -> None:
        opening = _OPENING_PYTHON if self.is_python else _OPENING
        match = opening.match(stripped) if len(stripped) <= _LONGEST_LINE else None
        kind = match.lastgroup if match else None
        roles = self.found.roles
        roles[index] = BODY
        if kind == "comment":
            roles[index] = COMMENT
        elif kind == "decorator":
            self.decorated = index if self.decorated < 0 else self.decorated
        elif kind == "import" and not (self.open and self.open[-1].indent < indent and not self.open[-1].container):
            roles[index] = IMPORT
            self.decorated = -1
        elif kind in ("function", "container", "impl", "value", "suite") or (kind is None and self._is_callable(index, indent, stripped)):
            self._define(index, indent, stripped, kind in ("container", "impl"))
        elif self.decorated >= 0 and self._leaves_decorator(index, indent, stripped):
            self.decorated = -1

    def _leaves_decorator(self, index: int, indent: int, stripped: str) -> bool:
        """Whether a line is no part of the decorator above it, whose arguments may take several lines."""
        line = self.lines[self.decorated]
        inside = stripped[0] in "()]}\"'" or indent > len(line) - len(line.lstrip())
        return not inside or index - self.decorated > _LONGEST_HEADER

    def _is_callable(self, index: int, indent: int, stripped: str) -> bool:
        """A C-like function or method: `type name(...) {`, its parameters or the brace perhaps on the next lines."""
        if self.is_python:
            return False
        paren = stripped.find("(", 1, 300)
        word = _FIRST_WORD.match(stripped)
        trimmed = stripped.rstrip()
        member = bool(self.open) and self.open[-1].container
        if paren < 0 or trimmed[-1] == ";" or (word and word[0] in _CONTROL and not member) or not _CALLABLE.match(stripped, 0, paren):
            return False
        typed = " " in stripped[:paren].strip() or indent == 0
        unclosed = stripped.count("(") - stripped.count(")")
        if trimmed[-1] == "{":
            return unclosed <= 0 or member
        if unclosed > 0:
            return (trimmed[-1] in ",(" and (member or (typed and not self.open))) or (typed and not self.open)
        following = self.lines[index + 1].strip() if index + 1 < self.end else ""
        return following[:1] == "{" and (typed or member)

    def _define(self, index: int, indent: int, stripped: str, container: bool) -> None:
        start = self.decorated if self.decorated >= 0 else index
        if not self.is_python and start == index > self.start and self._is_type_alone(index - 1):
            start = index - 1
        self.decorated = -1
        definition = Definition(start, index, indent, container, header_end=index + 1, end=index + 1)
        if self.open:
            self.open[-1].children += 1
        self.found.definitions.append(definition)
        self.open.append(definition)
        self.parens = 0
        self._header_line(definition, index, stripped)

    def _is_type_alone(self, index: int) -> bool:
        """A return type on a line of its own, as C has it."""
        return self.found.roles[index] == BODY and _TYPE_ALONE.match(self.lines[index]) is not None

    def _header_line(self, definition: Definition, index: int, stripped: str) -> None:
        """Take in a line of a header, which goes on until its parentheses are closed."""
        self.parens += stripped.count("(") - stripped.count(")")
        definition.header_end = index + 1
        self.last_code = index
        long = index - definition.header >= _LONGEST_HEADER
        opens_body = stripped.rstrip()[-1] == "{" and not self.is_python
        if self.parens > 0 and not long and not opens_body:
            self.header_of = definition
            return
        self.header_of = None
        self.after_header = True

    def _close(self, indent: int, end: int) -> None:
        while self.open and self.open[-1].indent >= indent:
            self.open.pop().end = end

    def _text_lines(self) -> bytearray:
        """Which lines lie in multi-line strings or comments: 1 where one begins, 2 where it goes on, 0 elsewhere."""
        section = self.lines[self.start : self.end]
        if not self.is_python:
            return _comment_lines(section)
        marked, hidden = _string_lines(section, "")
        if hidden and hidden * 2 > _definitions_in(section):
            # The section may begin inside a string: then what we took for strings is the code.
            for quotes in ('"""', "'''"):
                other, still_hidden = _string_lines(section, quotes)
                if still_hidden < hidden:
                    return other
        return marked


_PYTHON_DEFINITION = re.compile(r"\s*(?:def|class|async def) \w.*[:(,]\s*$")


def _definitions_in(section: Sequence[str]) -> int:
    return sum(_PYTHON_DEFINITION.match(line) is not None for line in section if len(line) < _LONGEST_LINE)


def _string_lines(section: Sequence[str], inside: str) -> tuple[bytearray, int]:
    """Lines in triple quotes, and how many of them look like definitions. `inside`: the quotes open at the start."""
    marked = bytearray(len(section))
    hidden = 0
    for index, line in enumerate(section):
        if inside:
            marked[index] = 2
            if line.lstrip().startswith(("def ", "class ", "async def ")) and len(line) < _LONGEST_LINE and _PYTHON_DEFINITION.match(line):
                hidden += 1
        if '"""' not in line and "'''" not in line:
            continue
        began_inside = bool(inside)
        inside = _quotes_after(line, inside)
        if not began_inside and (inside or line.lstrip().startswith(('"""', "'''", 'r"""', "r'''"))):
            stands_alone = line.lstrip()[:1] in "\"'rRbBuUfF" and line.lstrip().lstrip("rRbBuUfF")[:3] in ('"""', "'''")
            marked[index] = 1 if stands_alone else 0
    return marked, hidden


def _quotes_after(line: str, inside: str) -> str:
    """The triple quotes that are open behind `line`, if `inside` are open before it."""
    at = 0
    while at < len(line):
        if inside:
            at = line.find(inside, at)
            if at < 0:
                return inside
            at += 3
            inside = ""
        found = _QUOTES.search(line, at) if len(line) < _LONGEST_LINE else None
        if found is None:
            return ""
        at = found.end()
        if found[0][:3] in ('"""', "'''"):
            inside = found[0]
    return inside


def _comment_lines(section: Sequence[str]) -> bytearray:
    """Lines inside `/* ... */` that begin without a star; the others are recognised by themselves."""
    marked = bytearray(len(section))
    inside = False
    for index, line in enumerate(section):
        if inside:
            marked[index] = 2
            inside = "*/" not in line
        elif "/*" in line and line.lstrip().startswith("/*"):
            marked[index] = 1
            inside = "*/" not in line
    return marked


def _settle(found: Outline) -> None:
    """Long functions that hold others become containers; headers get their role."""
    path: list[Definition] = []
    for definition in found.definitions:
        while path and path[-1].end <= definition.header:
            path.pop()
        if definition.children and definition.end - definition.start > _LONG_FUNCTION:
            definition.container = True
        definition.nested = bool(path) and (path[-1].nested or not path[-1].container)
        definition.depth = len(path)
        path.append(definition)
        if definition.nested:
            continue
        for index in range(definition.start, definition.header_end):
            if found.roles[index] != BLANK:
                found.roles[index] = HEADER
