"""Source code: what was asked about stays whole, the rest is an outline, and every shown line is the file's own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.core.compressors.source_code import SourceCode
from headroom.core.detect import Sample
from headroom.core.types import Request, Shortened, ToolCall
from headroom.core.worth import Query, QueryBuilder

GAP = re.compile(r"\[… (?:(\d+) lines(?:, (\d+)-(\d+))?|line (\d+)|1 line)(?:: [\w, ]+)?\]")
NUMBERED = re.compile(r"[1-9][0-9]*\t")


def request(budget: int = 300, lossless: bool = False, **terms: float) -> Request:
    return Request(Query(tuple(terms.items())), budget, 0.05, lossless)


def python_file(functions: int = 40) -> str:
    parts = ['"""Stock keeping."""', "", "import decimal", "from pathlib import Path", "", "LIMIT = 12", "", "", "class Warehouse:"]
    parts += ['    """Shelves and what lies on them."""', ""]
    for i in range(functions):
        parts += [
            "    @logged",
            f"    def move_{i:02d}(",
            "        self, pallet: str,",
            "    ) -> int:",
            f'        """Move a pallet along aisle {i}.',
            "",
            "        Nothing is moved twice.",
            '        """',
            f"        distance = self.aisles[{i}].length * LIMIT",
            "        for step in range(distance):",
            f"            self.forklift.drive(step, aisle={i})",
            f"        return distance - {i}",
            "",
        ]
    return "\n".join(parts) + "\n"


def numbered(text: str, first: int = 1, form: str = "{:6d}\t{}") -> str:
    return "\n".join(form.format(number, line) for number, line in enumerate(text.rstrip("\n").split("\n"), first))


def digest(text: str, wanted: Request) -> Shortened:
    assert SourceCode().claims(Sample(text))
    result = SourceCode().compress(text, wanted)
    assert result is not None
    return result


def shown_lines(result: Shortened) -> list[str]:
    return [NUMBERED.sub("", line, count=1) for line in result.text.split("\n") if not GAP.fullmatch(line)]


def left_out(result: Shortened) -> int:
    return sum(int(match[1] or 1) for match in GAP.finditer(result.text))


def test_signatures_decorators_and_first_words_stay() -> None:
    text = python_file()
    result = digest(text, request(2_000))
    assert result.text.startswith('"""Stock keeping."""')
    for i in range(40):
        assert f"    @logged\n    def move_{i:02d}(\n        self, pallet: str,\n    ) -> int:\n" in result.text
        assert f'        """Move a pallet along aisle {i}.' in result.text
    assert result.lossy


def test_the_function_asked_about_is_whole_and_findable() -> None:
    text = python_file()
    whole = text[text.index("    @logged\n    def move_23(") : text.index("    @logged\n    def move_24(")].rstrip("\n")
    result = digest(text, request(300, move_23=9.0))
    assert whole in result.text
    assert "drive(step, aisle=22)" not in result.text


def test_the_words_of_the_assistant_lead_to_the_function() -> None:
    builder = QueryBuilder()
    builder.hear("Pallets in aisle 7 arrive late.")
    query = builder.build(ToolCall("1", "read_file", '{"path": "stock/warehouse.py"}', "The culprit must be move_31, let me read it."))
    result = digest(python_file(), Request(query, 300, 0.05))
    assert "            self.forklift.drive(step, aisle=31)\n        return distance - 31" in result.text


def test_shown_lines_are_verbatim_in_order_and_counted() -> None:
    text = python_file()
    result = digest(text, request(500, forklift=3.0))
    lines = text.rstrip("\n").split("\n")
    rest = iter(lines)
    assert all(line in rest for line in shown_lines(Shortened(result.text.rstrip("\n"), "", True)))
    assert len(shown_lines(Shortened(result.text.rstrip("\n"), "", True))) + left_out(result) == len(lines)
    assert result.note == f"{left_out(result)} of {len(lines)} lines left out (bodies of 40 functions)"


