"""`import headroom` is cheap and quiet: no framework, no SDK, no socket, no terminal library, no vocabulary."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FORBIDDEN = frozenset(
    # guests and vendors: users who have them import them themselves
    "langchain langchain_core langgraph agno litellm openai anthropic google boto3 botocore mcp transformers torch "
    # the outside world
    "httpx requests urllib3 aiohttp starlette fastapi uvicorn pydantic redis socket ssl http asyncio "
    # the command line's
    "typer click rich pygments "
    # vocabularies and databases: loaded on first need
    "toktok tiktoken sqlite3 numpy".split()
)


def _loaded_by(program: str) -> set[str]:
    program = f"import sys; before = set(sys.modules)\n{program}\nimport json; print(json.dumps(sorted(set(sys.modules) - before)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("program", ["import headroom", "from headroom import *", "import headroom.tools"])
def test_import_loads_nothing_that_is_not_needed_yet(program: str) -> None:
    if "*" in program:
        allowed = {"sqlite3"}  # its store is one of the names
    else:
        allowed = set()
    roots = {name.partition(".")[0] for name in _loaded_by(program)}
    assert roots & FORBIDDEN <= allowed


def test_compressing_without_counting_loads_no_vocabulary() -> None:
    text = json.dumps([{"id": i, "status": "ok", "region": "north"} for i in range(2_000)])
    program = (
        "from headroom import MemoryStore, compress\n"
        f"result = compress([{{'role': 'tool', 'tool_call_id': 'a', 'content': {text!r}}}], store=MemoryStore())\n"
        "assert result.references\n"
    )
    roots = {name.partition(".")[0] for name in _loaded_by(program)}
    assert not roots & (FORBIDDEN - {"sqlite3"})
