"""`headroom proxy`: forward an agent's requests, shortened."""

from __future__ import annotations

from typing import Any

import click

from headroom.cli.command import command, flag, served, store_option


@command("proxy")
@click.option("--port", metavar="PORT", type=int, default=8787, help="The port to listen on; 0 takes any free one.")
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", help="The address to listen on. Any but this machine's own needs a token.")
@click.option("--openai-url", metavar="URL", help="In place of https://api.openai.com/v1.")
@click.option("--anthropic-url", metavar="URL", help="In place of https://api.anthropic.com.")
@click.option("--backend", type=click.Choice(("bedrock", "vertex_ai", "azure", "openrouter")), help="A cloud service.")
@click.option("--region", metavar="REGION", default="", show_default=False, help="The backend's region.")
@click.option("--backend-url", metavar="URL", default="", show_default=False, help="In place of the backend's own.")
@click.option("--model-map", metavar="NAME=NAME", multiple=True, help="A client's name for a model, and the backend's. May be repeated.")
@click.option("--token", metavar="TOKEN", help="What the proxy's own endpoints ask for. [default: HEADROOM_TOKEN]")
@click.option("--retrieve/--no-retrieve", default=True, help="Offer headroom_retrieve, and answer it.")
@flag("--show-texts", "Keep the newest texts in memory, for the dashboard.")
@click.option("--max-body-bytes", metavar="BYTES", type=int, default=64 << 20, help="The largest conversation that is taken.")
@click.option("--max-requests", metavar="N", type=int, default=1_000, help="The most requests at the same time.")
@click.option("--read-time-out", metavar="SECONDS", type=float, default=600.0, help="How long a provider may be silent.")
@store_option
def proxy_command(model_map: tuple[str, ...], **options: Any) -> None:
    """Forward an agent's requests to its provider, shortened.

    ANTHROPIC_BASE_URL=http://localhost:8787, or OPENAI_BASE_URL=http://localhost:8787/v1, leads a client here.
    """
    from headroom.proxy.serve import serve  # needs the extra [proxy], and loads for a while

    with served():
        serve(model_map=list(model_map) or None, **options)