def test_gap_marks_name_the_stored_lines() -> None:
    text = python_file()
    lines = text.split("\n")
    position = 0
    for line in digest(text, request(500)).text.split("\n"):
        match = GAP.fullmatch(line)
        if match is None:
            assert line == lines[position]
            position += 1
        elif match[2]:
            assert int(match[2]) == position + 1
            position = int(match[3])
        else:
            assert int(match[4]) == position + 1
            position += 1


def test_a_numbered_view_is_digested_in_the_file_s_numbers() -> None:
    text = "Here is the file:\n" + numbered(python_file(), first=201)
    result = digest(text, request(300, move_23=9.0))
    assert result.text.startswith("Here is the file:\n201\t")
    lines = python_file().split("\n")
    assert "\n".join(lines[lines.index("    def move_23(") : lines.index("    def move_23(") + 3]) in re.sub(r"(?m)^\d+\t", "", result.text)
    assert result.note.endswith("; line numbers are the file's, one in 10 shown")
    for match in re.finditer(r"(?m)^([1-9]\d*)\t(.*)$", result.text):
        assert lines[int(match[1]) - 201] == match[2]
    assert len(result.note) < 35 * 3.6


def test_line_numbers_in_the_call_are_what_is_shown() -> None:
    text = numbered(python_file())
    query = QueryBuilder().build(ToolCall("1", "view", '{"path": "a.py", "start_line": 301, "end_line": 325}'))
    result = digest(text, Request(query, 200, 0.05))
    wanted = python_file().split("\n")[300:325]
    assert "\n".join(wanted) in re.sub(r"(?m)^\d+\t", "", result.text)


@pytest.mark.parametrize("budget", [200, 9_000], ids=["digest", "fold"])
def test_the_lines_around_the_one_number_in_the_call_keep_theirs(budget: int) -> None:
    text = numbered(python_file())
    query = QueryBuilder().build(ToolCall("1", "open", '{"path": "a.py", "line": 307}'))
    result = digest(text, Request(query, budget, 0.05))
    numbers = {int(found) for found in re.findall(r"(?m)^(\d+)\t", result.text)}
    assert set(range(302, 313)) <= numbers
    assert not {296, 318} & numbers
    query = QueryBuilder().build(ToolCall("1", "open", '{"path": "a.py", "line": 307, "end": 317}'))
    numbers = {int(found) for found in re.findall(r"(?m)^(\d+)\t", digest(text, Request(query, budget, 0.05)).text)}
    assert not {308, 309, 311} & numbers


def test_a_fold_loses_only_the_margin() -> None:
    text = numbered(python_file(4), first=8)
    result = digest(text, request(9_000))
    assert not result.lossy
    assert shown_lines(result) == python_file(4).rstrip("\n").split("\n")
    assert result.note == "line numbers at every 10th line and section edges"
    assert [int(found) for found in re.findall(r"(?m)^(\d+)\t", result.text)] == [8, 10, 20, 30, 40, 50, 60, 69]


def test_lossless_folds_however_long() -> None:
    text = numbered(python_file(200))
    result = digest(text, request(0, lossless=True))
    assert not result.lossy
    assert shown_lines(result) == python_file(200).rstrip("\n").split("\n")
    assert SourceCode().compress(python_file(200), request(0, lossless=True)) is None


def test_a_little_over_the_allowance_is_whole() -> None:
    text = python_file(8)
    size = len(text) / 3.6
    assert SourceCode().compress(text, request(int(size * 0.8))) is None
    assert SourceCode().compress(text, request(int(size * 0.5))) is not None


