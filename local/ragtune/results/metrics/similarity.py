"""How near an answer's meaning is to a reference's, by the embedder of the recipe."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ragtune.core.errors import RagtuneError
from ragtune.core.text.refusals import refuses
from ragtune.results.metrics.base import Case, Embed, Tools
from ragtune.results.metrics.right import is_unanswerable


@dataclass(frozen=True)
class Similarity:
    """The cosine of the embeddings of answer and reference, 0 where it is negative.

    For long answers in free words. It hardly sees a wrong number, a denial, or two names that
    have changed places, and texts on one subject are near each other however they differ: it
    compares arms, and says little as a figure of its own. A text longer than what the embedder
    reads is cut there. The best reference counts; refusals and empty answers score as in
    `ragtune.results.metrics.answers`.
    """

    embed: Embed | None = None
    name: str = "similarity"
    title: str = "similarity"
    needs: frozenset[str] = frozenset({"embedder"})

    def using(self, tools: Tools) -> "Similarity":
        """The same with an embedder."""
        return replace(self, embed=tools.embedder)

    def scores(self, cases: Sequence[Case]) -> list[float]:
        """A number from 0 to 1 for each case.

        Raises RagtuneError without an embedder.
        """
        if self.embed is None:
            raise RagtuneError("metric similarity: has no embedder; offer it one")
        texts = list(dict.fromkeys(t for c in cases for t in (c.answer, *c.references) if t))
        vectors = dict(zip(texts, self.embed(texts), strict=True)) if texts else {}
        return [max(_pair(case, r, vectors) for r in case.references) for case in cases]


def _pair(case: Case, reference: str, vectors: dict[str, Sequence[float]]) -> float:
    declined = refuses(case.answer, case.refusals)
    none = is_unanswerable(reference, case.refusals)
    if declined or none or not case.answer.strip():
        return float(declined and none)
    both = zip(vectors[case.answer], vectors[reference], strict=True)
    return min(1.0, max(0.0, sum(a * b for a, b in both)))


SIMILARITY = Similarity()
