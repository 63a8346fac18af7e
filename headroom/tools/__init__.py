"""What an agent may call: `retrieve.py` answers, `definitions.py` describes."""

from headroom.tools.definitions import definition
from headroom.tools.retrieve import call

__all__ = ["call", "definition"]
