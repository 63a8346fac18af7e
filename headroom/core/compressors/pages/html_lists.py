"""What a page says by the form of its text: the numbers of a list, what stands raised or lowered."""

from __future__ import annotations

_RAISED = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_LOWERED = str.maketrans("0123456789+-−", "₀₁₂₃₄₅₆₇₈₉₊₋₋")
_PLAIN = frozenset("0123456789+-−")
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"),
    (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


class Listing:
    """A list that is open: which number its next item has."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        start = _whole(attributes.get("start", ""))
        backwards = "reversed" in attributes
        self.numbered = tag == "ol" and (start is not None or not backwards)  # counted down from its length: not known yet
        self.next = 1 if start is None else start
        self.step = -1 if backwards else 1
        self.form = attributes.get("type", "").strip()

    def sign(self, attributes: dict[str, str]) -> str:
        """What stands before the next item, whose attributes these are."""
        if not self.numbered:
            return "-"
        value = _whole(attributes.get("value", ""))
        number = self.next if value is None else value
        self.next = number + self.step
        return f"{_written(number, self.form)}."


def _whole(written: str) -> int | None:
    digits = written.strip()
    unsigned = digits.removeprefix("-")
    return int(digits) if unsigned.isascii() and unsigned.isdigit() and len(unsigned) < 10 else None


def _written(number: int, form: str) -> str:
    if form in ("a", "A") and 1 <= number <= 26:
        return chr(ord(form) + number - 1)
    if form in ("i", "I") and 1 <= number < 4000:
        roman = ""
        for value, letters in _ROMAN:
            times, number = divmod(number, value)
            roman += letters * times
        return roman if form == "i" else roman.upper()
    return str(number)


def raised(tag: str, text: str) -> str:
    """The text of a `sup` or `sub` as one reads it: 10⁵, H₂O, x^(n), [1]."""
    inner = text.strip()
    if not inner or (inner[0] == "[" and inner[-1] in ")]"):  # a footnote's number stands apart already
        return text
    if _PLAIN.issuperset(inner):
        return inner.translate(_RAISED if tag == "sup" else _LOWERED)
    return f"{'^' if tag == 'sup' else '_'}({inner})"
