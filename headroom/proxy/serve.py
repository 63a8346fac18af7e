"""The proxy as a process: `headroom proxy`."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from typing import Any

from headroom import MissingDependencyError
from headroom.proxy.app import ProxyApp
from headroom.proxy.forward import BrokenStream
from headroom.proxy.settings import ProxySettings
from headroom.proxy.upstream import TimeOuts

try:
    import uvicorn
except ImportError as missing:
    raise MissingDependencyError("uvicorn", extra="proxy") from missing

SWITCH_SECONDS = 0.0005
"""How soon a thread that compresses gives way to the one that passes streams on. Python's own 5 ms would be felt."""


def serve(*, read_time_out: float = 600.0, **given: Any) -> None:
    """Serve until told to stop (SIGINT, SIGTERM); then take no new requests, and let streams end.

    `given`: fields of ProxySettings; None leaves one to the environment, or its default. ConfigError for impossible ones.
    """
    settings = ProxySettings.from_env(time_outs=TimeOuts(read=read_time_out), **given)
    sys.setswitchinterval(SWITCH_SECONDS)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s: %(message)s")
    server = Server(settings)
    server.run()


def _is_news(record: logging.LogRecord) -> bool:
    """Whether uvicorn's complaint is news: that a response broke off upstream has been logged, and hanging up is meant."""
    return not (record.exc_info and isinstance(record.exc_info[1], BrokenStream))


class Server(uvicorn.Server):
    """uvicorn with our settings; says where it listens. Requests are not logged: what clients ask is nobody's business."""

    def __init__(self, settings: ProxySettings) -> None:
        self.app = ProxyApp(settings)
        self.listening = threading.Event()
        super().__init__(
            uvicorn.Config(
                self.app,
                host=settings.host,
                port=settings.port,
                ws="none",
                access_log=False,
                log_level="warning",
                server_header=False,  # the provider's own headers are passed on, and no others added
                date_header=False,
                proxy_headers=False,
                lifespan="on",
                backlog=2048,
                timeout_keep_alive=75,  # an agent's tools run between its requests
                timeout_graceful_shutdown=int(settings.shutdown_seconds),
            )
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.servers[0].sockets[0].getsockname()[1])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so on stderr."""
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        await super().startup(sockets)
        if self.started:
            self.listening.set()
            host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
            print(f"headroom proxy listens on http://{host}:{self.port} (dashboard: open it in a browser)", file=sys.stderr, flush=True)
