"""Requests to /v1/compress and /v1/retrieve, written with their answers into tests/contract for clients in other languages.

    python -m tests.proxy.contract_cases     # writes the files anew; look at what changed before you commit

Each file is a list of cases: {"name", "before"?, "request": {"method", "path", "headers", "body"}, "status", "response"}.
`before` names cases of compress.json to ask first; a `body` that is a string is sent as it is, anything else as JSON.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import httpx

from tests.conversations import call_and_output

FOLDER = Path(__file__).resolve().parent.parent / "contract"
KEY = {"authorization": "Bearer sk-contract"}
ROWS = json.dumps([{"id": f"ord_{number}", "status": "open" if number == 77 else "paid", "total": number * 3} for number in range(120)])
LOG = "".join(f"2026-03-01T10:{i // 60:02}:{i % 60:02}Z INFO handled request {i} in {i % 7} ms\n" for i in range(200))


def conversation(dialect: str, text: str) -> list[Any]:
    """A question, a call, and its output."""
    return [{"role": "user", "content": "Which order is open?"}, *call_and_output(dialect, 1, "list_orders", "{}", [text], "")]


def post(path: str, body: Any, headers: dict[str, str] = KEY) -> dict[str, Any]:
    """A request as the cases have it."""
    return {"method": "POST", "path": path, "headers": {"content-type": "application/json", **headers}, "body": body}


def compress_requests() -> dict[str, Any]:
    """Name -> request."""
    openai = conversation("openai", ROWS)
    return {
        "OpenAI chat messages": {"model": "gpt-4o", "messages": openai},
        "Anthropic messages": {"model": "claude-sonnet-4-5-20250929", "messages": conversation("anthropic", ROWS)},
        "OpenAI Responses items": {"model": "gpt-4o", "input": conversation("responses", LOG)},
        "Vercel AI SDK prompt": {"model": "gpt-4o", "messages": conversation("vercel", ROWS)},
        "OpenClaw messages": {"model": "gpt-4o", "messages": conversation("openclaw", ROWS)},
        "OpenAI Responses input that is one string": {"model": "gpt-4o", "input": "hello"},
        "nothing to save": {"messages": [{"role": "user", "content": "hello"}]},
        "no messages at all": {"messages": []},
        "fold only": {"model": "gpt-4o", "messages": openai, "options": {"lossless": True}},
        "a preset": {"model": "gpt-4o", "messages": openai, "options": {"preset": "firm"}},
        "a budget": {"model": "gpt-4o", "messages": openai, "options": {"budget": {"tokens": 200, "share": 0.01}, "min_tokens": 50}},
        "fields that nobody knows stay": {"messages": [{"role": "user", "content": "hi", "x": [1.5, None, 12345678901234567890]}]},
        "neither messages nor input": {"model": "gpt-4o"},
        "both messages and input": {"messages": [], "input": []},
        "an unknown field": {"messages": [], "stream": True},
        "an unknown option": {"messages": [], "options": {"losless": True}},
        "an impossible option": {"messages": [], "options": {"min_tokens": -1}},
        "an impossible preset": {"messages": [], "options": {"preset": "hard"}},
        "an impossible budget": {"messages": [], "options": {"budget": 3}},
        "options that are none": {"messages": [], "options": []},
        "a message that cannot be read": {"messages": [{"role": "user", "content": "hi"}, {"role": "tool", "content": {"a": 1}}]},
        "messages that are none": {"messages": "hello"},
        "a model that is none": {"model": 4, "messages": []},
        "a body that is no JSON": "{not json",
        "a body that is no object": "[]",
    }


def retrieve_requests(reference: str) -> dict[str, Any]:
    """Name -> request, once `reference` is stored."""
    return {
        "everything": {"ref": reference},
        "a reference as it stands in a marker": {"ref": f"ref={reference}]"},
        "by words": {"ref": reference, "query": "ord_77"},
        "by lines": {"ref": reference, "lines": "2-3"},
        "from a character on": {"ref": reference, "offset": len(ROWS) - 20},
        "fields that are null": {"ref": reference, "query": None, "lines": None, "offset": None},
        "page by page, as the tool answers a model": {"ref": reference, "page_tokens": 100},
        "the next page": {"ref": reference, "page_tokens": 100, "offset": len(ROWS) - 100},
        "an unknown reference": {"ref": "aaaaaaaaaa"},
        "an unknown reference, page by page": {"ref": "aaaaaaaaaa", "page_tokens": 100},
        "no reference": {"query": "ord_77"},
        "lines that cannot be": {"ref": reference, "lines": "seven"},
        "an offset outside": {"ref": reference, "offset": 10_000_000},
        "an offset of another type": {"ref": reference, "offset": "7"},
        "an unknown field": {"ref": reference, "reference": "x"},
    }


def cases(client: httpx.Client) -> dict[str, list[dict[str, Any]]]:
    """File name -> cases, as the proxy behind `client` answers them now."""
    stored = post("/v1/compress", {"model": "gpt-4o", "messages": conversation("openai", ROWS)})
    (reference,) = ask(client, stored).json()["references"]
    before = ["OpenAI chat messages"]
    compress = [_case(client, name, post("/v1/compress", body)) for name, body in compress_requests().items()]
    retrieve = [_case(client, name, post("/v1/retrieve", body), before) for name, body in retrieve_requests(reference).items()]
    foreign = post("/v1/retrieve", {"ref": reference}, {"authorization": "Bearer sk-another"})
    retrieve.append(_case(client, "another caller's reference", foreign, before))
    return {"compress.json": compress, "retrieve.json": retrieve}


def ask(client: httpx.Client, request: dict[str, Any]) -> httpx.Response:
    """Send a request of a case."""
    body = request["body"]
    raw = body if isinstance(body, str) else json.dumps(body)
    return client.request(request["method"], request["path"], content=raw, headers=request["headers"])


def _case(client: httpx.Client, name: str, request: dict[str, Any], before: list[str] | None = None) -> dict[str, Any]:
    answer = ask(client, request)
    first = {"before": before} if before else {}
    return {"name": name, **first, "request": request, "status": answer.status_code, "response": answer.json()}


def main() -> None:
    """Write the files."""
    from tests.proxy.running import Proxy  # starts threads, which reading the cases does not need

    with tempfile.TemporaryDirectory() as home:
        os.environ["HEADROOM_HOME"] = home
        with Proxy() as proxy:
            for name, found in cases(proxy.http).items():
                (FOLDER / name).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
