"""Directory listings: each folder once with its names; then what was asked for and what tells, the rest counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from headroom.core import tokens
from headroom.core.compressors.paths.listing_entries import Entry, Layout, is_mostly_read, layout_of, read_entries
from headroom.core.detect import Sample
from headroom.core.types import ContentKind, Request, Shortened

_MARGIN = 1.25
"""A text barely over its allowance is left whole: what a digest would save, its marks cost."""
_SHORT_FIELD = 12


class Listings:
    """Names of files and folders, whatever program listed them."""

    kind: ContentKind = "listings"

    def claims(self, sample: Sample) -> bool:
        """`ls -l` columns, the branches of a tree, or lines that are paths, alone or behind a size, status or hash."""
        return layout_of(sample.lines) is not None

    def compress(self, text: str, request: Request) -> Shortened | None:
        """Group by folder; digest if that is over the allowance. See `Compressor.compress`."""
        body = text.rstrip("\n")
        lines = body.split("\n")
        layout = layout_of(lines)
        entries = read_entries(lines, layout) if layout else None
        if layout is None or entries is None or not is_mostly_read(lines, entries):
            return None
        tail = text[len(body) :]
        folded = fold(lines, entries, layout)
        fold_text, note = (folded[0] + tail, folded[1]) if folded else (text, "")
        folding = Shortened(fold_text, note, lossy=False) if len(fold_text) < 0.97 * len(text) else None
        size = tokens.estimate(fold_text)
        allowance = request.allowance(size)
        if request.lossless or size <= _MARGIN * allowance:
            return folding
        names, without = labels(entries, layout), _unsaid(entries, layout)
        from headroom.core.compressors.paths.listing_digest import digest  # 2 ms to load, and most conversations hold no such text

        shown = digest(lines, entries, names, request.query, allowance, one_line=layout != "long", without=without)
        if shown is None or len(shown[0]) > 0.9 * len(fold_text):
            return folding
        head = _long_head(entries) if layout == "long" else ""
        return Shortened(head + shown[0] + tail, shown[1], lossy=True)


def fold(lines: Sequence[str], entries: Sequence[Entry | None], layout: Layout) -> tuple[str, str] | None:
    """(text, note) without loss; None if the listing cannot be written shorter and surely read."""
    if layout == "paths":
        return fold_paths(lines, entries)
    if layout == "tree":
        return "\n".join(_tree_line(line, entry) for line, entry in zip(lines, entries, strict=True)), "tree indented by blanks"
    if layout == "columns":
        return _fold_columns(lines, entries)
    rows = labels(entries, layout)
    text = _long_head(entries) + "\n".join(line if entry is None else row for line, entry, row in zip(lines, entries, rows, strict=True))
    return text, "columns that repeat stated once"


def fold_paths(lines: Sequence[str], entries: Sequence[Entry | None]) -> tuple[str, str] | None:
    """`src/: a.py, b.py` for names of one folder in a row. Read back: a line with "/: " in it is such a row."""
    if any("/: " in line or "\\: " in line for line in lines):
        return None
    if any(entry is not None and len(entry.folder) + len(entry.name) != len(line) for line, entry in zip(lines, entries, strict=True)):
        return None  # `ls -R`: folders stand over their names already
    parts: list[str] = []
    for folder, run in groupby(zip(lines, entries, strict=True), key=_folder_of):
        members = list(run)
        if not folder or len(members) < 2:
            parts += [line for line, _ in members]
        else:
            parts.append(f"{folder}: {', '.join(line[len(folder) :] for line, _ in members)}")
    return "\n".join(parts), "names listed by folder"


def _folder_of(pair: tuple[str, Entry | None]) -> str:
    """The folder under which a line may be listed: "" for a name that could not be told from two."""
    entry = pair[1]
    return "" if entry is None or "," in entry.name or not entry.name else entry.folder


def _tree_line(line: str, entry: Entry | None) -> str:
    return line if entry is None else f"{entry.fields[0]} {entry.name}"


def _fold_columns(lines: Sequence[str], entries: Sequence[Entry | None]) -> tuple[str, str] | None:
    common = _most_common([entry.fields[0] for entry in entries if entry is not None])
    one_line = all(len(field) <= _SHORT_FIELD for entry in entries if entry is not None for field in entry.fields)
    if any("/: " in line or line.endswith("/:") for line in lines):
        return None
    parts = [f"[{common} unless shown]"] if common else []
    same = _same_everywhere(entries)
    if same:
        parts = [f"[every entry: {same}]"]
    for folder, run in groupby(zip(lines, entries, strict=True), key=_folder_of):
        members = list(run)
        before = ["" if entry is None or same else _column_row(entry, common) for _, entry in members]
        rows = [line if entry is None else said + entry.name for said, (line, entry) in zip(before, members, strict=True)]
        if not folder or len(members) < 2:
            parts += [
                line if entry is None else said + entry.folder + entry.name for said, (line, entry) in zip(before, members, strict=True)
            ]
        elif one_line:
            parts.append(f"{folder}: {', '.join(rows)}")
        else:
            parts += [f"{folder}:", *rows]
    blank = any("." in entry.fields[1][:2] for entry in entries if entry is not None and entry.fields[1].strip(".MADRCTUX") == "")
    return "\n".join(parts), "entries listed by folder" + ", . for a blank status" * blank


def _same_everywhere(entries: Sequence[Entry | None]) -> str:
    """The column that all lines have in common; "" if they differ, or if one is no entry: it could not be told from a name."""
    said = {None if entry is None else entry.fields for entry in entries}
    fields = said.pop() if len(said) == 1 and len(entries) > 2 else None
    return fields[1] if fields is not None and not fields[0] and len(fields[1]) <= _SHORT_FIELD else ""


def _column_row(entry: Entry, common: str) -> str:
    said = entry.fields[0] if entry.fields[0] != common else ""
    return f"{said} {entry.fields[1]} " if said else f"{entry.fields[1]} "


def _most_common(values: Sequence[str]) -> str:
    """The most frequent value if it is worth stating once; the first of equals."""
    ranked = Counter(values).most_common(1)
    return ranked[0][0] if ranked and ranked[0][1] >= max(2, len(values) // 2) else ""


def labels(entries: Sequence[Entry | None], layout: Layout) -> list[str]:
    """What stands for each entry under its folder. In the long layout that is the whole row, without loss."""
    if layout == "long":
        mode, *same = _long_common(entries)
        return ["" if entry is None else _long_row(entry, mode, same) for entry in entries]
    if layout != "columns":
        return ["" if entry is None else entry.name for entry in entries]
    return ["" if entry is None else _short_label(entry) for entry in entries]


def _short_label(entry: Entry) -> str:
    field = entry.fields[1]
    return f"{field} {entry.name}" if len(field) <= _SHORT_FIELD else entry.name


def _unsaid(entries: Sequence[Entry | None], layout: Layout) -> str:
    """What the columns layout's labels leave out."""
    if layout != "columns" or all(len(entry.fields[1]) <= _SHORT_FIELD for entry in entries if entry is not None):
        return ""
    return "hashes, modes, sizes" if any(entry.fields[0] for entry in entries if entry is not None) else "hashes"


def _long_common(entries: Sequence[Entry | None]) -> tuple[str, str, str, str]:
    """The most frequent "mode links"; owner, group and date where they are the same everywhere, else ""."""
    known = [entry.fields for entry in entries if entry is not None]
    mode = _most_common([f"{fields[0]} {fields[1]}" for fields in known])
    owner, group, date = (known[0][at] if known and len({fields[at] for fields in known}) == 1 else "" for at in (2, 3, 5))
    return mode, owner, group, date


def _long_row(entry: Entry, mode: str, same: Sequence[str]) -> str:
    perms, links, owner, group, size, date = entry.fields
    said = f"{perms} {links}"
    words = [said if said != mode else "", "" if same[0] else owner, "" if same[1] else group, size, "" if same[2] else date, entry.name]
    return " ".join(filter(None, words))


def _long_head(entries: Sequence[Entry | None]) -> str:
    mode, owner, group, date = _long_common(entries)
    everywhere = [f"{name} {value}" for name, value in (("owner", owner), ("group", group), ("date", date)) if value]
    words = [f"every entry: {', '.join(everywhere)}"] if everywhere else []
    if mode:
        words.append(f"{mode} unless shown")
    return f"[{'; '.join(words)}]\n" if words else ""
