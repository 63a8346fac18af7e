"""The page of a conversation: message by message, every text that might be shortened before and after."""

from __future__ import annotations

from headroom import CompressConfig, CompressionStore, CompressResult, ConfigError, FormatError
from headroom.inspect.examined import Examined, examine, examined
from headroom.inspect.page import document, text
from headroom.inspect.session import SessionView
from headroom.inspect.transcripts import Transcript, read_transcripts

MOST_SESSIONS = 25
"""On one page."""
MOST_CHARACTERS = 200_000
"""Of one text on a page: what is longer is cut there, and says so."""
MOST_ON_A_PAGE = 12_000_000
"""Characters of all its texts: where there are more, the longest are cut sooner. A browser shows that many in a few seconds."""

LEGEND = (
    '<p class="legend"><span><del>left out</del> not in what was sent</span>'
    "<span><ins>shown earlier</ins> an earlier text of the conversation shows it</span>"
    "<span><mark>mark</mark> written by Headroom</span><span>compared line by line, records row by row</span></p>"
)


def conversation_page(
    data: bytes,
    name: str,
    *,
    model: str = "",
    config: CompressConfig | None = None,
    lossless: bool = False,
    session: int | None = None,
) -> tuple[str, list[str]]:
    """The page of every conversation in a file (`data`), or of number `session`; and what could not be read.

    ConfigError if there is no such session, or more than a page holds; FormatError if none can be read.
    """
    settings = CompressConfig.from_env() if config is None else config
    reading = read_transcripts(data, name)
    problems = reading.problems
    done: list[Examined] = []
    broken: FormatError | None = None
    for transcript in _chosen(reading.transcripts, session):
        try:
            done.append(examine(transcript, model=model, config=settings, lossless=lossless))
        except FormatError as error:  # noqa: PERF203  (one broken session costs no other)
            broken = error
            problems.append(f"{transcript.name}: {error}; skipped")
    if broken is not None and not done:
        raise broken
    return _page(name, done), problems


def result_page(name: str, result: CompressResult, store: CompressionStore | None, namespace: str) -> str:
    """The page of one result that is there already, e.g. of a request that the proxy has just sent on."""
    return _page(name, [examined(name, result, store, namespace)])


def _chosen(transcripts: list[Transcript], session: int | None) -> list[Transcript]:
    number = len(transcripts)
    if session is not None:
        if not 1 <= session <= number:
            raise ConfigError(f"session must be 1 to {number}, not {session}")
        return [transcripts[session - 1]]
    if number > MOST_SESSIONS:
        raise ConfigError(
            f"the file holds {number} conversations, and a page at most {MOST_SESSIONS}: choose one with --session 1 to {number}"
        )
    return transcripts


def _page(name: str, done: list[Examined]) -> str:
    head = f"<header><h1>{text(name)}</h1></header>"
    if len(done) != 1:
        links = [f'<li><a href="#session-{number}">{text(one.name)}</a> {_saved(one.result)}</li>' for number, one in enumerate(done, 1)]
        head += f"<nav><ol>{''.join(links)}</ol></nav>"
    limit = _limit([length for one in done for block in one.result.blocks for length in (len(block.before), len(block.after))])
    parts = [SessionView(one, number, alone=len(done) == 1, limit=limit).html() for number, one in enumerate(done, 1)]
    return document(f"{name}: before and after", head + LEGEND + "".join(parts))


def _limit(lengths: list[int]) -> int:
    """Characters of each text that are shown, so that all of them fit on the page."""
    limit = MOST_CHARACTERS
    while limit > 1_000 and sum(min(length, limit) for length in lengths) > MOST_ON_A_PAGE:
        limit //= 2
    return limit


def _saved(result: CompressResult) -> str:
    return f'<span class="soft">{result.tokens_saved:,} of {result.tokens_before:,} tokens saved</span>'
