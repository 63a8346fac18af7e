"""The page of a conversation: message by message, every text that might be shortened before and after."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from headroom import BlockReport, CompressConfig, CompressionStore, CompressResult, ConfigError, FormatError
from headroom.inspect.differences import Comparer, Piece
from headroom.inspect.examined import Examined, examine, examined
from headroom.inspect.page import document, share, text, totals
from headroom.inspect.retrieval import retrieval
from headroom.inspect.transcripts import Transcript, read_transcripts

MOST_SESSIONS = 25
"""On one page."""
MOST_CHARACTERS = 200_000
"""Of one text on a page: what is longer is cut there, and says so."""
LONG = 1_200
"""Characters from which a text that was left alone is folded away."""
TAGS = {"left out": "del", "earlier": "ins", "mark": "mark"}

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
    for transcript in _chosen(reading.transcripts, session):
        try:
            done.append(examine(transcript, model=model, config=settings, lossless=lossless))
        except FormatError as error:  # noqa: PERF203  (one broken session costs no other)
            if len(reading.transcripts) == 1:
                raise
            problems.append(f"{transcript.name}: {error}; skipped")
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
    parts = [_session(one, number, alone=len(done) == 1) for number, one in enumerate(done, 1)]
    return document(f"{name}: before and after", head + LEGEND + "".join(parts))


def _saved(result: CompressResult) -> str:
    return f'<span class="soft">{result.tokens_saved:,} of {result.tokens_before:,} tokens saved</span>'


def _session(one: Examined, number: int, *, alone: bool) -> str:
    result = one.result
    changed = sum(block.changed for block in result.blocks)
    figures = totals(
        [
            ("Tokens before", f"{result.tokens_before:,}"),
            ("Tokens after", f"{result.tokens_after:,}"),
            ("Saved", f"{result.compression_ratio:.1%}"),
            ("Texts shortened", f"{changed:,} of {len(result.blocks):,}"),
            ("Requests", f"{len(one.requests):,}"),
        ]
    )
    counted = f"counted for {result.model or 'no model'}{'' if result.tokens_exact else ': an estimate, no public vocabulary'}"
    title = "" if alone else f'<h2 id="session-{number}">{text(one.name)}</h2>'
    blocks: dict[int, list[BlockReport]] = defaultdict(list)
    for block in result.blocks:
        blocks[int(block.path[0])].append(block)
    comparer = Comparer()
    messages = [_message(one, index, message, blocks[index], comparer) for index, message in enumerate(result.messages)]
    return f'{title}<section>{figures}<p class="soft">{text(counted)}</p></section>{"".join(messages)}'


def _message(one: Examined, index: int, message: Any, blocks: list[BlockReport], comparer: Comparer) -> str:
    """One message: the texts that might have changed, and all else as it stands."""
    parts = [_block(one, block, comparer) for block in blocks]
    rest = _rest(message, {block.path for block in blocks}, (index,))
    if rest:
        parts.append(_quiet(f"{one.roles[index]}: never changed", rest))
    changed = " changed" if any(block.changed for block in blocks) else ""
    return f'<article class="message{changed}"><p class="soft">message {index}, {text(one.roles[index])}</p>{"".join(parts)}</article>'


def _block(one: Examined, block: BlockReport, comparer: Comparer) -> str:
    who = one.tools.get(block.path) or "the user"
    if not block.compressor:
        comparer.show(block.after)
        redacted = ", redacted" if block.redacted else ""
        return _quiet(f"{who}, {block.tokens_before:,} tokens{redacted}, left alone: {block.reason}", block.after)
    difference = comparer.compare(block.before, block.after, lossy=block.lossy, points_back="shown earlier" in block.note)
    saved = f"{block.tokens_before:,} to {block.tokens_after:,} tokens, {share(block.tokens_saved, block.tokens_before)} saved"
    how = "shortened, the rest is in the store" if block.lossy else "written shorter, nothing left out"
    envelope = " (taken out of a JSON string)" if difference.unwrapped else ""
    return (
        f'<header><h3>{text(who)}</h3><span>{text(block.kind)}</span><span class="soft">{text(saved)}</span></header>'
        f"<p>{text(how)}{': ' + text(block.note) if block.note else ''}</p>"
        f'<div class="two"><figure><figcaption>before{envelope}</figcaption>{_pre(difference.before)}</figure>'
        f"<figure><figcaption>after: what the model reads</figcaption>{_pre(difference.after)}</figure></div>"
        f"{retrieval(block, one.store, one.namespace)}"
    )


def _quiet(words: str, shown: str) -> str:
    opened = " open" if len(shown) <= LONG else ""
    return f"<details{opened}><summary>{text(words)}</summary>{_pre([Piece(shown, 'shown')])}</details>"


def _pre(pieces: list[Piece]) -> str:
    out, left = [], MOST_CHARACTERS
    for piece in pieces:
        if left <= 0:
            break
        out.append(_piece(piece, left))
        left -= len(piece.text)
    cut = f'<p class="soft">cut here: {-left:,} characters more or further parts are not shown</p>' if left < 0 else ""
    return f'<pre tabindex="0">{"".join(out)}</pre>{cut}'


def _piece(piece: Piece, most: int) -> str:
    tag, row = TAGS.get(piece.state), ' class="row"' if piece.block else ""
    shown = text(piece.text[:most])
    if tag:
        return f"<{tag}{row}>{shown}</{tag}>"
    return f"<span{row}>{shown}</span>" if row else shown


def _rest(message: Any, paths: set[tuple[int | str, ...]], at: tuple[int | str, ...]) -> str:
    """What of a message is no block: an assistant's words, calls, instructions."""
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        words = "" if (*at, "content") in paths else content
        return "\n".join(part for part in (words, _calls(message)) if part)
    kept = _without(message, paths, at)
    return json.dumps(kept, ensure_ascii=False, indent=1, default=str) if _says(kept) else ""


def _calls(message: dict[str, Any]) -> str:
    calls = message.get("tool_calls") or message.get("function_call")
    return json.dumps(calls, ensure_ascii=False, indent=1, default=str) if calls else ""


def _without(value: Any, paths: set[tuple[int | str, ...]], at: tuple[int | str, ...]) -> Any:
    if at in paths:
        return "(above)"
    if isinstance(value, dict):
        return {key: _without(inner, paths, (*at, key)) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without(inner, paths, (*at, place)) for place, inner in enumerate(value)]
    return value


def _says(value: Any) -> bool:
    """Whether anything beyond roles, types and ids is left."""
    if isinstance(value, dict):
        return any(_says(inner) for key, inner in value.items() if key not in _NAMES)
    if isinstance(value, list):
        return any(map(_says, value))
    return value not in (None, "", "(above)", True, False)


_NAMES = frozenset(("role", "type", "id", "tool_use_id", "tool_call_id", "call_id", "name", "cache_control", "status"))
