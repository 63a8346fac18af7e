"""Source code: the margin of line numbers made light; then what was asked about whole, the rest as an outline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from headroom.core.compressors.code import claims as code_claims
from headroom.core.compressors.code.outline import Outline, outline
from headroom.core.compressors.code.views import EVERY, View, margin_step, read_view, write_view
from headroom.core.compressors.code.worths import line_worths, lines_at_named_number, named_lines
from headroom.core.compressors.lines import choosing as chooser
from headroom.core.detect import Sample
from headroom.core.tokens import estimate
from headroom.core.types import ContentKind, Request, Shortened

if TYPE_CHECKING:
    from headroom.core.compressors.code.parsers import FindDefinitions

_LITTLE_OVER = 1.25
"""A text over its allowance by less than this is shown whole: a gap so small is not worth the agent's second look."""
_LEAST_FOLD = 0.97
"""A light margin must make the text at least this much shorter."""
_CODE_PATH = (
    r"[\w.\-/\\@+]{0,300}\.(?:py|pyi|[cm]?jsx?|[cm]?tsx?|go|rs|java|c|h|cc|cpp|hpp|cs|rb|php|sh|kt|swift|scala|vue|md|toml|ya?ml"
    r"|json|sql|html|css)"
)
_FRAME_LINE = re.compile(
    rf"```|~~~|==> .{{1,300}} <==\s*$|(?:(?:File|FILE|Path|path)(?: path)?: ?|#{{1,6}} |// |-{{2,}} )?`?{_CODE_PATH}`?:?(?: -{{2,}})?\s*$"
    r"|</?(?:file|document|source|content|code|result|output|item|page|section|path)\w{0,20}(?: [^<>]{0,300})?>"
)
"""What stands between files in one text: fences, paths, tags."""


_NAME = re.compile(
    r"\b(?:def|class|func|function|fn|struct|enum|trait|interface|impl|module|mod|type)\s+\*?(?:\([^()]{0,80}\)\s*)?([A-Za-z_]\w*)"
)


class SourceCode:
    """Files of source code, whole or in part, with or without a margin of line numbers."""

    kind: ContentKind = "source_code"

    def claims(self, sample: Sample) -> bool:
        """Most lines are numbered one after the other, or read like a program. See `code.claims`."""
        return code_claims.is_code(sample)

    def compress(self, text: str, request: Request) -> Shortened | None:
        """A light margin if the lines are numbered; bodies left out if the rest is over the allowance."""
        body = text.rstrip("\n")
        ending = text[len(body) :]
        original = body.split("\n")
        view = read_view(original)
        if request.lossless:  # every number stays: nothing is to be worked out, only the padding goes
            return _fold(text, write_view(view, every=1) + ending, every=1) if view.numbers else None
        folded = write_view(view, named=_numbered(view, request)) if view.numbers else body
        size = estimate(folded)
        allowance = request.allowance(size)
        if size <= _LITTLE_OVER * allowance:
            return _fold(text, folded + ending, margin_step(view), view) if view.numbers else None
        costs = [len(line) * 5 // 18 + 1 for line in view.lines]  # 3.6 characters a token, without floats
        seen = request.seen(view.lines) if request.seen else bytearray()
        if 1 in seen:
            chooser.charge_pointers(costs, seen)
            if sum(costs) <= _LITTLE_OVER * allowance:
                return _fold(text, folded + ending, margin_step(view), view) if view.numbers else None
        return _digest(view, request, allowance, costs, seen, ending)


def _fold(text: str, folded: str, every: int, view: View | None = None) -> Shortened | None:
    if len(folded) > _LEAST_FOLD * len(text):
        return None
    if every == 1 or view is None:
        return Shortened(folded, "narrow line numbers", lossy=False)
    note = f"line numbers at every {every}th line and section edges"
    return Shortened(folded, note, lossy=False, implied=True, saved_at_least=_margins_dropped(view, folded))


def _digest(view: View, request: Request, allowance: int, costs: list[int], seen: bytearray, ending: str) -> Shortened | None:
    found = outline(view.lines, *_sections(view), _parsed(view, request))
    worths = line_worths(view.lines, view.numbers, found, request.query)
    chooser.prefer_seen(worths, seen)
    keep = chooser.choose(worths, costs, allowance, chooser.GAP_TOKENS)
    chooser.sink(keep, view.lines, view.numbers)
    omitted = chooser.bridge(keep, costs)
    if not omitted:
        return None
    text = write_view(view, keep, _names(view, found), _numbered(view, request)) + ending
    # a line left out is worth a token at least, and so is each margin; a gap's mark costs some 20, names and all
    saved = keep.count(0) - 20 * text.count("[… ") if keep.count(0) else 0
    return Shortened(text, _note(view, found, keep, omitted), lossy=True, saved_at_least=saved + _margins_dropped(view, text, keep))


def _numbered(view: View, request: Request) -> set[int]:
    """The lines that keep their numbers: the agent is likely to speak of them."""
    return named_lines(view.lines, request.query) | lines_at_named_number(view.numbers, request.query)


def _parsed(view: View, request: Request) -> FindDefinitions | None:
    if request.outline != "parser":
        return None
    from headroom.core.compressors.code.parsers import definitions_in  # loads Python's ast, which only this option needs

    return definitions_in(view.lines, request.query)


def _margins_dropped(view: View, text: str, keep: bytearray | None = None) -> int:
    """How many of the lines in `text` lost their number, at the least: each number that stayed has a tab behind it."""
    if not view.numbers:
        return 0
    shown = len(view.numbers) - view.numbers.count(0) if keep is None else keep.count(1)
    return shown - text.count("\t")


def _names(view: View, found: Outline) -> dict[int, str]:
    """What each definition is called, by the line of its header."""
    names = {}
    for definition in found.definitions:
        match = _NAME.search(view.lines[definition.header][:300])
        if match is not None:
            names[definition.header] = match[1]
    return names


def _sections(view: View) -> tuple[list[tuple[int, int]], code_claims.IsPython]:
    """The stretches of code, and which of them are Python."""
    sections: list[tuple[int, int]] = []
    begun = -1
    lines, numbers = view.lines, view.numbers
    for index, line in enumerate(lines):
        frame = not numbers[index] if numbers else _is_frame(line)
        if begun >= 0 and (frame or not view.runs_on(index)):
            sections.append((begun, index))
            begun = -1
        if begun < 0 and not frame:
            begun = index
    if begun >= 0:
        sections.append((begun, len(lines)))
    return sections, code_claims.python_sections(lines, sections)


def _is_frame(line: str) -> bool:
    return not line[:1].isspace() and 2 < len(line) < 400 and _FRAME_LINE.match(line) is not None


def _note(view: View, found: Outline, keep: bytearray, omitted: int) -> str:
    bodies = sum(not d.nested and not d.container and keep.find(0, d.header_end, d.end) >= 0 for d in found.definitions)
    what = f" (bodies of {bodies} function{'s' if bodies > 1 else ''})" if bodies else ""
    numbers = "; line numbers are the file's" + (f", one in {EVERY} shown" if margin_step(view) > 1 else "") if view.numbers else ""
    return f"{omitted} of {len(keep)} lines left out{what}{numbers}"
