"""`python -m headroom.cli`."""

from headroom.cli import app

app()
