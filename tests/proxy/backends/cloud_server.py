"""A cloud's server on 127.0.0.1: it refuses what the real one would refuse, and else answers as a test tells it to."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.scripted_dialects import DIALECTS
from tests.scripted_model import Call, Reply, Request

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a service says to a request that it takes."""

    text: str = "The order is late."
    calls: tuple[Call, ...] = ()
    status: int = 200
    body: Any = None
    """In place of a model's answer: an error, usually, in the service's own words; JSON, or bytes as they are."""
    headers: Mapping[str, str] = field(default_factory=dict)
    goes_on: threading.Event | None = None
    """After the first event of a stream, wait for this."""
    stops_after: int | None = None
    """Hang up after this many events."""
    ends_with: bytes = b""
    """In place of the last event, as it is."""
    never_ends: bool = False
    """Repeat the last event until the client has left; without a stream, say nothing until then."""


class CloudServer:
    """A server and what it saw. A request that the service would refuse is answered 403 and kept in `refused`."""

    def __init__(self) -> None:
        self.answer: Answer | Callable[[Request], Answer] = Answer()
        """To every request, or as each asks."""
        self.requests: list[Request] = []
        self.refused: list[str] = []
        self.left = threading.Event()
        """A client has gone before its answer was over."""
        self.asked = threading.Event()
        """A request has arrived."""
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"cloud": self}))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def __enter__(self) -> CloudServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def request(self) -> Request:
        """The newest."""
        return self.requests[-1]

    def problem(self, request: Request) -> str:
        """Why the service refuses a request, "" if it takes it."""
        raise NotImplementedError

    def dialect(self, request: Request) -> str:
        """Of the answer."""
        raise NotImplementedError

    def streams(self, request: Request) -> bool:
        """Whether a stream was asked for."""
        return bool(request.body.get("stream"))

    def other(self, request: Request) -> Json | None:
        """The answer to what is no question to a model."""
        return None

    def pieces(self, request: Request) -> Iterator[bytes]:
        """The events of a streamed answer."""
        dialect = self.dialect(request)
        for name, data in self.written(request).events():
            yield (b"" if dialect == "openai" else f"event: {name}\n".encode()) + f"data: {json.dumps(data)}\n\n".encode()
        if dialect == "openai":
            yield b"data: [DONE]\n\n"

    stream_type = "text/event-stream"

    def written(self, request: Request) -> Any:
        """The answer in the service's dialect: `whole()` and `events()`."""
        answer = self.answer_to(request)
        return DIALECTS[self.dialect(request)](request, Reply(answer.text, answer.calls))

    def answer_to(self, request: Request) -> Answer:
        """What the test says."""
        return self.answer if isinstance(self.answer, Answer) else self.answer(request)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients hang up at will


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    cloud: CloudServer

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _handle(self) -> None:
        request, cloud = self._taken(), self.cloud
        self.headers_of_answer = {}
        problem = cloud.problem(request)
        if problem:
            cloud.refused.append(problem)
            self._send(403, {"message": problem})
        elif (other := cloud.other(request)) is not None:
            self._send(200, other)
        else:
            cloud.requests.append(request)
            cloud.asked.set()
            self._answer(request, cloud.answer_to(request))

    def _taken(self) -> Request:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        with contextlib.suppress(ValueError):
            body = json.loads(raw)
            return Request(self.command, self.path, self._names(), raw, body, len(self.cloud.requests))
        return Request(self.command, self.path, self._names(), raw, {}, len(self.cloud.requests))

    def _names(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _answer(self, request: Request, answer: Answer) -> None:
        self.headers_of_answer = answer.headers
        if answer.body is not None or answer.status != 200:
            self._send(answer.status, answer.body)
        elif self.cloud.streams(request):
            try:
                self._stream(list(self.cloud.pieces(request)), answer)
            except OSError:
                self._gone()
        elif answer.never_ends:
            self._until_left()
        else:
            self._send(200, self.cloud.written(request).whole())

    def _send(self, status: int, body: Any) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._begin(status, {"content-type": "application/json", "content-length": str(len(raw))})
        self.wfile.write(raw)

    def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "x-amzn-requestid": "request-7", **self.headers_of_answer}.items():
            self.send_header(name, value)
        self.end_headers()

    def _stream(self, pieces: list[bytes], answer: Answer) -> None:
        self._begin(200, {"content-type": self.cloud.stream_type, "transfer-encoding": "chunked"})
        if answer.ends_with:
            pieces[-1] = answer.ends_with
        for sent, piece in enumerate(pieces):
            if sent == answer.stops_after:
                self.close_connection = True
                self.connection.shutdown(2)
                return
            self._chunk(piece)
            if answer.goes_on is not None and sent == 0 and not answer.goes_on.wait(20):
                return
        while answer.never_ends:  # until the client's end is closed, which is an OSError
            self._chunk(pieces[-1])
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, piece: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def _until_left(self) -> None:
        with contextlib.suppress(OSError):
            self.rfile.read(1)
        self._gone()

    def _gone(self) -> None:
        self.close_connection = True
        self.cloud.left.set()
