"""A gateway of one's own, which hands requests on to a provider: behind the middleware it hands on shorter ones.

uvicorn gateway:app
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from headroom import CompressionService
from headroom.integrations.asgi import CompressionMiddleware

OWN = ("host", "content-length", "accept-encoding")
service = CompressionService()


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    async with httpx.AsyncClient(base_url=os.environ.get("UPSTREAM", "https://api.openai.com"), timeout=600) as client:
        yield {"client": client}
    print(service.savings.summary())


async def hand_on(request: Request) -> StreamingResponse:
    headers = {name: value for name, value in request.headers.items() if name not in OWN}
    client = request.state.client
    upstream = client.build_request("POST", request.url.path, headers=headers, content=await request.body())
    response = await client.send(upstream, stream=True)
    kind = response.headers.get("content-type")
    return StreamingResponse(response.aiter_bytes(), response.status_code, media_type=kind, background=BackgroundTask(response.aclose))


app = Starlette(
    routes=[Route("/{path:path}", hand_on, methods=["POST"])],
    middleware=[Middleware(CompressionMiddleware, retrieve=True, service=service)],
    lifespan=lifespan,
)
