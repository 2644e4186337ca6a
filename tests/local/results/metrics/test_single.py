"""Metrics that are more than a function of words: similarity, numeric error, support in words."""

from collections.abc import Sequence

import pytest

from ragtune.core.errors import RagtuneError
from ragtune.results.metrics import registry
from ragtune.results.metrics.base import Case, Tools
from ragtune.results.metrics.grounded import grounded
from ragtune.results.metrics.numeric import NUMERIC_ERROR
from ragtune.results.metrics.similarity import SIMILARITY
from ragtune.results.metrics.single import RIGHT
from ragtune.sources.records import Record


def case(answer: str, *references: str) -> Case:
    return Case(Record("Q?", references[0]), answer, references, refusals=("not in the documents",))


def embed(texts: Sequence[str]) -> list[list[float]]:
    """Boats one way, all else another."""
    return [[1.0, 0.0] if "boat" in t else [0.0, -1.0] if "no" in t else [0.6, 0.8] for t in texts]


def test_similarity_is_the_cosine_to_the_nearest_reference() -> None:
    tools = Tools(embedder=embed)
    metric = registry.metrics(tools)["similarity"]
    cases = [
        case("a red boat", "the boat"),
        case("a red boat", "a car", "the boat"),
        case("a red boat", "a car"),
        case("nothing", "a car"),
    ]
    assert registry.score(metric, cases) == pytest.approx([1.0, 1.0, 0.6, 0.0])


def test_similarity_knows_refusals_and_empty_answers() -> None:
    metric = SIMILARITY.using(Tools(embedder=embed))
    cases = [case("I do not know.", "the boat"), case("", "the boat"), case("Unknown.", "")]
    assert metric.scores(cases) == [0.0, 0.0, 1.0]


def test_without_an_embedder_similarity_is_left_out() -> None:
    assert "similarity" not in registry.metrics()
    with pytest.raises(RagtuneError, match="has no embedder"):
        SIMILARITY.scores([case("x", "y")])


def test_nothing_is_embedded_before_it_is_asked_for() -> None:
    def never(texts: Sequence[str]) -> list[list[float]]:
        raise AssertionError

    assert "similarity" in registry.metrics(Tools(embedder=never))


def test_the_numeric_error_is_over_the_cases_with_a_number() -> None:
    cases = [case("15 mg", "1.5 mg"), case("2 m", "200 cm"), case("blue", "red")]
    found = NUMERIC_ERROR.estimate(cases, seed=1)
    assert found is not None
    assert found.mean == 0.5
    assert NUMERIC_ERROR.estimate(cases[2:], seed=1) is None


def test_right_is_given_the_labels_and_the_question() -> None:
    question = Record("How many tonnes does it lift?", "seven tonnes")
    assert RIGHT.scores([Case(question, "seven", ("seven tonnes",))]) == [1.0]
    labelled = Case(Record("Which?", "refund"), "refund or repair", ("refund",))
    both = Case(
        labelled.question, labelled.answer, labelled.references, labels=("refund", "repair")
    )
    assert RIGHT.scores([both]) == [0.0]


def test_grounded_counts_the_answers_words_by_what_they_say() -> None:
    assert grounded("The red boat", ["a boat", "painted red"]) == 1.0
    assert grounded("red house", ["red boat"]) == 0.5
    assert grounded("3 crowns", ["Soup costs three crowns."]) == 1.0
    assert grounded("...", ["x"]) == 0.0
    assert grounded("", ["x"]) is None
