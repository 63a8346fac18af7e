"""Definitions as real parsers find them: Python's own, and tree-sitter's for other languages. Only where asked for.

`CompressConfig(outline="parser")` asks. Grammars are packages of the `[code]` extra, one a language, loaded with the
first file of that language. A section that a parser does not read without an error (a part of a file, a macro that
hides a brace, a language that nothing names) keeps the outline by lines.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from headroom.core.compressors.code.outline import Definition
from headroom.core.errors import MissingDependencyError
from headroom.core.worth import CALL_WEIGHT, Query

LARGEST = 1_000_000
"""Characters of a section above which it is not parsed: a syntax tree takes some fifty times the memory."""
_NAMING_LINES = 3
"""Lines above a section in which its path may stand."""

FindDefinitions = Callable[[int, int, bool], "list[Definition] | None"]
"""(start, end, is_python) of a section -> its definitions in the order of their headers; None: none was parsed cleanly."""


class _Grammar(NamedTuple):
    """One language of tree-sitter."""

    package: str
    function: str
    query: str
    """Captures `function` and `container`: definitions with a body, and those that hold others."""


_JAVASCRIPT = """
    [(function_declaration) (generator_function_declaration) (method_definition)] @function
    (variable_declarator value: [(arrow_function) (function_expression)]) @function
    (class_declaration) @container
"""
_TYPESCRIPT = (
    _JAVASCRIPT
    + """
    [(abstract_class_declaration) (interface_declaration) (enum_declaration) (internal_module)] @container
"""
)
_C = """
    (function_definition) @function
    [(struct_specifier body: (_)) (enum_specifier body: (_)) (union_specifier body: (_))] @container