def test_two_files_in_one_text() -> None:
    text = f"stock/warehouse.py\n```\n{numbered(python_file(20))}\n```\n\nstock/aisles.py\n```\n{numbered(python_file(20), first=90)}\n```"
    result = digest(text, request(400))
    for sign in ("stock/warehouse.py\n```\n1\t", "stock/aisles.py\n```\n[… 8 lines, 90-97]\nclass Warehouse:"):
        assert sign in result.text
    assert result.text.count("```") == 4
    plain = f'<file path="a/one.py">\n{python_file(20)}</file>\n<file path="a/two.py">\n{python_file(20)}</file>'
    result = digest(plain, request(400))
    assert '<file path="a/one.py">' in result.text
    assert '</file>\n<file path="a/two.py">' in result.text


TYPESCRIPT = """import { Parcel } from "./parcel";

export interface Route {
  from: string;
  to: string;
}

export class Courier {
  private load: Parcel[] = [];

  constructor(private readonly name: string) {
    this.load = [];
  }
%s
}

export const weigh = (parcels: Parcel[]): number => {
  return parcels.reduce((sum, parcel) => sum + parcel.weight, 0);
};
"""


def test_typescript() -> None:
    methods = "".join(
        f"""
  async deliver{i}(
    route: Route,
    retries = {i},
  ): Promise<void> {{
    for (const parcel of this.load) {{
      if (parcel.weight > {i}) {{
        await this.drop(parcel, route);
      }}
    }}
    this.done.push("{i}");
  }}
"""
        for i in range(30)
    )
    result = digest(TYPESCRIPT % methods, request(1_500, deliver17=9.0))
    assert 'if (parcel.weight > 17) {\n        await this.drop(parcel, route);\n      }\n    }\n    this.done.push("17");' in result.text
    for i in range(30):
        assert f"  async deliver{i}(\n    route: Route,\n    retries = {i},\n  ): Promise<void> {{" in result.text
    assert "export class Courier {" in result.text
    assert "parcel.weight > 16" not in result.text


def test_go() -> None:
    functions = "".join(
        f"""
// Pack{i} puts the goods of kind {i} into boxes.
func (s *Store) Pack{i}(goods []Good) (int, error) {{
	boxes := 0
	for _, good := range goods {{
		if good.Kind == {i} {{
			boxes++
		}}
	}}
	if boxes == 0 {{
		return 0, fmt.Errorf("nothing of kind {i}")
	}}
	return boxes, nil
}}
"""
        for i in range(30)
    )
    text = f'package store\n\nimport (\n\t"fmt"\n)\n\ntype Store struct {{\n\tname string\n}}\n{functions}'
    result = digest(text, request(1_150, pack12=9.0))
    for i in range(30):
        assert f"func (s *Store) Pack{i}(goods []Good) (int, error) {{" in result.text
    assert 'if boxes == 0 {\n\t\treturn 0, fmt.Errorf("nothing of kind 12")\n\t}\n\treturn boxes, nil\n}' in result.text
    assert 'fmt.Errorf("nothing of kind 11")' not in result.text


def test_broken_python_gets_an_outline_too() -> None:
    text = "        leftover = (of, a, cut\n" + python_file() + "def unfinished(a, b\n    return a +\n"
    result = digest(text, request(1_600))
    assert all(f"    def move_{i:02d}(" in result.text for i in range(40))


def test_a_part_that_begins_inside_a_docstring() -> None:
    text = "the rest of a docstring\nthat began further up.\n" + '"""\n' + python_file()
    result = digest(text, request(1_600))
    assert all(f"    def move_{i:02d}(" in result.text for i in range(40))


def test_a_warning_of_python_s_own_parser_does_not_leak() -> None:
    digest(python_file() + 'PATTERN = "\\d"\n', request(300))  # an invalid escape; warnings are errors in this run


def test_more_budget_never_shows_less() -> None:
    for text in (python_file(), numbered(python_file(), first=33)):
        smaller: set[str] = set()
        for budget in (0, 40, 100, 200, 300, 450, 700, 1_000, 1_500, 2_200):
            result = SourceCode().compress(text, request(budget, move_07=9.0, forklift=2.0))
            shown = set(shown_lines(result or Shortened(text, "", False)))
            assert smaller <= shown | {""}, budget
            smaller = shown


