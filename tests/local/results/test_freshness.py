import pytest

from ragtune.results import freshness
from ragtune.results.schema import DocumentChange
from ragtune.sources.documents import Document, from_documents
from ragtune.sources.records import Record
from tests.conftest import FACTS

QUESTIONS = [Record(asked, answer, document=name) for name, _, _, asked, answer in FACTS]
CORPUS = from_documents([Document(name, f"# {t}\n\n{said}\n") for name, t, said, _, _ in FACTS])
REFUSAL = "not in the documents"


def test_a_fact_gets_another_value_and_nothing_else_changes() -> None:
    made = freshness.changes(CORPUS, QUESTIONS, with_context=False)
    assert len(made) == freshness.CHANGES
    first = made[0]
    assert (first.document, first.question.response) == ("harbour.md", "six")
    assert first.fact in {q.response for q in QUESTIONS} - {"six"}
    assert [p.text for p in first.parts] == [f"# Harbour\n\nThe harbour opens at {first.fact}.\n"]


def test_only_whole_words_are_replaced() -> None:
    corpus = from_documents([Document("a.md", "Of sixty boats six sail at six.")])
    asked = [Record("How many sail?", "six", document="a.md"), Record("Who?", "ten")]
    (change,) = freshness.changes(corpus, asked, with_context=False)
    assert change.parts[0].text == "Of sixty boats ten sail at ten."


def test_where_no_document_holds_a_response_one_is_made_to_state_it() -> None:
    asked = [Record("Sort this:", "to: desk", context="A letter.")]
    (change,) = freshness.changes(CORPUS, asked, with_context=True)
    assert change.fact == "to: desk"
    assert change.parts[-1].text.endswith("\n\nSort this:\nA letter.\nto: desk\n")
    assert change.parts[-1].text.startswith("# Canteen")


def test_answers_that_were_right_are_changed_first_and_refusals_never() -> None:
    asked = [*QUESTIONS[:2], Record("Why?", REFUSAL)]
    ordered = freshness.by_rightness(asked, ["seven", "Petrel", REFUSAL], REFUSAL)
    assert [q.response for q in ordered] == ["Petrel", "six"]


def changed(index_seconds: float, *, followed: bool = True) -> DocumentChange:
    return DocumentChange(
        document="a.md",
        question="Who?",
        fact="Zoë",
        before="Ann",
        after="Zoë",
        shown=True,
        followed=followed,
        index_seconds=index_seconds,
        answer_seconds=0.5,
    )


def test_an_arm_is_as_fresh_as_what_has_to_be_made_again_for_it() -> None:
    stages, fresh = {"data/tuned": 1.0, "tune/tuned": 60.0}, freshness.summary([changed(0.25)])
    of = {a: freshness.arm_seconds(a, stages, fresh, 250.0) for a in ("base", "tuned", "rag")}
    assert of == {"base": None, "tuned": 61.25, "rag": 0.75}
    assert freshness.arm_seconds("tuned+rag", stages, fresh, 250.0) == 0.75
    assert freshness.arm_seconds("rag", stages, None, 250.0) is None


def test_the_summary_counts_what_was_shown_and_followed_and_takes_the_median() -> None:
    found = freshness.summary([changed(1.0), changed(9.0, followed=False), changed(2.0)])
    assert found.reindex_seconds == pytest.approx(2.5)
    assert (found.shown, found.followed) == (3, 2)


def test_a_fact_is_shown_where_its_words_stand_in_a_row() -> None:
    assert freshness._holds("Soup costs 3 crowns.", "three crowns")
    assert not freshness._holds("It opens at 16:30.", "six")
    assert freshness._holds("水箱用不锈钢做的", "不锈钢")
