"""The contract of a compressor: two questions, no state."""

from __future__ import annotations

from typing import Protocol

from headroom.core.detect import Sample
from headroom.core.types import Request, Shortened


class Compressor(Protocol):
    """One kind of content.

    `kind`, the file, the class, its test and its page in docs share one name. Implementations hold no state,
    depend on nothing but their arguments (no clock, no environment, no hash order), are linear in the text, and
    let bad input fall through: `claims` returns False or `compress` returns None, and a simpler kind takes over.
    """

    kind: str

    def claims(self, sample: Sample) -> bool:
        """Is this text of my kind? Asked of every compressor in the router's order; the first yes wins.

        Costs microseconds: looks at the sample, not at the whole text, unless the sample is already convincing.
        """
        ...

    def compress(self, text: str, request: Request) -> Shortened | None:
        """Fold; if the fold is still over `request.allowance(its size)`, digest. None: nothing worth doing.

        With `request.lossless` the result must hold every value and line of the text (`lossy=False`).
        More budget never shows less: what is kept under a small budget is kept under every larger one.
        """
        ...
