"""Outlines by real parsers: what they find, and when the outline by lines stands in."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from headroom import CompressConfig, MemoryStore, MissingDependencyError, compress
from headroom.core.compressors.code import parsers
from headroom.core.compressors.code.outline import Definition, outline
from headroom.core.worth import Query

NO_QUERY = Query()

SOURCES = {
    "a.js": (
        "const load = async (path) => {\n  return 1\n}\n\nclass Basket {\n  total() {\n    return 2\n  }\n}\n",
        [(0, 3), (4, 9), (5, 8)],
    ),
    "a.ts": ("export interface Item {\n  price: number\n}\nexport function load(): Item {\n  return x\n}\n", [(0, 3), (3, 6)]),
    "a.tsx": ("export function View() {\n  return <p>hello</p>\n}\n", [(0, 3)]),
    "a.go": ("package a\n\ntype T struct {\n\tx int\n}\n\nfunc (t *T) Run() int {\n\treturn t.x\n}\n", [(2, 5), (6, 9)]),
    "a.rs": ("impl Store {\n    #[inline]\n    pub fn open(path: &str) -> u8 {\n        1\n    }\n}\n", [(0, 6), (2, 5)]),
    "a.java": ("class A {\n  @Override\n  int run() {\n    return 1;\n  }\n}\n", [(0, 6), (1, 5)]),
    "a.c": ("struct point {\n  int x;\n};\nint\nadd(int a,\n    int b)\n{\n  return a + b;\n}\n", [(0, 3), (3, 9)]),
    "a.cpp": ("namespace n {\ntemplate <class T>\nclass Box {\n int get() { return 1; }\n};\n}\n", [(0, 6), (2, 5), (3, 4)]),
}


def found_in(text: str, path: str = "", python: bool = False) -> list[Definition] | None:
    lines = [f"// {path}", *text.rstrip("\n").split("\n")] if path else text.rstrip("\n").split("\n")
    return parsers.definitions_in(lines, NO_QUERY)(1 if path else 0, len(lines), python)


@pytest.mark.parametrize("path", SOURCES)
def test_each_language_has_its_parser(path: str) -> None:
    text, expected = SOURCES[path]
    found = found_in(text, path)
    assert found is not None
    assert [(definition.header - 1, definition.end - 1) for definition in found] == expected


@pytest.mark.parametrize("path", [path for path in SOURCES if path not in ("a.tsx", "a.c")])
def test_without_a_path_the_code_tells_its_language(path: str) -> None:
    text, expected = SOURCES[path]
    first = {"a.java": "import java.util.List;\n"}.get(path, "")
    found = found_in(first + text)
    assert found is not None
    assert len(found) == len(expected)


def test_the_call_may_name_the_file() -> None:
    text, expected = SOURCES["a.c"]
    lines = text.rstrip("\n").split("\n")
    found = parsers.definitions_in(lines, Query((("src/point.c", 9.0),)))(0, len(lines), False)
    assert found is not None
    assert len(found) == len(expected)


def test_headers_bodies_and_what_stands_before_them() -> None:
    found = found_in("@cache\n@other(\n  1)\ndef load(\n    path,\n):  # read\n    # why\n    return 1\n", python=True)
    assert found is not None
    (load,) = found
    assert (load.start, load.header, load.header_end, load.end) == (0, 3, 6, 8)
    found = found_in("#[inline]\n#[must_use]\nfn a(x: u8) -> u8 {\n    x\n}\n", "a.rs")
    assert found is not None
    assert (found[0].start - 1, found[0].header - 1, found[0].header_end - 1) == (0, 2, 3)


@pytest.mark.parametrize(
    ("text", "path", "python"),
    [
        ("        return 1\n\n    def second(self):\n        return 2\n", "", True),  # begins inside a method
        ('x = 1\n"""\ndef a():\n    pass\n', "", True),
        ("def a():\r    pass\n", "", True),  # a lone return ends a line for Python, and none of ours
        ("  return x;\n}\n\nint next(void) {\n  return 1;\n", "a.c", False),
        ("whatever this is\n", "", False),
        ("def b\n  1\nend\n", "a.rb", False),
    ],
)
def test_what_no_parser_reads_is_left_to_the_outline_by_lines(text: str, path: str, python: bool) -> None:
    assert found_in(text, path, python) is None


def test_a_section_that_is_parsed_stands_beside_one_that_is_not() -> None:
    lines = ["def a():", "    return 1", "// b.js", "function b() {", "  return (", "}"]
    sections = [(0, 2), (3, 6)]
    found = outline(lines, sections, lambda start: start == 0, parsers.definitions_in(lines, NO_QUERY))
    assert [definition.header for definition in found.definitions] == [0, 3]


def test_odd_escapes_in_a_file_warn_nobody() -> None:
    assert found_in('def a():\n    return "\\d"\n', python=True) is not None


C_FILE = "\n".join(
    f"DEFINE_SLOT(slot_{i},\n   kind_{i})\nstatic int slot_{i}_run(const char *name, int flags)\n{{\n"
    + "".join(f"  if (name[{j}] == flags) return {j};\n" for j in range(20))
    + "  return 0;\n}\n"
    for i in range(12)
)


def compressed(outline: str, text: str, path: str) -> str:
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": f"What does slot_3_run in {path} do?"},
        {
            "role": "assistant",
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "read", "arguments": f'{{"path": "{path}"}}'}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": text},
    ]
    result = compress(messages, store=MemoryStore(), outline=outline)
    assert not any(block.failed for block in result.blocks)
    assert result.tokens_saved > 0
    return str(result.messages[2]["content"])


def test_the_option_reaches_the_outline() -> None:
    shown = compressed("parser", C_FILE, "slots.c")
    assert all(f"slot_{i}_run" in shown for i in range(12))
    assert "if (name[19] == flags) return 19;" in shown


@pytest.mark.parametrize("outline", ["lines", "parser"])
def test_a_file_in_part_is_shortened_either_way(outline: str) -> None:
    assert "left out" in compressed(outline, C_FILE[200:], "slots.c")


def test_the_option_without_the_packages_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    present = importlib.util.find_spec
    monkeypatch.setattr(parsers, "find_spec", lambda name: None if name == "tree_sitter_go" else present(name))
    with pytest.raises(MissingDependencyError, match=r"tree-sitter-go is not installed: pip install 'headroom-ai\[code\]'"):
        CompressConfig(outline="parser")
    assert CompressConfig().outline == "lines"
