"""One conversation on a page: its figures, which texts were shortened, and message by message before and after."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from headroom import BlockReport
from headroom.inspect.differences import Comparer, Difference, Piece
from headroom.inspect.examined import Examined
from headroom.inspect.page import Link, share, table, text, totals
from headroom.inspect.retrieval import retrieval
from headroom.inspect.untouched import untouched

LONG = 1_200
"""Characters from which a text that was left alone is folded away."""
MOST_OPEN_ROWS = 15
"""Of the list of shortened texts: a longer one is folded away."""
MOST_COMPARED = 3_000_000
"""Characters. A longer text, which no model would take, is shown without highlights: a comparison would take a minute."""
TAGS = {"left out": "del", "earlier": "ins", "mark": "mark"}
_TOO_LONG = '<p class="soft">Too long to be compared: nothing is highlighted.</p>'
HEADINGS = ["shortened", "kind", "tokens before", "after", "saved"]


class SessionView:
    """Renders conversation `number` of a page as HTML. `limit`: characters of one text that are shown."""

    def __init__(self, one: Examined, number: int, *, alone: bool, limit: int) -> None:
        self._one = one
        self._number = number
        self._alone = alone
        self._limit = limit
        self._comparer = Comparer()
        self._places = {id(block): f"text-{number}-{place}" for place, block in enumerate(one.result.blocks)}
        self._level = 2 if alone else 3

    def html(self) -> str:
        """All of it."""
        blocks: dict[int, list[BlockReport]] = defaultdict(list)
        for block in self._one.result.blocks:
            blocks[int(block.path[0])].append(block)
        messages = [self._message(index, message, blocks[index]) for index, message in enumerate(self._one.result.messages)]
        title = "" if self._alone else f'<h2 id="session-{self._number}">{text(self._one.name)}</h2>'
        return f"{title}<section>{self._figures()}{self._overview()}</section>{''.join(messages)}"

    def _figures(self) -> str:
        result = self._one.result
        changed = sum(block.changed for block in result.blocks)
        figures = totals(
            [
                ("Tokens before", f"{result.tokens_before:,}"),
                ("Tokens after", f"{result.tokens_after:,}"),
                ("Saved", f"{result.compression_ratio:.1%}"),
                ("Texts shortened", f"{changed:,} of {len(result.blocks):,}"),
                ("Answers of the model", f"{len(self._one.requests):,}"),
            ]
        )
        counted = f"counted for {result.model or 'no model'}{'' if result.tokens_exact else ': an estimate, no public vocabulary'}"
        return f'{figures}<p class="soft">{text(counted)}</p>'

    def _overview(self) -> str:
        """Where the shortened texts are, the largest saving first."""
        changed = sorted((block for block in self._one.result.blocks if block.changed), key=lambda block: -block.tokens_saved)
        if not changed:
            return '<p class="soft">No text was shortened. Each says why.</p>'
        rows = [self._row(block) for block in changed]
        opened = " open" if len(rows) <= MOST_OPEN_ROWS else ""
        words = f"{len(rows):,} shortened {'text' if len(rows) == 1 else 'texts'}"
        return f"<details{opened}><summary>{words}</summary>{table('Shortened texts', HEADINGS, rows, texts=2)}</details>"

    def _row(self, block: BlockReport) -> list[str | Link]:
        where = Link(f"{self._who(block)}, message {block.path[0]}", f"#{self._places[id(block)]}")
        counts = [f"{block.tokens_before:,}", f"{block.tokens_after:,}", share(block.tokens_saved, block.tokens_before)]
        return [where, block.kind, *counts]

    def _who(self, block: BlockReport) -> str:
        return self._one.tools.get(block.path) or "the user"

    def _message(self, index: int, message: Any, blocks: list[BlockReport]) -> str:
        """One message: the texts that might have changed, and all else as it stands."""
        role = self._one.roles[index]
        parts = [self._block(block) for block in blocks]
        rest = untouched(message, {block.path for block in blocks}, index)
        if rest:
            parts.append(self._quiet(f"{role}: never changed", rest))
        changed = " changed" if any(block.changed for block in blocks) else ""
        heading = self._heading(f"message {index}, {role}", self._level, "soft")
        return f'<article class="message{changed}">{heading}{"".join(parts)}</article>'

    def _heading(self, words: str, level: int, kind: str = "") -> str:
        named = f' class="{kind}"' if kind else ""
        return f"<h{level}{named}>{text(words)}</h{level}>"

    def _block(self, block: BlockReport) -> str:
        who = self._who(block)
        if not block.compressor:
            self._comparer.show(block.after)
            redacted = ", redacted" if block.redacted else ""
            return self._quiet(f"{who}, {block.tokens_before:,} tokens{redacted}, left alone: {block.reason}", block.after)
        difference = self._difference(block)
        saved = f"{block.tokens_before:,} to {block.tokens_after:,} tokens, {share(block.tokens_saved, block.tokens_before)} saved"
        how = "shortened, the rest is in the store" if block.lossy else "written shorter, nothing left out"
        place = self._places[id(block)]
        return (
            f'<div class="text" id="{place}"><header>{self._heading(who, self._level + 1)}<span>{text(block.kind)}</span>'
            f'<span class="soft">{text(saved)}</span></header>'
            f"<p>{text(how)}{': ' + text(block.note) if block.note else ''}</p>"
            f"{_TOO_LONG if len(block.before) > MOST_COMPARED else ''}{self._side_by_side(difference, place)}"
            f"{retrieval(block, self._one.store, self._one.namespace)}</div>"
        )

    def _difference(self, block: BlockReport) -> Difference:
        if len(block.before) > MOST_COMPARED:
            self._comparer.show(block.after)
            return Difference([Piece(block.before, "shown")], [Piece(block.after, "shown")])
        return self._comparer.compare(block.before, block.after, lossy=block.lossy, points_back="shown earlier" in block.note)

    def _side_by_side(self, difference: Difference, place: str) -> str:
        envelope = " (taken out of a JSON string)" if difference.unwrapped else ""
        before = self._pre(difference.before, "before", f"{place}-out")
        jump = f' <a href="#{place}-out">to what was left out</a>' if f'id="{place}-out"' in before else ""
        after = self._pre(difference.after, "after")
        return (
            f'<div class="two"><figure><figcaption>before{envelope}{jump}</figcaption>{before}</figure>'
            f"<figure><figcaption>after: what the model reads</figcaption>{after}</figure></div>"
        )

    def _quiet(self, words: str, shown: str) -> str:
        opened = " open" if len(shown) <= LONG else ""
        return f"<details{opened}><summary>{text(words)}</summary>{self._pre([Piece(shown, 'shown')], words)}</details>"

    def _pre(self, pieces: list[Piece], name: str, first: str = "") -> str:
        """A text in its own scrolling box; the first part that was left out gets the id `first`."""
        out: list[str] = []
        left = self._limit
        for piece in pieces:
            if left <= 0:
                break
            marked = first if piece.state in ("left out", "earlier") else ""
            out.append(_piece(piece, left, marked))
            first = "" if marked else first
            left -= len(piece.text)
        more = sum(len(piece.text) for piece in pieces) - self._limit
        cut = f'<p class="soft">cut here: {more:,} characters more are not shown</p>' if more > 0 else ""
        # A line break behind the tag is no part of the text: without it, a text that begins with one would lose it.
        return f'<pre tabindex="0" role="group" aria-label="{text(name)}">\n{"".join(out)}</pre>{cut}'


def _piece(piece: Piece, most: int, marked: str) -> str:
    tag = TAGS.get(piece.state, "span")
    names = (f' id="{marked}"' if marked else "") + (' class="row"' if piece.block else "")
    shown = text(piece.text[:most])
    return f"<{tag}{names}>{shown}</{tag}>" if tag != "span" or names else shown
