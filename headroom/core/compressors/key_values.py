"""Descriptions of one thing: `kubectl describe`, YAML, `systemctl status`, indented `key: value` texts.

The fold takes the padding out. The digest keeps the outline: a line is worth more in a section that tells how the
thing is doing (state, reason, events, conditions) than in one that tells how it was set up (tolerations, volumes,
annotations), and a line never stands without the keys above it. Each gap names the first keys that it hides.
"""

from __future__ import annotations

import re
from collections import Counter
from sys import intern

from headroom.core.compressors.grids.layouts import aligned
from headroom.core.compressors.grids.rows import add_hits
from headroom.core.compressors.lines.choosing import GAP_TOKENS, bridge, choose, gap_mark, render
from headroom.core.compressors.lines.templates import templates_of
from headroom.core.detect import Sample
from headroom.core.tokens import estimate
from headroom.core.types import ContentKind, Request, Shortened
from headroom.core.worth import Query

LEAST_LINES = 6
MAX_NAMED = 3
"""Keys that a gap names."""

_KEYED = re.compile(r"[ \t]*(?:- )*\"?[^\W\d][\w./ ()\-]{0,60}\"?:(?: |$)")
_ITEM = re.compile(r"[ \t]*- \S")
_LOGGED = re.compile(r"[ \t]*(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|info|debug|warn|warning|error):")
_CODE = re.compile(
    r"\s*(?:def|class|if|for|while|else|try|except|return|import|from|elif|with|public|private|case|default|function|const|let|var)\b.*[:;{(]\s*$"
)
_PADDED = re.compile(r"([ \t]*(?:- )?[^\W\d][\w./ ()\-]{0,60}:) {2,}(?=\S)")
_BLOCK = re.compile(r"(?:- +){0,9}(?:[^\n]{1,200}?: +)?(?:![^ ]{0,60} +)?(?:&[^ ]{1,60} +)?[|>][-+0-9]{0,2}(?: +#[^\n]*)?\r?")
"""A line below which the text of a YAML block begins."""
_KEY = re.compile(r"[ \t]*(?:- )*\"?([^\W\d][\w./\-]*(?: [\w./()\-]+){0,3})\"?:")
_STATE = re.compile(
    r"(?:last )?state|status|reason|message|exit.?code|conditions?|events?|restart.?count|ready|error|failed|warnings?|phase|health|active"
    r"|result",
    re.IGNORECASE,
)
_SETUP = re.compile(
    r"image|limits|requests|host|command|args|name|namespace|kind|node|replicas|started|finished|type|selector|port|probe|liveness|readiness"
    r"|loaded|main pid|memory|cpu|version|strategy|schedule|non-terminated pods"
    r"|allocated resources|capacity|allocatable|taints|unschedulable",
    re.IGNORECASE,
)
_BORING = re.compile(
    r"tolerations?|volumes?|volumemounts|mounts|qos.?class|annotations|managedfields|node-?selectors?|ownerreferences|uid|resourceversion"
    r"|selflink|generation|creationtimestamp|container id|image ?id|containerid|optional|configmapname|tokenexpirationseconds|defaultmode"
    r"|kubectl.kubernetes.io/last-applied-configuration|f:.*|dnspolicy|schedulername|terminationmessage\w*|system info|finalizers"
    r"|securitycontext",
    re.IGNORECASE,
)
_NOT_TRUE = re.compile(r"\s+(?:\w+)\s+(?:False|Unknown)\b")
_GOOD_FALSE = re.compile(r"\s*\w*(?:Pressure|Unavailable|Optional)\b.*False", re.IGNORECASE)

TROUBLE_WORTH = 4.0
STATE_WORTH = 3.0
SETUP_WORTH = 1.6
PLAIN_WORTH = 1.0
BORING_SHARE = 0.12


