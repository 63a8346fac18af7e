"""`import headroom` is cheap and quiet: no framework, no SDK, no socket, no terminal library, no vocabulary."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

GUESTS = {"langchain", "langchain_core", "langgraph", "agno", "litellm", "mcp", "transformers", "torch"}
VENDORS = {"openai", "anthropic", "google", "boto3", "botocore"}
NETWORK = {"httpx", "requests", "urllib3", "aiohttp", "starlette", "uvicorn", "redis", "socket", "ssl", "http", "asyncio"}
TERMINAL = {"typer", "click", "rich", "pygments", "pydantic"}
VOCABULARIES = {"toktok", "tiktoken", "bpe_openai", "numpy"}
FORBIDDEN = GUESTS | VENDORS | NETWORK | TERMINAL | VOCABULARIES


def _loaded_by(program: str) -> set[str]:
    program = f"import sys; before = set(sys.modules)\n{program}\nimport json; print(json.dumps(sorted(set(sys.modules) - before)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("program", ["import headroom", "from headroom import *", "import headroom.tools"])
def test_import_loads_nothing_that_is_not_needed_yet(program: str) -> None:
    roots = {name.partition(".")[0] for name in _loaded_by(program)}
    assert roots & FORBIDDEN == set()


def test_compressing_without_counting_loads_no_vocabulary() -> None:
    program = (
        "from headroom import MemoryStore, compress\n"
        "log = ''.join(f'2026-03-01T10:{i // 60:02d}:{i % 60:02d}Z INFO handled request {i}\\n' for i in range(3_000))\n"
        "result = compress([{'role': 'tool', 'tool_call_id': 'a', 'content': log}], store=MemoryStore())\n"
        "assert result.references\n"
    )
    assert _loaded_by(program).isdisjoint(VOCABULARIES)


def test_the_command_line_loads_what_every_command_needs_and_no_more() -> None:
    roots = {name.partition(".")[0] for name in _loaded_by("import headroom.cli")}
    assert roots & (FORBIDDEN | {"tabulate", "wcwidth"}) == {"click"}
