"""Test runs and diagnostics: every failure, every distinct complaint, the summary; what passed is counted by file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from headroom.core import tokens
from headroom.core.compressors.grids.rows import hits_by_line
from headroom.core.compressors.lines.folds import ESCAPE, Folded, fold_lines
from headroom.core.compressors.lines.templates import templates_of
from headroom.core.compressors.lines.units import Shown, Units, choose_units, show, units_of
from headroom.core.compressors.lines.worths import LOG, worths_of
from headroom.core.compressors.reports.diagnostics import Diagnostic, diagnostic, fold_places, grouped_diagnostic, is_heading
from headroom.core.detect import Sample
from headroom.core.types import ContentKind, Request, Shortened

TABLE_TOKENS = 120
MAX_FILES = 6
MAX_RULES = 12

_REPORT = re.compile(
    r"=+ (?:test session starts|FAILURES|ERRORS|short test summary|warnings summary|(?:\S+ +){0,8}?\d+ (?:passed|failed|errors?)\b)"
    r"|collected \d+ items?|Ran \d+ tests? in |(?:OK|FAILED)(?: \([\w =,]+\))?$|={30,}$|(?:Tests|Test Suites|Test Files):? +\d+ "
    r"|(?:PASS|FAIL)(?:ED)?:? +\S+|=== (?:RUN|PAUSE|CONT)\b|\s*--- (?:PASS|FAIL|SKIP): |ok\s+\S+\s+(?:\(cached\)|[\d.]+s)"
    r"|running \d+ tests?$|test \S+ \.\.\. (?:ok|FAILED|ignored)|test result: |(?:\[\w+\] )?Tests run: \d+"
    r"|[^\s:]+::\S+ (?:PASSED|FAILED|SKIPPED|ERROR|XFAIL)|\w+ \([\w.]+\) \.\.\. (?:ok|FAIL|ERROR|skipped)"
    r"|[\w./\\-]+\.py [.FEsxX]+(?: +\[ *\d+%\])?$|\s+[✓✕✗×√●] \S|not ok \d|ok \d+ - |\s*Failures?:$"
    r"|E   +\S|[\w./\\-]+\.py:\d+: \w*(?:Error|Exception|Failed)\b"
)
_PASS = re.compile(
    r"(?P<a>[^\s:]+)(?:::.*?)? PASSED\b|PASS(?:ED)? +(?P<b>\S+)|\s*--- PASS: (?P<c>\S+)|ok\s+(?P<d>\S+)\s+(?:\(cached\)|[\d.]+s)"
    r"|test (?P<e>\S+) \.\.\. (?:ok\b|ignored\b)|\w+ \((?P<f>[\w.]+)\) \.\.\. ok|\s+[✓√] (?P<g>.+)|ok \d+ - (?P<h>.*)"
    r"|(?:\[INFO\] )?Tests run: \d+, Failures: 0, Errors: 0.*(?:in|-) (?P<i>\S+)$|(?P<j>[\w./\\-]+\.py) [.sx]+(?: +\[ *\d+%\])?$"
    r"|(?:=== (?:RUN|PAUSE|CONT)|\[INFO\] Running)\s+(?P<k>\S+)"
)
_RUN = re.compile(r"Tests run: (\d{1,9})")
_SKIPPED = re.compile(r"Skipped: (\d{1,9})")
_TAP_SKIP = re.compile(r"# skip\b", re.IGNORECASE)
_FAIL = re.compile(
    r"\S+ (?:FAILED|ERROR)\b|(?:[*•-] )?(?:FAILED|ERROR|FAIL|XPASS)[ :\t]+\S|\s*--- FAIL: |test \S+ \.\.\. FAILED"
    r"|\w+ \([\w.]+\) \.\.\. (?:FAIL|ERROR)"
    r"|\s+[✕✗×] |not ok \d|\s*● \S|_{3,} .+ _{3,}$|---- \S+ stdout ----|thread '.*' panicked at|\[ERROR\] \S|.*<<< (?:FAILURE|ERROR)!"
)
_DETAIL = re.compile(
    r"E  |>  |\s*(?:assert|AssertionError|Expected|Received|expected|actual|got|want|left:|right:|- Expected|\+ Received)\b"
    r"|\s*[-+?] |[\w./\\-]+:\d+:|\w*(?:Error|Exception)\b"
)
_ESSENCE = re.compile(r"E   |>   +\S")
"""What pytest says went wrong, and the statement that did: at the end of a trace, and wanted before it."""
_SUMMARY_WORD = re.compile(
    r"[Tt]ests?\b|Suites|Files|Snapshots|Time|Ran|OK|FAIL|ok\t|BUILD|rror|arning|problem|passed|passing|skipped|examples?\b|# "
)
_SUMMARY = re.compile(
    r"=+ (?:\S+ +){0,8}?\d+ (?:passed|failed|errors?|skipped)\b|(?:Tests|Test Suites|Test Files|Snapshots|Time):? +\d|Ran \d+ tests? in "
    r"|(?:OK|FAILED)(?: \([\w =,]+\))?$|test result: |(?:\[\w+\] )?(?:Tests run: \d+, Failures: \d+, Errors: \d+, Skipped: \d+\s*$)"
    r"|(?:\[\w+\] )?BUILD (?:SUCCESS|FAILURE|FAILED|SUCCESSFUL)|FAIL$|(?:FAIL|ok)\t\S+\t|Found \d+ errors?|error: could not compile"
    r"|error: aborting due to|# (?:tests|pass|fail) \d+"
    r"|(?:\S+ +){0,8}?\d+ (?:problems? \(|examples?\b|passing\b|failing\b|errors? and \d|errors? generated|warnings? (?:emitted|generated))"
    r"|\s*\d+ (?:[Ee]rror|[Ww]arning)\(?s\)?$"
)
_BANNER = re.compile(r"=+ (?:FAILURES|ERRORS|short test summary info|warnings summary) =+|failures:$|Failures?:$|-+ Captured \w.* -+$")
_NOT_OWN = re.compile(r"[=_\-]{3,}|\S+ (?:PASSED|FAILED)\b|FAIL|PASS|ok |=== RUN|\s*--- ")
NEVER = 1 << 40
"""Added to the cost of what passed: it is counted, not shown, whatever the budget."""
FAILURE_LINES = 120
"""Lines of one failure that count as its own."""


class TestReports:
    """What a test runner, a compiler or a linter prints."""

    kind: ContentKind = "test_reports"
    __test__ = False  # pytest would collect the name

    def claims(self, sample: Sample) -> bool:
        """Three lines that only a test runner prints, or many lines that name a place and complain about it."""
        lines = sample.lines
        if sample.first in ("{", "<") or len(lines) < 4:
            return False
        if "\x1b" in sample.head:
            lines = ESCAPE.sub("", sample.head).splitlines()
        tail = sample.text[-1_500:].splitlines()[1:] if len(sample.text) > len(sample.head) else []
        reported = sum(_REPORT.match(line) is not None for line in [*lines[:80], *tail[-25:]] if line)
        if reported >= 3 or (reported == 2 and len(lines) < 30):
            return True
        if not any(character in sample.head for character in ":("):
            return False
        complaints = sum(diagnostic(line) is not None for line in lines[:80] if len(line) < 600)
        complaints += sum(line.startswith(("warning: ", "error: ", "error[")) for line in lines[:80])
        return complaints >= max(3, 0.15 * min(len(lines), 80))

    def compress(self, text: str, request: Request) -> Shortened | None:
        """Fold; digest if the fold is over the allowance. See `Compressor.compress`."""
        # lossless: "[ 45%]" behind a test's name is no progress bar
        folded = fold_places(fold_lines(text, formatting=True, lossless=True))
        whole = folded.text()
        note = ", ".join(folded.done) or "trailing blanks removed"
        fold = Shortened(whole, note, folded.lossy) if len(whole) < len(text) else None
        size = tokens.estimate(whole)
        allowance = request.allowance(size)
        if request.lossless or size <= 1.25 * allowance:
            return fold
        units = units_of(folded)
        report = _Report(units.texts)
        worths = report.worths(request)
        for index in report.unasked:
            worths[index] = -1.0
            units.costs[index] += NEVER
        keep = choose_units(units, worths, allowance - TABLE_TOKENS * bool(report.told or report.complaints))
        shown = show(units, keep)
        if not shown.omitted and not shown.cut:
            return fold
        body = "\n".join([shown.text, *report.left_out(keep)])
        if len(body) > 0.95 * len(whole):
            return fold
        return Shortened(body, _note(units, shown, folded), True)


class _Report:
    """The lines of a report, each known for what it is."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.passed: dict[int, tuple[str, int]] = {}
        """Lines that tell of tests that passed: (file or suite, how many)."""
        self.skipped: dict[int, tuple[str, int]] = {}
        self.expected: dict[int, tuple[str, int]] = {}
        """The same of tests that failed as expected."""
        self.packages: dict[int, str] = {}
        """Lines that tell of packages all of whose tests passed."""
        self.unasked: set[int] = set()
        """Lines that tell of passing and starting tests only, and that no one asked for."""
        self.failed: list[int] = []
        self.complaints: dict[int, Diagnostic] = {}
        self.heads: dict[int, int] = {}
        """The line with the path above an indented complaint."""
        self._file = "tests"
        self._read(lines)
        self.told = {*self.passed, *self.skipped, *self.expected, *self.packages}
        """Lines of which the lines below the report tell, where they are not shown."""

    def _read(self, lines: Sequence[str]) -> None:
        head = -1
        grouped = False
        for index, line in enumerate(lines):
            if not line:
                continue
            if line[0] not in " \t":
                head = index
                grouped = is_heading(line)
            if grouped and line.startswith("  ") and (found := grouped_diagnostic(line)) is not None:
                self.complaints[index] = found
                self.heads[index] = head
            elif (passed := _PASS.match(line)) is not None:
                self._pass(index, line, passed)
            elif _FAIL.match(line) is not None and not _is_summary(line):
                self._file = line[5:].split(" (")[0].strip() if line.startswith("FAIL ") else self._file
                self.failed.append(index)
            elif (found := diagnostic(line)) is not None:
                self.complaints[index] = found
                if line[0] in " \t" and head >= 0:
                    self.heads[index] = head

    def _pass(self, index: int, line: str, passed: re.Match[str]) -> None:
        self.unasked.add(index)
        which = passed.lastgroup
        name = passed[which] if which else ""
        if which == "b":
            self._file = name
        elif which == "j":
            self._count_letters(index, line, name)
        elif which == "d":
            self.packages[index] = name
        elif which == "i":
            self._count_run(index, line, name)
        elif which != "k":
            self._count(index, _group(which, name, self._file), _is_skipped(line, which))

    def _count(self, index: int, name: str, skipped: bool) -> None:
        (self.skipped if skipped else self.passed)[index] = (name[:60], 1)

    def _count_letters(self, index: int, line: str, name: str) -> None:
        """pytest's line of a file: a letter for each test."""
        letters = line.partition(".py ")[2].partition("[")[0]
        for letter, counted in ((".", self.passed), ("s", self.skipped), ("x", self.expected)):
            if letter in letters:
                counted[index] = (name[:60], letters.count(letter))

    def _count_run(self, index: int, line: str, name: str) -> None:
        """Maven's line of a class: `Tests run: 9, Failures: 0, Errors: 0, Skipped: 2`."""
        run, skipped = _RUN.search(line), _SKIPPED.search(line)
        without = int(skipped[1]) if skipped is not None else 0
        group = (name.rpartition(".")[0] or name)[:60]
        self.passed[index] = (group, int(run[1]) - without if run is not None else 1)
        if without:
            self.skipped[index] = (group, without)

    def worths(self, request: Request) -> list[float]:
        """The worth of each line."""
        worths = worths_of(self.lines, templates_of(self.lines), request.query, LOG)
        asked = hits_by_line(self.lines, request.query)
        self.unasked -= {index for index, weight in asked.items() if weight > 1.0}
        self._rate_failures(worths)
        self._rate_complaints(worths)
        for index, line in enumerate(self.lines):
            if line and index not in self.told and _is_summary(line):
                worths[index] = max(worths[index], 14.0)
            elif line and _BANNER.match(line) is not None:
                worths[index] = max(worths[index], 4.0)
        for index, head in self.heads.items():
            worths[head] = max(worths[head], worths[index] + 0.001)
        return worths

    def _rate_failures(self, worths: list[float]) -> None:
        """Each failure with what follows it: what went wrong first, the lines of code around it later."""
        for rank, start in enumerate(self.failed):
            fade = 1.0 / (1.0 + rank / 12)
            worths[start] = max(worths[start], 4.0 + 6.0 * fade)
            told = 0
            stop = self.failed[rank + 1] if rank + 1 < len(self.failed) else len(self.lines)
            for index in range(start + 1, min(stop, start + FAILURE_LINES)):
                line = self.lines[index]
                if index in self.told or index in self.unasked or (line and _NOT_OWN.match(line) is not None):
                    break
                detail = line and _DETAIL.match(line) is not None
                own = (9.0 if detail else 5.0) * fade - 0.03 * (index - start)
                if line and _ESSENCE.match(line) is not None:
                    own = max(own, 9.5 * fade - 0.1 * told)  # an assertion may go on for a hundred lines
                    told += 1
                worths[index] = max(worths[index], own)

    def _rate_complaints(self, worths: list[float]) -> None:
        """The first of each rule, errors before warnings; a complaint's own lines of code come with it."""
        seen: Counter[tuple[str, str]] = Counter()
        for index, found in self.complaints.items():
            key = (found.severity, found.rule)
            seen[key] += 1
            first = {"error": 9.0, "warning": 5.0, "note": 2.0}[found.severity]
            again = {"error": 4.0, "warning": 0.8, "note": 0.3}[found.severity]
            worths[index] = max(min(worths[index], 3.0), first if seen[key] == 1 else again / seen[key] ** 0.5)
            share = 0.7 * worths[index]
            for below in range(index + 1, min(index + 6, len(self.lines))):
                line = self.lines[below]
                if below in self.complaints or not line or line[0] not in " \t|":
                    break
                worths[below] = max(min(worths[below], share), share - 0.05)

    def left_out(self, keep: bytearray) -> list[str]:
        """The lines below the report: how many passed in which file, how often each rule was broken, of what is not shown."""
        lines = []
        for word, told in (("passed", self.passed), ("skipped", self.skipped), ("failed as expected", self.expected)):
            files: Counter[str] = Counter()
            for index, (name, times) in told.items():
                if not keep[index]:
                    files[name] += times
            if files:
                lines.append(f"[… {word}, not shown: {_table(files, MAX_FILES, '{name} {times:,}')}]")
        packages = [name for index, name in self.packages.items() if not keep[index]]
        if packages:
            more = f" and {len(packages) - MAX_FILES:,} more" * (len(packages) > MAX_FILES)
            lines.append(f"[… packages that passed, not shown: {', '.join(packages[:MAX_FILES])}{more}]")
        rules: Counter[tuple[str, str]] = Counter()
        for index, found in self.complaints.items():
            if not keep[index]:
                rules[found.severity, found.rule] += found.times
        for severity in ("error", "warning", "note"):
            of_kind = Counter({rule: times for (kind, rule), times in rules.items() if kind == severity})
            if of_kind:
                lines.append(f"[… {severity}s, not shown: {_table(of_kind, MAX_RULES, '{times:,}x {name}')}]")
        return lines