@pytest.mark.parametrize(
    "text",
    [
        "The class of 1984 met again. Import duties were discussed.\n" * 20,
        "\n".join(f"2024-05-01 10:00:{i:02d} INFO def loader: import finished in {i} ms" for i in range(50)),
        '{\n  "class": "import",\n' + "".join(f'  "key{i}": {i},\n' for i in range(30)) + '  "end": 1\n}',
        "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1,30 +1,30 @@\n"
        + "".join(f"+def f{i}():\n-    return {i}\n" for i in range(20)),
        "".join(f"src/shop/cart_{i}.py:{i * 7}:def total_{i}(self):\n" for i in range(30)),
        "".join(f"{i * 7}:def total_{i}(self):\n" for i in range(1, 30)),
        "id\tname\tcity\n" + "".join(f"{i}\tAda\tLeeds\n" for i in range(1, 40)),
        " id | name\n----+------\n" + "".join(f"  {i} | Ada\n" for i in range(1, 40)),
        "$ python run.py\nimport done\n" + "".join(f"step {i} ok\n" for i in range(30)) + "def f(): pass\n",
        "".join(f"{i * 12}\t./folder_{i}\n" for i in range(1, 40)),
        "# Guide\n\nFirst you have to install the package, then import it as shown here.\n\n" * 6
        + "```python\nimport shop\n\ndef main():\n    shop.run()\n```\n\n" * 6,
        "",
        "\0" * 500,
    ],
)
def test_what_is_no_code_is_not_claimed(text: str) -> None:
    assert not SourceCode().claims(Sample(text))


@pytest.mark.parametrize("form", ["{:6d}\t{}", "{}:{}", "{}|{}", "{:5d}→{}", "{:4d} | {}", "{}: {}", "{:5d} {}"])
def test_views_are_claimed_whatever_their_margin(form: str) -> None:
    text = numbered(python_file(3), first=96, form=form)
    result = digest(text, request(5_000))
    assert shown_lines(result) == python_file(3).rstrip("\n").split("\n")


@given(st.text(max_size=400), st.integers(0, 300))
def test_never_raises(text: str, budget: int) -> None:
    SourceCode().claims(Sample(text))
    result = SourceCode().compress(text, request(budget, **{"0": 1.0}))
    assert result is None or result.note


@given(st.lists(st.sampled_from([*python_file(2).split("\n"), "/*", "*/", "'''", '"""', "}", "{", "...", "  7\tx", "```"]), max_size=60))
def test_any_lines_are_counted(lines: list[str]) -> None:
    text = "\n".join(lines)
    for given_text in (text, numbered(text)):
        result = SourceCode().compress(given_text, request(20, step=2.0))
        if result is None or not result.lossy:
            continue
        body = Shortened(result.text.rstrip("\n"), "", True)
        assert len(shown_lines(body)) + left_out(body) == len(given_text.rstrip("\n").split("\n"))


def test_ten_thousand_brackets_and_lone_surrogates() -> None:
    for text in (
        "def f(\n" * 10_000,
        "(" * 10_000 + "\nimport x\n" * 200,
        "def g():\n    x = '\ud800'\n" * 200,
        "import a\n" + "x" * 100_000 + "\n",
    ):
        SourceCode().claims(Sample(text))
        SourceCode().compress(text, request(100))


def test_a_gap_names_the_definitions_that_it_hides() -> None:
    code = "\n\n".join(f"def step_{i}(order):\n" + "\n".join(f"    order.total_{i} += {j}" for j in range(12)) for i in range(30))
    result = SourceCode().compress(code, Request(Query(), 60, 0.0))
    assert result is not None
    names = [
        name
        for match in re.finditer(r"\[… \d+ lines, [\d-]+: ([\w, ]+?)(?: and (\d+) more)?\]", result.text)
        for name in match[1].split(", ")
    ]
    assert names, "an outline of what is left out"
    assert all(f"def {name}(" in code for name in names)
