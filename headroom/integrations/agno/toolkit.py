"""HeadroomTools: headroom_retrieve as a toolkit, for agents whose model is not wrapped."""

from __future__ import annotations

from typing import Any

from agno.tools import Toolkit

from headroom import CompressionService, Savings
from headroom.integrations.agno.retrieval import retrieve_function
from headroom.tools.definitions import RETRIEVE_TOOL

INSTRUCTIONS = (
    f"Some tool outputs are shortened. A line such as [412 of 500 rows left out; {RETRIEVE_TOOL} ref=...] says what is missing "
    f"and where. If you need it, call {RETRIEVE_TOOL} with that ref: with query for matching rows or lines, with lines for a range. "
    "Do not guess what was left out."
)


class HeadroomTools(Toolkit):
    """Gives the model back what was left out: `Agent(tools=[HeadroomTools()], compression_manager=HeadroomCompressionManager())`.

    `HeadroomAgnoModel` offers the same tool by itself; beside it, this toolkit answers in its place and adds its
    instructions to the system message. `add_instructions=False` leaves them out.
    Takes the store, the config and the namespace that whatever compresses was given.
    """

    def __init__(self, *, instructions: str = INSTRUCTIONS, add_instructions: bool = True, **options: Any) -> None:
        self._service = CompressionService(**options)
        super().__init__(name="headroom", instructions=instructions, add_instructions=add_instructions)
        self.functions[RETRIEVE_TOOL] = retrieve_function(self._service)

    @property
    def savings(self) -> Savings:
        """`.retrievals` counts the calls answered."""
        return self._service.savings