def _is_skipped(line: str, which: str | None) -> bool:
    return (which == "e" and " ... ignored" in line) or (which == "h" and _TAP_SKIP.search(line) is not None)


def _group(which: str | None, name: str, file: str) -> str:
    """The file or suite under which a test is counted."""
    if which in ("c", "g", "h"):
        return file
    if which == "e":
        return name.rpartition("::")[0] or name
    return (name.rpartition(".")[0] or name) if which == "f" and name.rpartition(".")[2].startswith("test") else name


def _is_summary(line: str) -> bool:
    return _SUMMARY_WORD.search(line, 0, 300) is not None and _SUMMARY.match(line, 0, 300) is not None


def _table(counts: Counter[str], most: int, form: str) -> str:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    words = [form.format(name=name, times=times) for name, times in ranked[:most]]
    if len(ranked) > most:
        words.append(f"{sum(times for _, times in ranked[most:]):,} in {len(ranked) - most:,} others")
    return ", ".join(words)


def _note(units: Units, shown: Shown, folded: Folded) -> str:
    words = []
    if shown.omitted:
        words.append(f"{shown.omitted:,} of {units.total_lines:,} lines left out")
    if shown.cut:
        words.append(f"{shown.cut:,} long line{'s' * (shown.cut != 1)} cut")
    return ", ".join([*words, *folded.done[:1]])
