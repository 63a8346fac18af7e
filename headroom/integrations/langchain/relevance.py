"""How relevant documents are to a query, and to each other: BM25 over the documents given, or the user's embeddings."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w+")
_FILLERS = frozenset(
    """
    a an and are as at be by can did do does for from had has have how i in is it its me my of on or our so that the their
    then there they this to was we were what when where which who why will with would you your
""".split()  # noqa: SIM905  (fifty lines otherwise)
)
"""English words that any text may hold. Among a handful of documents one of them may happen to be rare, and mean nothing."""

_SATURATION = 1.2  # BM25's k1: how soon one more occurrence of a word counts for little
_LENGTH_WEIGHT = 0.75  # BM25's b: how much a long document's words count less


@dataclass(frozen=True, slots=True)
class Relevance:
    """Of each document: its relevance to the query, 0.0 to 1.0, and a vector of length 1 (or empty), sparse."""

    scores: list[float]
    vectors: list[dict[str, float]]

    def order(self) -> list[int]:
        """Best first; equals as they came."""
        return sorted(range(len(self.scores)), key=lambda index: -self.scores[index])

    def diverse_order(self, most: int, weight: float) -> list[int]:
        """Maximal marginal relevance: each next one is relevant, and unlike those before it.

        `weight` is the share of relevance, 0.0 to 1.0; the rest is unlikeness. At most `most` of them.
        """
        left = self.order()
        likeness = [0.0] * len(self.scores)
        chosen: list[int] = []
        while left and len(chosen) < most:
            best = max(left, key=lambda index: weight * self.scores[index] - (1 - weight) * likeness[index])
            left.remove(best)
            chosen.append(best)
            for index in left:
                likeness[index] = max(likeness[index], _product(self.vectors[best], self.vectors[index]))
        return chosen


def by_words(texts: Sequence[str], query: str) -> Relevance:
    """BM25, with document frequencies counted in `texts`.

    1.0 where a text has every word of the query that any text has, about once or more; 0.0 where it has none. English
    words like "the" count only in a query that has no others. A query without any word that a text has says nothing:
    then all are equally relevant, 1.0.
    """
    counts = [Counter(_words(text)) for text in texts]
    found_in = Counter(word for count in counts for word in count)
    rarity = {word: math.log(1 + (len(texts) - number + 0.5) / (number + 0.5)) for word, number in found_in.items()}
    asked = [word for word in dict.fromkeys(_words(query)) if word in rarity]
    wanted = [word for word in asked if word not in _FILLERS] or asked
    attainable = sum(rarity[word] for word in wanted)
    vectors = [_unit({word: number * rarity[word] for word, number in count.items()}) for count in counts]
    if not attainable:
        return Relevance([1.0] * len(texts), vectors)
    lengths = [sum(count.values()) for count in counts]
    average = sum(lengths) / len(lengths)
    norms = [_SATURATION * (1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * length / average) for length in lengths]
    scores = [
        sum(rarity[word] * count[word] * (_SATURATION + 1) / (count[word] + norm) for word in wanted)
        for count, norm in zip(counts, norms, strict=True)
    ]
    return Relevance([min(1.0, score / attainable) for score in scores], vectors)


def by_vectors(documents: Sequence[Sequence[float]], query: Sequence[float]) -> Relevance:
    """Cosines between embeddings; below 0 counts as 0."""
    vectors = [_unit({str(place): value for place, value in enumerate(vector)}) for vector in documents]
    asked = _unit({str(place): value for place, value in enumerate(query)})
    return Relevance([max(0.0, min(1.0, _product(asked, vector))) for vector in vectors], vectors)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _unit(vector: dict[str, float]) -> dict[str, float]:
    length = math.sqrt(sum(value * value for value in vector.values()))
    return {key: value / length for key, value in vector.items()} if length else {}


def _product(one: dict[str, float], other: dict[str, float]) -> float:
    small, large = (one, other) if len(one) <= len(other) else (other, one)
    return sum(value * large.get(key, 0.0) for key, value in small.items())
