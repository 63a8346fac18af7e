"""`python -m headroom.cli`."""

from headroom.cli import app

if __name__ == "__main__":
    app()
