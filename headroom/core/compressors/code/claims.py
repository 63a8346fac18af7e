"""Is this source code, and is it Python? Judged by how many lines read like a program."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from headroom.core.compressors.code.views import numbering_of
from headroom.core.detect import Sample

IsPython = Callable[[int], bool]

_LEAST_LINES = 8
_LEAST_SHARE = 0.45
_LEAST_STRONG = 2
_MOST_LINES = 70
_HINTED = 3_000
"""Characters among which a program has shown itself."""
_MIDDLE = 4_000
_HINTS = (
    *("def ", "class ", "import ", "function", "func ", "fn ", "const ", "public ", "package ", "struct ", "static ", "module ", "enum "),
    *("#include", "#define", "() {"),
)
_BANNERS = ('"""', "'''", "/*", "//", "# ", "#!", "#\n", "##", "<?", 'r"""')

# Lines that hardly stand anywhere but in a program.
_STRONG = re.compile(
    "|".join(
        (
            r"(?:async )?def \w+[(:!?]?",
            r"class \w[\w., ()\[\]<>:]*[:{]?$",
            r"from [\w.]+ import\b",
            r"import (?:[\w.]+(?: as \w+)?(?:, [\w.]+)*;?$|[\w{*].* from )",
            r"(?:export |default |async |public |private |protected |static |final |abstract |pub(?:\(\w+\))? |unsafe |inline |override )*"
            r"(?:function\b|class \w|interface \w[\w <>,.]*\{|fn \w|func [\w(]|struct \w+|enum \w+|trait \w|impl[ <]|namespace [\w\\:.]+)",
            r"(?:export )?const \w+",
            r"#(?:ifn?def|define) \w|#include [<\"]|typedef \w|template ?<|#!/",
            r"package [\w.]+;?$|use [\w:\\]+|require(?:_relative)? ['\"]",
            r"(?:public|private|protected) [\w<>\[\], ]+\(",
            r"\w+\(\) ?\{$",
            r"(?:static |extern |const |inline )*(?:void|int|char|bool|unsigned|size_t|double|float|long|auto) [\w:*&]+\(",
        )
    )
)
# Lines that stand in programs, and elsewhere too.
_CODELIKE = re.compile(
    "|".join(
        (
            r"(?:from [\w.]+ )?import [\w.({*]|@\w",
            r"(?:el)?if .+:$|else:$|try:$|except\b.*:$|finally:$|for .+ in .+:$|while .+:$|with .+:$",
            r"self\.\w|(?:return|raise|yield|assert)\b|pass$|>>> ",
            r"[\w.]+\(.*\)$|\w[\w.:>\-\[\]]* ?[+\-*/|]?=[^=]",
            r"(?:export|import|const|let|var|function|public|private|protected|static|final|fn|pub|use|mod|impl|struct|enum|trait|func|package"
            r"|type|interface|namespace|template|typedef|require|module|else|for|while|switch|case|break|try|catch|throw|void|int|char|bool"
            r"|string|String|unsigned|auto|double|float|long|match|loop|async|await|defer|go|end|elsif|unless|local|fi|done|esac|then|echo)\b",
            r"if \(|#(?:if|end|pragma|else|undef)|//|/\*|\*[ /]|#[ !]|[{}()\]]+[;,]?$",
        )
    )
)
_ENDS = (";", "{", "}", "};", "});", ")", "),", "(", "[", ",", ":")
_FOREIGN_STARTS = ("<?xml", "diff --git ", "@@ -")
_DIFF_SIGNS = ("\n@@ -", "\ndiff --git ", "\nIndex: ")
# Logs, listings, search hits, markup, JSON, shell sessions, lists, tables, headings.
_FOREIGN = re.compile(
    r"\[?\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|\[?(?:INFO|DEBUG|WARN|ERROR)|\S+:\d+:|[-dlbcps][rwx-]{9}|<[a-zA-Z!/]|\"[\w\-]+\": "
    r"|\$ |[-*+] |\d+\. |\| |#{1,6} |===|---|!!!"
)
_PROSE = re.compile(r"(?:[A-Z*_`\[(][\w'`*\[(\-]*|[a-z]+) (?:[\w'`*\-\]\[()./]+[,;:.]? ){5}")
_PYTHON_SIGN = re.compile(
    r"\s*(?:(?:async )?def \w+\(.*|class \w.*:$|from [\w.]+ import |elif .*:$|import [\w.]+(?: as \w+)?$|\"\"\""
    r"|(?:if|for|while|with|try|else|except)\b[^{;]*:$)"
)
_BRACE_SIGN = re.compile(r".*(?:[{;]|\bend)$|\s*(?:\}[;,)]*$|//)")


def is_code(sample: Sample) -> bool:
    """Whether a text is a view of a file or reads like a program. Prose, logs, JSON, diffs and search hits do not."""
    if numbering_of(sample.lines) is not None:
        return True
    if sample.first in ("{", "[") or sample.head.startswith(_FOREIGN_STARTS) or any(sign in sample.head for sign in _DIFF_SIGNS):
        return False
    head = sample.head[:_HINTED]
    if any(hint in head for hint in _HINTS) and _reads_like_code(sample.lines):
        return True
    text = sample.text
    if len(text) < 3 * _MIDDLE or not sample.head.startswith(_BANNERS):
        return False
    middle = len(text) // 2  # a long banner of comments or words comes first
    return _reads_like_code(text[middle : middle + _MIDDLE].splitlines()[1:])


def _reads_like_code(lines: Sequence[str]) -> bool:
    considered = strong = codelike = foreign = 0
    fenced = inside = False
    for stripped in _outside_comments(lines):
        if stripped.startswith("```"):
            inside, fenced = not inside, True
            continue
        considered += 1
        if considered > _MOST_LINES:
            break
        if _STRONG.match(stripped):
            strong += 1
            codelike += 1
        elif _FOREIGN.match(stripped):
            foreign += 1
        elif stripped.endswith(_ENDS) or _CODELIKE.match(stripped):
            codelike += 1
            foreign += not inside and stripped.endswith((":", ",")) and _PROSE.match(stripped) is not None
        elif not inside and _PROSE.match(stripped):
            foreign += 1
    share = 0.08 if fenced else 0.25  # code between fences is a file's if next to nothing is said outside them
    return considered >= _LEAST_LINES and strong >= _LEAST_STRONG and codelike >= _LEAST_SHARE * considered and foreign < share * considered


def _outside_comments(lines: Sequence[str]) -> Iterator[str]:
    """The stripped lines that are neither blank nor in a comment or docstring of several lines."""
    closing = ""
    for line in lines:
        stripped = line.strip()
        if closing:
            closing = "" if closing in stripped else closing
        elif stripped.startswith("/*"):
            closing = "" if "*/" in stripped else "*/"
        elif stripped.startswith(('"""', "'''")):
            closing = "" if stripped.find(stripped[:3], 3) > 0 else stripped[:3]
        elif stripped and not stripped.startswith(("//", "# ", "#\t")):
            yield stripped


def python_sections(lines: Sequence[str], sections: Sequence[tuple[int, int]]) -> IsPython:
    """Tells of the start of a section whether it is Python, by its first lines that say so; else as the section before."""
    found: dict[int, bool] = {}
    latest = True
    for start, end in sections:
        balance = 0
        for line in lines[start : min(end, start + 60)]:
            trimmed = line[:300].rstrip()
            if _PYTHON_SIGN.match(trimmed):
                balance += 2
            elif _BRACE_SIGN.match(trimmed):
                balance -= 1
        latest = balance > 0 if balance else latest
        found[start] = latest
    return found.__getitem__
