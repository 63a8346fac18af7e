"""The command line: shorten a file of messages or a tool's output, get originals back, see what the store holds.

What a command makes goes to stdout and nothing else does; tables, progress and complaints go to stderr.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from headroom import (
    BlockReport,
    CompressConfig,
    CompressionStore,
    CompressResult,
    ConfigError,
    FormatError,
    HeadroomError,
    SQLiteStore,
    UnknownReferenceError,
    __version__,
    compress,
    retrieve,
)
from headroom.cli_documents import Document, as_bytes, read_document

FAILURE, USAGE, BAD_INPUT, UNKNOWN_REFERENCE = 1, 2, 3, 4
EXIT_CODES = (
    "Exit codes: 0 done; 1 a failure of ours (the store); 2 wrong usage; 3 bad input (a message that cannot be read); "
    "4 unknown reference (never stored, expired or evicted)."
)
LONG_WORK_CHARACTERS = 1_000_000
"""From here on a person waiting at a terminal is told so: about a tenth of a second."""

app = typer.Typer(
    name="headroom",
    help="Shortens what an LLM agent reads, and keeps every original within reach.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

StoreOption = Annotated[
    Path | None, typer.Option("--store", metavar="PATH", help="The file that keeps originals. [default: in HEADROOM_HOME]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write the figures as one line of JSON instead of a table.")]


@app.callback(invoke_without_command=True)
def headroom(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Shortens what an LLM agent reads, and keeps every original within reach."""
    if version:
        _write(f"headroom {__version__}\n".encode())
        raise typer.Exit


