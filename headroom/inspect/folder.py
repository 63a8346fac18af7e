"""A folder of transcripts, read and counted."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from headroom import CompressConfig, HeadroomError
from headroom.inspect.examined import examine
from headroom.inspect.figures import Figures
from headroom.inspect.transcripts import Transcript, read_transcripts

ENDINGS = (".json", ".jsonl")


def figures_of_folder(folder: Path, *, model: str = "", config: CompressConfig, lossless: bool = False) -> Figures:
    """What every transcript in `folder` (or the one file) would have saved; what cannot be read is among the problems."""
    figures = Figures()
    for path in [folder] if folder.is_file() else _files(folder, figures.problems):
        name = path.name if path == folder else str(path.relative_to(folder))
        try:
            # A pipe would keep a reader waiting for ever.
            data = path.read_bytes() if stat.S_ISREG(path.stat().st_mode) else None
        except OSError as broken:
            figures.problems.append(f"{name}: cannot be read: {broken.strerror}")
            continue
        if data is None:
            continue
        reading = read_transcripts(data, name)
        figures.problems += reading.problems
        for transcript in reading.transcripts:
            _add(figures, transcript, model, config, lossless)
    return figures


def _files(folder: Path, problems: list[str]) -> list[Path]:
    """In order of their names. Folders that cannot be looked into are problems."""

    def closed(broken: OSError) -> None:
        problems.append(f"{Path(broken.filename).relative_to(folder)}: cannot be read: {broken.strerror}")

    found = [Path(place) / name for place, _, names in os.walk(folder, onerror=closed) for name in names]
    return sorted(path for path in found if path.suffix.lower() in ENDINGS)


def _add(figures: Figures, transcript: Transcript, model: str, config: CompressConfig, lossless: bool) -> None:
    if transcript.is_text:
        figures.problems.append(f"{transcript.name}: holds no conversation, and was skipped")
        return
    try:
        figures.add(examine(transcript, model=model, config=config, lossless=lossless))
    except HeadroomError as error:
        figures.problems.append(f"{transcript.name}: {error}; skipped")