class KeyValues:
    """Keys with values, nested by indentation."""

    kind: ContentKind = "key_values"

    def claims(self, sample: Sample) -> bool:
        """Most lines are `key: value`, `key:` or list items, none of it code."""
        if sample.first in ("{", "[", "<", "#") or sample.text.count(":", 0, 2_000) < LEAST_LINES - 1:
            return False
        lines = [line for line in sample.lines[:80] if line.strip()]
        if len(lines) < LEAST_LINES:
            return False
        keyed = 0.0
        nested = code = 0
        for line in lines:
            if _KEYED.match(line) is not None:
                keyed += 1
                nested += line[0] in " \t" or line.endswith(":") or ":  " in line
                code += _CODE.match(line) is not None or _LOGGED.match(line) is not None
            elif _ITEM.match(line) is not None:
                keyed += 1
            elif line[0] in " \t":
                keyed += 0.4  # the rest of a value, a block
        prefixes = Counter(line.partition(":")[0] for line in lines if _KEYED.match(line) is not None)
        if keyed >= 10 and prefixes and max(prefixes.values()) > 0.5 * keyed:
            return False  # one word before every line: a listing or a log
        return keyed >= 0.6 * len(lines) and nested >= 0.2 * len(lines) and code <= 1

    def compress(self, text: str, request: Request) -> Shortened | None:
        """Fold; digest by sections if the fold is over the allowance. See `Compressor.compress`."""
        ending = "\n" if text.endswith("\n") else ""
        lines = text[: len(text) - len(ending)].split("\n")
        folded, numbers = fold(lines)
        whole = "\n".join(folded) + ending
        result = Shortened(whole, "padding removed", False) if len(whole) < 0.98 * len(text) else None
        size = estimate(whole)
        allowance = request.allowance(size)
        if request.lossless or size <= 1.25 * allowance:
            return result
        outline = Outline(folded, numbers)
        worths = outline.worths(request.query)
        costs = [len(line) * 5 // 18 + 1 for line in folded]  # 3.6 characters a token
        keep = choose(worths, costs, allowance, GAP_TOKENS)
        omitted = bridge(keep, costs)  # lines as folded; the note counts those of the text
        shown = render(folded, keep, outline.mark)
        if not omitted or len(shown) > 0.95 * len(whole):
            return result
        return Shortened(shown + ending, outline.note(keep, len(lines)), True)


def fold(lines: list[str]) -> tuple[list[str], list[int]]:
    """The lines without the blanks that align values and without trailing ones, and the number of each in `lines`.

    A table under a key (events, conditions) is written with bars instead of padding, without the rule below its header.
    """
    folded: list[str] = []
    numbers: list[int] = []
    column = indent = -1
    block = -1
    """The indentation of the key whose text, a YAML block, goes on: its blanks are its own. -1: there is none."""
    at = 0
    while at < len(lines):
        line = lines[at].rstrip(" \t")
        if block >= 0 and (not line.strip("\r") or len(line) - len(line.lstrip(" ")) > block):
            folded.append(lines[at])
            at += 1
            numbers.append(at)
            continue
        block = _block_indent(line)
        at += 1
        if "  " in line:
            start = len(line) - len(line.lstrip(" "))
            table = _table(lines, at - 1, start) if block < 0 and at < len(lines) and _is_rule(lines[at]) else None
            if table is not None:
                folded.append(table[0])
                folded += table[1:]
                numbers.append(at)
                numbers += range(at + 2, at + 1 + len(table))
                at += len(table)
                column = -1
                continue
            padded = _PADDED.match(line) if ":  " in line else None
            if padded is not None:
                column, indent = padded.end(), start
                line = f"{padded[1]} {line[column:]}"
            elif start == column and line:
                line = " " * (indent + 2) + line[column:]  # goes on under the value that was moved
            else:
                column = -1
        elif line:
            column = -1
        folded.append(line)
        numbers.append(at)
    return folded, numbers


def _block_indent(line: str) -> int:
    """The indentation of a line below which the text of a YAML block begins; -1 for another line."""
    if "|" not in line and ">" not in line:
        return -1
    words = line.lstrip(" ")
    return len(line) - len(words) if _BLOCK.fullmatch(words) is not None else -1


def _is_rule(line: str) -> bool:
    return line.count("-") > 3 and not line.strip("- \t\r")


def _table(lines: list[str], start: int, indent: int) -> list[str] | None:
    """The table whose header is line `start`: one line a row, its rule left out."""
    blanks = " " * indent
    end = start + 2
    while end < len(lines) and lines[end].startswith(blanks) and lines[end][indent : indent + 1] not in ("", " "):
        if _is_rule(lines[end]):  # another table's: reading on from every rule would cost the square of them
            break
        end += 1
    block = [line[indent:].rstrip() for line in lines[start:end]]
    if any("|" in line for line in block):
        return None
    grid = aligned(block, 1)
    if grid is None or not grid.names:
        return None
    return [blanks + "|".join(cells) for cells in [grid.names, *zip(*grid.columns, strict=True)]]


def _level(key: str) -> tuple[float, bool]:
    """What a key's line is worth by itself, and whether nothing below it is worth much."""
    if not key:
        return 0.8 * PLAIN_WORTH, False
    boring = _BORING.fullmatch(key) is not None
    if _STATE.fullmatch(key) is not None:
        return STATE_WORTH, boring
    return (SETUP_WORTH if _SETUP.fullmatch(key) is not None else PLAIN_WORTH), boring


class Outline:
    """Lines with the keys above them."""

    def __init__(self, lines: list[str], numbers: list[int]) -> None:
        self.lines = lines
        self.numbers = numbers
        """Where each line stands in the original, counted from 1."""
        self.parents: list[int] = []
        """For each line the line that heads it; -1 for none."""
        self.keys: list[str] = []
        stack: list[tuple[float, int]] = []
        depth = 0.0
        for index, line in enumerate(lines):
            stripped = line.lstrip(" \t")
            if stripped:  # a blank line belongs where the line before it does
                # an item stands below a key of its own indentation, and above what is indented by one more
                depth = len(line) - len(stripped) + (0.5 if stripped.startswith("- ") else 0.0)
            while stack and stack[-1][0] >= depth:
                stack.pop()
            self.parents.append(stack[-1][1] if stack else -1)
            key = _KEY.match(line)
            self.keys.append(intern(key[1].lower()) if key is not None else "")
            if stripped:
                stack.append((depth, index))

    def worths(self, query: Query) -> list[float]:
        """The worth of each line; a line that heads others is worth a little more than the best of them."""
        count = len(self.lines)
        shares: list[float] = []
        worths: list[float] = []
        levels: dict[str, tuple[float, bool]] = {}
        for index, key in enumerate(self.keys):
            parent = self.parents[index]
            if key not in levels:
                levels[key] = _level(key)
            level, boring = levels[key]
            if level < SETUP_WORTH and parent >= 0 and not boring:
                level = max(level, 0.8 * min(worths[parent], STATE_WORTH))
            shares.append(BORING_SHARE if boring else shares[parent] if parent >= 0 else 1.0)
            worths.append(level * shares[index] * (1.0 - 0.3 * index / count))
        self._add_trouble(worths, shares)
        add_hits(self.lines, query, worths)
        for index in range(count - 1, -1, -1):
            parent = self.parents[index]
            if parent >= 0 and worths[parent] <= worths[index]:
                worths[parent] = worths[index] + 0.001
        return worths

    def _add_trouble(self, worths: list[float], shares: list[float]) -> None:
        for index, level in enumerate(templates_of(self.lines).trouble):
            if level:
                worths[index] += TROUBLE_WORTH * shares[index]  # a toleration names troubles that it does not have
        for index, line in enumerate(self.lines):
            if ("False" in line or "Unknown" in line) and not self.keys[index] and _NOT_TRUE.match(line) and not _GOOD_FALSE.match(line):
                worths[index] += TROUBLE_WORTH

    def mark(self, first: int, last: int) -> str:
        """The mark of a gap: its lines and the first keys of its highest level."""
        named = self._names(range(first - 1, last))
        words = f": {', '.join(named)}" if named and last > first else ""
        return gap_mark(self.numbers[first - 1], self.numbers[last - 1])[:-1] + words + "]"

    def _names(self, indexes: range) -> list[str]:
        keyed = [index for index in indexes if self.keys[index]]
        if not keyed:
            return []
        level = min(map(self._depth, keyed))
        names = dict.fromkeys(self._key_as_written(index) for index in keyed if self._depth(index) == level)
        return list(names)[:MAX_NAMED] + (["…"] if len(names) > MAX_NAMED else [])

    def _depth(self, index: int) -> int:
        line = self.lines[index]
        return len(line) - len(line.lstrip(" \t-"))

    def _key_as_written(self, index: int) -> str:
        key = _KEY.match(self.lines[index])
        return key[1][:30] if key is not None else ""

    def note(self, keep: bytearray, total: int) -> str:
        """How many of the `total` lines of the original are left out: those that the marks of the gaps name."""
        left = start = 0
        while start < len(keep):
            end = keep.find(1 - keep[start], start)
            end = len(keep) if end < 0 else end
            if not keep[start]:
                left += self.numbers[end - 1] - self.numbers[start] + 1
            start = end
        return f"{left:,} of {total:,} lines left out"
