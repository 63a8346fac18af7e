"""A model server on 127.0.0.1 that says what a test tells it to, in the dialects of OpenAI (chat and Responses) and
Anthropic, streaming too, and keeps every request as it came over the wire.

    with ScriptedModel(["hello"]) as model:                       # the same words for every request
    with ScriptedModel([calls("get_orders", day=1), "done"]) ...  # a reply a request; the last one stays
    with ScriptedModel(lambda request: "yes" if request.tool_outputs else calls("look")) ...
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.scripted_dialects import DIALECTS, input_tokens

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One call of a tool. Without an id it gets one of its own."""

    name: str
    arguments: Json = field(default_factory=dict)
    id: str = ""


@dataclass(frozen=True)
class Reply:
    """What the model says: words, calls, or both; or an error; or half a stream."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    thinking: str = ""
    """Anthropic: a thinking block with a signature. Responses: a reasoning item."""
    status: int = 200
    error: str = "scripted error"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before each streamed event, or before the whole reply."""
    breaks_after: int | None = None
    """Hang up after this many streamed events."""
    usage: tuple[int, int] | None = None
    """Tokens in and out; by default a quarter of the body's bytes, and 5."""


def calls(name: str, /, **arguments: Any) -> Reply:
    """A reply that calls one tool."""
    return Reply(calls=(Call(name, arguments),))


@dataclass
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    raw: bytes
    body: Json
    number: int

    @property
    def dialect(self) -> str:
        """ "anthropic", "responses" or "openai", by the path."""
        path = self.path.partition("?")[0]
        return "anthropic" if path.endswith("/messages") else "responses" if path.endswith("/responses") else "openai"

    @property
    def messages(self) -> list[Json]:
        """Messages or input items, as sent."""
        value = self.body.get("input" if self.dialect == "responses" else "messages") or []
        return [{"role": "user", "content": value}] if isinstance(value, str) else value

    @property
    def tools(self) -> list[str]:
        """The names of the tools offered, in order."""
        return [(tool.get("function") or tool).get("name", tool.get("type")) for tool in self.body.get("tools") or []]

    @property
    def tool_outputs(self) -> list[str]:
        """The texts of all tool outputs in the request, in order."""
        found = []
        for message in self.messages:
            if message.get("role") == "tool":
                found.append(_text(message["content"]))
            elif message.get("type") in ("function_call_output", "custom_tool_call_output"):
                found.append(_text(message["output"]))
            elif message.get("role") == "user" and isinstance(message.get("content"), list):
                found += [_text(block.get("content")) for block in message["content"] if block.get("type") == "tool_result"]
        return found

    @property
    def user_text(self) -> str:
        """The newest words of a user."""
        for message in reversed(self.messages):
            if message.get("role") == "user":
                words = _text(message.get("content"))
                if words:
                    return words
        return ""

    @property
    def references(self) -> list[str]:
        """The references in markers of all tool outputs: what headroom_retrieve can be asked for."""
        return [found for text in self.tool_outputs for found in re.findall(r"headroom_retrieve ref=([a-z0-9]+-[a-z0-9]+)", text)]


Script = Callable[[Request], "Reply | str"] | Sequence["Reply | str"]


class ScriptedModel:
    """The server; a context manager. `script` gives the reply to each POST to a known path."""

    def __init__(self, script: Script = ("ok",)) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.hung_up = 0
        """How many clients left before their reply was over."""
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"model": self}))
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        """What Anthropic's clients take as base_url."""
        self.openai_url = f"{self.url}/v1"
        """What OpenAI's clients take as base_url."""
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def __enter__(self) -> ScriptedModel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def bodies(self) -> list[Json]:
        """The bodies of all requests so far."""
        return [request.body for request in self.requests]

    def clear(self) -> None:
        """Forget the requests; a list of replies starts anew."""
        self.requests.clear()

    def reply_to(self, request: Request) -> Reply:
        """What the script says."""
        said = self.script(request) if callable(self.script) else self.script[min(request.number, len(self.script) - 1)]
        return Reply(said) if isinstance(said, str) else said

    def take(self, method: str, path: str, headers: dict[str, str], raw: bytes) -> Request:
        """Write a request down."""
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            body = {}
        with self._lock:
            request = Request(method, path, headers, raw, body if isinstance(body, dict) else {}, len(self.requests))
            self.requests.append(request)
        return request


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients hang up at will


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    model: ScriptedModel

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/recorded":
            self._send_json(200, {"requests": [{"path": request.path, "body": request.body} for request in self.model.requests]}, {})
            self.model.clear()
            return
        request = self._take()
        if request.path.partition("?")[0].endswith("/models"):
            self._send_json(200, {"object": "list", "data": [{"id": "scripted", "object": "model"}]}, {})
        else:
            self._send_json(404, {"error": {"message": f"no {request.path} here", "type": "not_found_error"}}, {})

    def do_POST(self) -> None:
        request = self._take()
        path = request.path.partition("?")[0]
        if path.endswith("/count_tokens"):
            self._send_json(200, {"input_tokens": input_tokens(request)}, {})
            return
        if not path.endswith(("/messages", "/chat/completions", "/responses")):
            self._send_json(404, {"error": {"message": f"no {path} here", "type": "not_found_error"}}, {})
            return
        reply = self.model.reply_to(request)
        if reply.status != 200:
            error = {"type": "scripted_error", "message": reply.error}
            body = {"type": "error", "error": error} if request.dialect == "anthropic" else {"error": error}
            self._send_json(reply.status, body, reply.headers)
            return
        dialect = DIALECTS[request.dialect](request, reply)
        if request.body.get("stream"):
            self._send_events(dialect.events(), reply, done=request.dialect == "openai")
        else:
            time.sleep(reply.delay)
            self._send_json(200, dialect.whole(), reply.headers)

    def _take(self) -> Request:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            raw = b"".join(self._chunks())
        else:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        return self.model.take(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, raw)

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send_json(self, status: int, body: Json, headers: dict[str, str]) -> None:
        raw = json.dumps(body).encode()
        try:
            self.send_response(status)
            for name, value in {
                "content-type": "application/json",
                "content-length": str(len(raw)),
                "x-scripted": "yes",
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)
        except OSError:
            self._hung_up()

    def _send_events(self, events: Iterator[tuple[str, Json]], reply: Reply, done: bool) -> None:
        named = not done
        try:
            self.send_response(200)
            for name, value in {
                "content-type": "text/event-stream",
                "transfer-encoding": "chunked",
                "x-scripted": "yes",
                **reply.headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            for sent, (name, data) in enumerate(events):
                if sent == reply.breaks_after:
                    self.close_connection = True
                    with contextlib.suppress(OSError):
                        self.connection.shutdown(2)
                    return
                time.sleep(reply.delay)
                self._send_chunk((f"event: {name}\n" if named else "") + f"data: {json.dumps(data)}\n\n")
            if done:
                self._send_chunk("data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self._hung_up()

    def _send_chunk(self, text: str) -> None:
        raw = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))
        self.wfile.flush()

    def _hung_up(self) -> None:
        self.model.hung_up += 1
        self.close_connection = True


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    texts = (part.get("text") for part in content or [] if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))
