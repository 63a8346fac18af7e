"""`headroom proxy`: forward an agent's requests, shortened."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from headroom.cli.shared import StoreOption, complaints


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
    with complaints():
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
