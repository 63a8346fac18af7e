"""ASGI middleware for applications that receive requests for a model: FastAPI, Starlette, LiteLLM's proxy, anything.

from headroom.integrations.asgi import CompressionMiddleware
app.add_middleware(CompressionMiddleware)
"""

from __future__ import annotations

from headroom.integrations.asgi.middleware import MOST_BODY_BYTES, PATHS, CompressionMiddleware

__all__ = ["MOST_BODY_BYTES", "PATHS", "CompressionMiddleware"]