@app.command("compress", epilog=EXIT_CODES)
def compress_command(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Messages as JSON, or any text; - reads standard input.")],
    model: Annotated[str, typer.Option(help="Whose tokens to count.")] = "gpt-4o",
    lossless: Annotated[bool, typer.Option("--lossless", help="Fold only: leave nothing out, store nothing.")] = False,
    preset: Annotated[Literal["gentle", "balanced", "firm"] | None, typer.Option(help="How much stays in sight.")] = None,
    store: StoreOption = None,
    text: Annotated[bool, typer.Option("--text", help="Take the input as one tool output, also if it looks like messages.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Shorten messages, or the output of one tool.

    FILE holds a JSON list of messages, an object with such a list under "messages" or "input", or anything else, which
    is taken as one tool output. The result goes to stdout in the same form, what was saved to stderr.
    """
    with _complaints():
        document = read_document(_read(file), as_text=text)
        config = CompressConfig.from_env()
        if preset is not None:
            config = CompressConfig.preset(preset).with_options(namespace=config.namespace)
        with _progress(document):
            result = compress(document.messages, model, config=config, store=_opened(store), lossless=lossless)
        _write(document.with_messages(result.messages))
        _tell(result, as_json)
        failures = [block.reason for block in result.blocks if block.failed]
        if failures:
            _complain(f"{failures[0].removeprefix('failed: ')}; what it concerned was written as it came")
            raise typer.Exit(FAILURE)


@app.command("retrieve", epilog=EXIT_CODES)
def retrieve_command(
    reference: Annotated[str, typer.Argument(metavar="REF", help="The reference in a marker.")],
    query: Annotated[str | None, typer.Argument(help="Words to look for; the best matches are written.")] = None,
    lines: Annotated[str | None, typer.Option(help='A range of lines of the original, e.g. "120-180".')] = None,
    offset: Annotated[int | None, typer.Option(help="Write from this character on.")] = None,
    store: StoreOption = None,
) -> None:
    """Write an original to stdout: byte for byte, or the part that is asked for."""
    with _complaints():
        whole = query is None and lines is None
        try:
            found = retrieve(reference, query, lines, offset, store=_opened(store))
        except ValueError as impossible:  # lines or an offset that cannot be
            raise typer.BadParameter(str(impossible)) from None
        _write(as_bytes(found if whole or found.endswith("\n") else found + "\n"))


@app.command("stats", epilog=EXIT_CODES)
def stats_command(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """What the store holds."""
    with _complaints():
        opened = SQLiteStore() if store is None else SQLiteStore(store)
        # Asking must not make a file where there is none.
        held = opened.stats() if opened.path.exists() else None
        figures: dict[str, int | str] = {
            "path": str(opened.path),
            "originals": held.entries if held else 0,
            "original_bytes": held.original_bytes if held else 0,
            "stored_bytes": held.stored_bytes if held else 0,
            "namespaces": held.namespaces if held else 0,
        }
        if as_json:
            _write(json.dumps(figures).encode() + b"\n")
            return
        table = Table(box=SIMPLE_HEAD, show_header=False)
        for name, value in figures.items():
            table.add_row(name.replace("_", " "), Text(f"{value:,}" if isinstance(value, int) else value))
        console = Console(highlight=False)
        with console.capture() as capture:
            console.print(table)
        _write(capture.get().encode())


@app.command("proxy", epilog=EXIT_CODES)
def proxy_command(
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes any free one.")] = 8787,
    host: Annotated[str, typer.Option(help="The address to listen on. Any but this machine's own needs a token.")] = "127.0.0.1",
    openai_url: Annotated[str | None, typer.Option(metavar="URL", help="In place of https://api.openai.com/v1.")] = None,
    anthropic_url: Annotated[str | None, typer.Option(metavar="URL", help="In place of https://api.anthropic.com.")] = None,
    backend: Annotated[Literal["bedrock", "vertex_ai", "azure", "openrouter"] | None, typer.Option(help="A cloud service.")] = None,
    region: Annotated[str, typer.Option(help="The backend's region.")] = "",
    backend_url: Annotated[str, typer.Option(metavar="URL", help="In place of the backend's own.")] = "",
    model_map: Annotated[
        list[str] | None, typer.Option(metavar="NAME=NAME", help="A client's name for a model, and the backend's.")
    ] = None,
    token: Annotated[str | None, typer.Option(help="What the proxy's own endpoints ask for. [default: HEADROOM_TOKEN]")] = None,
    retrieve: Annotated[bool, typer.Option("--retrieve/--no-retrieve", help="Offer headroom_retrieve, and answer it.")] = True,
    show_texts: Annotated[bool, typer.Option("--show-texts", help="Keep the newest texts in memory, for the dashboard.")] = False,
    max_body_bytes: Annotated[int, typer.Option(help="The largest conversation that is taken.")] = 64 << 20,
    max_requests: Annotated[int, typer.Option(help="The most requests at the same time.")] = 1_000,
    read_time_out: Annotated[float, typer.Option(help="Seconds that a provider may be silent.")] = 600.0,
    store: StoreOption = None,
) -> None:
    """Forward an agent's requests to its provider, shortened.

    ANTHROPIC_BASE_URL=http://localhost:8787, or OPENAI_BASE_URL=http://localhost:8787/v1, leads a client here.
    """
    with _complaints():
        from headroom.proxy.serve import serve  # needs the extra [proxy], and loads for a while

        serve(
            host=host,
            port=port,
            openai_url=openai_url,
            anthropic_url=anthropic_url,
            backend=backend,
            region=region,
            backend_url=backend_url,
            model_map=model_map,
            token=token,
            retrieve=retrieve,
            show_texts=show_texts,
            max_body_bytes=max_body_bytes,
            max_requests=max_requests,
            read_time_out=read_time_out,
            store=store,
        )


@app.command("mcp", epilog=EXIT_CODES)
def mcp_command(
    http: Annotated[bool, typer.Option("--http", help="Serve streamable HTTP at /mcp instead of stdio.")] = False,
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1, with --http.")] = 8788,
) -> None:
    """Offer headroom_retrieve, headroom_compress and headroom_stats to agents that speak MCP."""
    with _complaints():
        from headroom.tools.mcp import run  # needs the extra [mcp], and loads for a second

        run("http" if http else "stdio", port=port)


# --- what the commands share ------------------------------------------------------------------------------------------


def _opened(path: Path | None) -> CompressionStore | None:
    return None if path is None else SQLiteStore(path)


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as broken:
        raise typer.BadParameter(f"cannot read {file}: {broken.strerror}") from None


def _write(data: bytes) -> None:
    """Bytes to stdout. A reader that has gone away (`| head`) is no error."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as broken:
        if broken.errno not in (errno.EPIPE, errno.EINVAL):  # Windows says EINVAL
            raise
        # The interpreter flushes once more at its end: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None


@contextmanager
def _complaints() -> Iterator[None]:
    """Errors on purpose end in one line on stderr and their exit code; anything else is a bug and shows its trace."""
    try:
        yield
    except FormatError as error:
        code, problem = BAD_INPUT, str(error)
    except UnknownReferenceError as error:
        code, problem = UNKNOWN_REFERENCE, str(error)
    except ConfigError as error:
        code, problem = USAGE, str(error)
    except HeadroomError as error:
        code, problem = FAILURE, str(error)
    else:
        return
    _complain(problem)
    raise typer.Exit(code)


def _complain(problem: str) -> None:
    _stderr().print(f"headroom: {problem}", markup=False, soft_wrap=True)


def _stderr() -> Console:
    # A pipe has no width of its own: wide enough for a row, so that nothing is cut.
    return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 120)


@contextmanager
def _progress(document: Document) -> Iterator[None]:
    size = document.characters
    if size < LONG_WORK_CHARACTERS or not sys.stderr.isatty():
        yield
        return
    with _stderr().status(f"shortening {size / 1e6:,.1f} million characters"):
        yield


def _tell(result: CompressResult, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_figures(result)), err=True)
        return
    table = Table(box=SIMPLE_HEAD)
    for name in ("text", "kind"):
        table.add_column(name, no_wrap=True)
    for name in ("before", "after", "saved"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("original in store")
    for block in result.blocks:
        where = ".".join(map(str, block.path))
        kept = block.reference or block.reason or "nothing left out"
        table.add_row(where, block.kind, f"{block.tokens_before:,}", f"{block.tokens_after:,}", _share(block), Text(kept))
    table.add_section()
    estimated = "" if result.tokens_exact else "estimated tokens"
    total = (f"{result.tokens_before:,}", f"{result.tokens_after:,}", f"{result.compression_ratio:.0%}", estimated)
    table.add_row("whole conversation", "", *total)
    _stderr().print(table)


def _share(block: BlockReport) -> str:
    return f"{block.tokens_saved / block.tokens_before:.0%}" if block.tokens_saved else "-"


def _figures(result: CompressResult) -> dict[str, Any]:
    return {
        "tokens_before": result.tokens_before,
        "tokens_after": result.tokens_after,
        "tokens_saved": result.tokens_saved,
        "tokens_exact": result.tokens_exact,
        "compression_ratio": round(result.compression_ratio, 4),
        "transforms_applied": result.transforms_applied,
        "references": result.references,
        "blocks": [
            {
                "path": list(block.path),
                "kind": block.kind,
                "tokens_before": block.tokens_before,
                "tokens_after": block.tokens_after,
                "reference": block.reference,
                "lossy": block.lossy,
                "note": block.note,
                "reason": block.reason,
            }
            for block in result.blocks
        ],
    }


if __name__ == "__main__":
    app()
