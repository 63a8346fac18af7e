"""A proxy on 127.0.0.1 in a thread of this process, and raw connections to it."""

from __future__ import annotations

import json
import socket
import threading
from types import TracebackType
from typing import Any

import httpx

from headroom import CompressConfig
from headroom.proxy.serve import Server
from headroom.proxy.settings import ProxySettings
from headroom.proxy.state import State
from tests.conversations import call_and_output
from tests.scripted_model import ScriptedModel
from tests.shop import orders

ORDERS = json.dumps(orders(400))
PATHS = {"anthropic": "/v1/messages", "openai": "/v1/chat/completions", "responses": "/v1/responses"}
KEYS = {"anthropic": {"x-api-key": "sk-ant-one", "anthropic-version": "2023-06-01"}, "openai": {"authorization": "Bearer sk-one"}}
KEYS["responses"] = KEYS["openai"]


def question(dialect: str, text: str = ORDERS, **others: Any) -> dict[str, Any]:
    """A request whose last message is a long tool output."""
    asks = {"role": "user", "content": "Which order failed?"}
    messages = [asks, *call_and_output(dialect, 1, "list_orders", '{"page": 1}', [text], "")]
    key = "input" if dialect == "responses" else "messages"
    limits = {"max_tokens": 100} if dialect == "anthropic" else {}
    return {"model": "gpt-4o", key: messages, **limits, **others}


class Proxy:
    """Runs while its `with` lasts. `settings`: fields of ProxySettings; upstream is `model`, if given."""

    def __init__(self, model: ScriptedModel | None = None, **settings: Any) -> None:
        if model is not None:
            settings = {"openai_url": model.openai_url, "anthropic_url": model.url, **settings}
        settings.setdefault("config", CompressConfig())
        self.server = Server(ProxySettings(**{"port": 0, **settings}))
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self.server.run()

    def __enter__(self) -> Proxy:
        self._thread.start()
        assert self.server.listening.wait(10), "the proxy did not start"
        self.port = self.server.port
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.url, timeout=20)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.http.close()
        self.stop()

    def stop(self) -> None:
        """As a signal would."""
        self.server.should_exit = True
        self._thread.join(15)
        assert not self._thread.is_alive(), "the proxy did not stop"

    @property
    def state(self) -> State:
        return self.server.app.state

    def post(self, dialect: str, body: dict[str, Any] | bytes, **headers: str) -> httpx.Response:
        """A conversation, sent with the usual key."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(PATHS[dialect], content=raw, headers={"content-type": "application/json", **KEYS[dialect], **headers})

    def connect(self) -> socket.socket:
        """A connection to write on byte by byte."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


def read_all(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def said(response: httpx.Response, dialect: str) -> str:
    """The model's words in a whole response."""
    body = response.json()
    if dialect == "anthropic":
        return "".join(block["text"] for block in body["content"] if block["type"] == "text")
    if dialect == "responses":
        return "".join(part["text"] for item in body["output"] if item["type"] == "message" for part in item["content"])
    return str(body["choices"][0]["message"]["content"])


def streamed_words(text: str) -> str:
    """The model's words in a stream, put together."""
    words = []
    for line in text.splitlines():
        if line.startswith("data: {"):
            data = json.loads(line.removeprefix("data: "))
            choices = data.get("choices") or [{}]
            delta = data.get("delta") if "delta" in data else choices[0].get("delta")
            words.append(delta if isinstance(delta, str) else (delta or {}).get("text") or (delta or {}).get("content") or "")
    return "".join(words)
