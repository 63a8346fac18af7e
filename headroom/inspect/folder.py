"""A folder of transcripts, read and counted."""

from __future__ import annotations

from pathlib import Path

from headroom import CompressConfig, HeadroomError
from headroom.inspect.examined import examine
from headroom.inspect.figures import Figures
from headroom.inspect.transcripts import Transcript, read_transcripts

ENDINGS = (".json", ".jsonl")


def figures_of_folder(folder: Path, *, model: str = "", config: CompressConfig, lossless: bool = False) -> Figures:
    """What every transcript in `folder` (or the one file) would have saved; what cannot be read is among the problems."""
    figures = Figures()
    files = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.suffix in ENDINGS and path.is_file())
    for path in files:
        name = path.name if path == folder else str(path.relative_to(folder))
        try:
            reading = read_transcripts(path.read_bytes(), name)
        except OSError as broken:
            figures.problems.append(f"{name}: cannot be read: {broken.strerror}")
            continue
        figures.problems += reading.problems
        for transcript in reading.transcripts:
            _add(figures, transcript, model, config, lossless)
    return figures


def _add(figures: Figures, transcript: Transcript, model: str, config: CompressConfig, lossless: bool) -> None:
    if transcript.is_text:
        figures.problems.append(f"{transcript.name}: holds no conversation, and was skipped")
        return
    try:
        figures.add(examine(transcript, model=model, config=config, lossless=lossless))
    except HeadroomError as error:
        figures.problems.append(f"{transcript.name}: {error}; skipped")
