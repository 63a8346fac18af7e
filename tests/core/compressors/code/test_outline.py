"""Outlines: where definitions begin and end, line by line."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import headroom
from headroom.core.compressors.code.outline import DOC_FIRST, HEADER, IMPORT, Outline, outline

SOURCES = sorted(Path(headroom.__file__).parent.rglob("*.py"))


def outlined(text: str, python: bool = True) -> tuple[list[str], Outline]:
    lines = text.rstrip("\n").split("\n")
    return lines, outline(lines, [(0, len(lines))], lambda _: python)


def names(text: str, python: bool = False) -> list[tuple[str, int]]:
    lines, found = outlined(text, python)
    return [(lines[definition.header].strip(), definition.end - definition.header) for definition in found.definitions]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_it_finds_what_python_s_own_parser_finds(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    expected = {node.lineno - 1: node.end_lineno for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)}
    _, found = outlined(text)
    assert {definition.header: definition.end for definition in found.definitions} == expected


def test_roles() -> None:
    text = 'import os\n\n@cache\ndef load(\n    path,\n):\n    """\n    Read it.\n    """\n    from x import y\n    return y\n'
    _, found = outlined(text)
    assert [found.roles[i] for i in (2, 3, 4, 5)] == [HEADER] * 4
    assert found.roles[0] == IMPORT
    assert found.roles[7] == DOC_FIRST
    assert found.roles[9] != IMPORT


def test_definitions_quoted_in_a_string_are_none() -> None:
    text = 'def real():\n    x = """\ndef quoted():\n    pass\n"""\n    return x\n\ndef other():\n    pass\n'
    assert names(text, python=True) == [("def real():", 6), ("def other():", 2)]
    assert names("QUOTES = ('\"\"\"', \"'''\")\ndef f():\n    pass\n", python=True) == [("def f():", 2)]


def test_a_name_that_begins_like_a_closing_word_closes_nothing() -> None:
    text = "def f(x):\n    return x\n\n\nfile_type = f(1)\ndone = 2\nend_date = 3\n"
    assert names(text, python=True) == [("def f(x):", 2)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("static int\nadd(int a,\n    int b)\n{\n    return a + b;\n}\n\nint x;\n", [("add(int a,", 5)]),
        ("void run(int n)\n{\n  if (n) {\n    go();\n  }\n}\n", [("void run(int n)", 6)]),
        (
            "impl Store {\n    pub fn open(path: &Path) -> Self {\n        Self {}\n    }\n}\n",
            [("impl Store {", 5), ("pub fn open(path: &Path) -> Self {", 3)],
        ),
        ("class A\n  def b\n    1\n  end\nend\n", [("class A", 5), ("def b", 3)]),
        ("deploy() {\n  echo hi\n}\n", [("deploy() {", 3)]),
        (
            "public class A {\n    @Override\n    public String name() {\n        return n;\n    }\n}\n",
            [("public class A {", 6), ("public String name() {", 3)],
        ),
        (
            "class A {\n  #go (x) {\n    x();\n  }\n  async b(c, d = {}) {\n    if (c) {\n      d();\n    }\n  }\n}\n",
            [("class A {", 10), ("#go (x) {", 3), ("async b(c, d = {}) {", 5)],
        ),
        ("const f = async (a) => {\n  return a;\n};\nconst n = 3;\n", [("const f = async (a) => {", 3)]),
        (
            "<?php\nclass A\n{\n    public function b($c)\n    {\n        return $c;\n    }\n}\n",
            [("class A", 7), ("public function b($c)", 4)],
        ),
        ("namespace N;\ninternal class A\n{\n    public int B(int c) => c;\n}\n", [("namespace N;", 1), ("internal class A", 4)]),
    ],
)
def test_other_languages(text: str, expected: list[tuple[str, int]]) -> None:
    found = names(text)
    assert [item for item in found if item in expected] == expected
    assert not [item for item in found if item not in expected and item[1] > 1]


def test_calls_are_no_definitions() -> None:
    text = "int main() {\n    foo(a,\n        b);\n    if (x) {\n        bar({\n            y\n        });\n    }\n    return baz(\n"
    text += "        1);\n}\n"
    assert names(text) == [("int main() {", 11)]