"""
_GRAMMARS = {
    "javascript": _Grammar("tree_sitter_javascript", "language", _JAVASCRIPT),
    "typescript": _Grammar("tree_sitter_typescript", "language_typescript", _TYPESCRIPT),
    "tsx": _Grammar("tree_sitter_typescript", "language_tsx", _TYPESCRIPT),
    "go": _Grammar("tree_sitter_go", "language", "[(function_declaration) (method_declaration)] @function (type_declaration) @container"),
    "rust": _Grammar(
        "tree_sitter_rust",
        "language",
        "[(function_item) (macro_definition)] @function"
        " [(impl_item) (struct_item) (enum_item) (union_item) (trait_item) (mod_item)] @container",
    ),
    "java": _Grammar(
        "tree_sitter_java",
        "language",
        "[(method_declaration) (constructor_declaration) (compact_constructor_declaration)] @function"
        " [(class_declaration) (interface_declaration) (enum_declaration) (record_declaration) (annotation_type_declaration)] @container",
    ),
    "c": _Grammar("tree_sitter_c", "language", _C),
    "cpp": _Grammar("tree_sitter_cpp", "language", _C + "[(class_specifier body: (_)) (namespace_definition)] @container"),
}
_ENDINGS = {
    **dict.fromkeys(("js", "jsx", "mjs", "cjs"), "javascript"),
    **dict.fromkeys(("ts", "mts", "cts"), "typescript"),
    "tsx": "tsx",
    "go": "go",
    "rs": "rust",
    "java": "java",
    "c": "c",
    **dict.fromkeys(("h", "cc", "cpp", "cxx", "hh", "hpp", "hxx"), "cpp"),
}
_PATH = re.compile(r"[\w)\]-]\.([a-z]{1,4})(?![\w.])")
_SIGNS = tuple(
    (language, re.compile("|".join(signs)))
    for language, signs in {
        "go": (r"package \w+$",),
        "rust": (
            r"(?:pub(?:\(\w+\))? |unsafe |async )*fn \w.*(?:->|\{)",
            r"impl(?:<[^>\n]*>)? [\w:<>]+ (?:for |\{)",
            r"use (?:crate|std|super)::",
        ),
        "java": (r"package [\w.]+;$", r"import (?:static )?[\w.*]+;$", r"public (?:final |abstract )*(?:class|interface|enum|record) \w"),
        "cpp": (r"#include [<\"]", r"namespace \w+", r"template ?<", r"class \w+(?: final)? : (?:public|private) "),
        "typescript": (r"(?:export )?(?:interface|enum|type) \w.*[{=]", r".*\b\w+\??: (?:string|number|boolean|void|any|unknown)\b"),
        "javascript": (
            r"(?:export |async |default )*(?:function\b|const \w|class \w)",
            r"(?:var|let) \w+ =",
            r".*\brequire\(['\"]",
            r"import .* from ",
        ),
    }.items()
)
"""What hardly stands in another of these languages, those first whose signs are surest."""
_OUTSIDE = ("export_statement", "lexical_declaration", "variable_declaration", "template_declaration")
"""What a definition begins with if it stands in one: they end where it ends."""
_BEFORE = ("attribute_item", "decorator")


def require() -> None:
    """MissingDependencyError, naming the extra, if a grammar or tree-sitter itself is not installed."""
    for package in ("tree_sitter", *dict.fromkeys(grammar.package for grammar in _GRAMMARS.values())):
        if find_spec(package) is None:
            raise MissingDependencyError(package.replace("_", "-"), extra="code")


def definitions_in(lines: Sequence[str], query: Query) -> FindDefinitions:
    """How to find the definitions in a section of `lines`. `query` may name the file that they are of."""

    def find(start: int, end: int, is_python: bool) -> list[Definition] | None:
        text = "\n".join(lines[start:end])
        if len(text) > LARGEST or "\r" in text.replace("\r\n", "\n"):  # a lone return is a line's end to some of them
            return None
        language = "python" if is_python else _language(lines, start, end, query)
        found = _by_ast(text) if language == "python" else _by_tree_sitter(text, language) if language else None
        if found is None:
            return None
        for definition in found:
            definition.start += start
            definition.header += start
            definition.header_end = min(end, definition.header_end + start)
            definition.end = min(end, definition.end + start)
        return sorted(found, key=lambda definition: (definition.header, -definition.end))

    return find


def _language(lines: Sequence[str], start: int, end: int, query: Query) -> str:
    """By the path right above, else by the path that the call named, else by what the code looks like; "" if unknown."""
    for line in reversed(lines[max(0, start - _NAMING_LINES) : start]):
        if (named := _named_by(line[:300])) is not None:
            return named
    for term, weight in query.terms:
        if weight >= CALL_WEIGHT and (named := _named_by(term)) is not None:
            return named
    heads = [line[:300].strip() for line in lines[start : min(end, start + 200)]]
    return next((language for language, sign in _SIGNS if any(map(sign.match, heads))), "")


def _named_by(words: str) -> str | None:
    found = [_ENDINGS.get(ending) for ending in _PATH.findall(words)]
    return next((language for language in reversed(found) if language), None)


def _by_ast(text: str) -> list[Definition] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the file's own odd escapes are no business of whoever runs us
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    lines = text.split("\n")
    return [_python_definition(node, lines) for node in ast.walk(tree) if isinstance(node, kinds)]


def _python_definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, lines: list[str]) -> Definition:
    header, end = node.lineno - 1, node.end_lineno or node.lineno
    start = min([header, *(decorator.lineno - 1 for decorator in node.decorator_list)])
    header_end = header + 1
    body = max(header_end, node.body[0].lineno - 1)
    while header_end < body and not lines[header_end - 1].split("#")[0].rstrip().endswith(":"):
        header_end += 1
    return Definition(start, header, node.col_offset, isinstance(node, ast.ClassDef), header_end=header_end, end=end)


def _by_tree_sitter(text: str, language: str) -> list[Definition] | None:
    import tree_sitter  # an optional package: whoever does not choose parsers need not have it

    grammar, query = _loaded(language)
    root = tree_sitter.Parser(grammar).parse(text.encode("utf-8", "replace")).root_node  # a parser of its own: threads
    if root.has_error:
        return None
    captures = tree_sitter.QueryCursor(query).captures(root)
    return list(_tree_definitions(captures.get("function", []), False)) + list(_tree_definitions(captures.get("container", []), True))


@cache
def _loaded(language: str) -> tuple[Any, Any]:
    """The grammar of a language and what to look for in its trees."""
    import tree_sitter  # an optional package, see above

    grammar = _GRAMMARS[language]
    loaded = tree_sitter.Language(getattr(import_module(grammar.package), grammar.function)())
    return loaded, tree_sitter.Query(loaded, grammar.query)


def _tree_definitions(nodes: Sequence[Any], container: bool) -> Iterator[Definition]:
    for node in nodes:
        first = node
        while first.parent is not None and first.parent.type in _OUTSIDE:
            first = first.parent
        before = first.prev_named_sibling
        while before is not None and before.type in _BEFORE:
            first, before = before, before.prev_named_sibling
        header, end = node.start_point.row, node.end_point.row + 1
        holder = node.child_by_field_name("value") or node  # const name = (...) => { body }
        body = holder.child_by_field_name("body")
        header_end = header + 1 if body is None else max(header, body.start_point.row) + 1
        yield Definition(first.start_point.row, header, node.start_point.column, container, header_end=header_end, end=end)
