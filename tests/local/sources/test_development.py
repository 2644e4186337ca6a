import pytest

from ragtune.core.errors import RecordsError
from ragtune.sources.development import LEAST, MOST, develop
from ragtune.sources.records import Record
from ragtune.sources.split import HELD_OUT


def records(count: int, *, a_document: int = 1, a_group: int = 1) -> list[Record]:
    return [
        Record(
            f"question {n}?",
            f"answer {n}",
            document=f"{n // a_document}.md",
            group=f"fact {n // a_group}" if a_group > 1 else "",
        )
        for n in range(count)
    ]


@pytest.mark.parametrize(("count", "asked"), [(200, 40), (60, 12), (30, 12), (1000, 60), (10, 5)])
def test_a_fifth_is_asked_but_not_too_few_and_not_too_many(count: int, asked: int) -> None:
    found = develop(records(count), 1, "document", HELD_OUT)
    assert len(found.questions) == asked
    assert LEAST == 12
    assert MOST == 60
    assert not {r.id for r in found.train} & {r.id for r in found.questions}


def test_documents_are_held_out_whole_as_the_run_holds_them_out() -> None:
    found = develop(records(100, a_document=5), 1, "document", HELD_OUT)
    assert found.held_out == "document"
    assert not {r.document for r in found.train} & {r.document for r in found.questions}


def test_one_document_is_divided_by_question() -> None:
    found = develop(records(50, a_document=50), 1, "document", "questions.jsonl")
    assert found.held_out == "question"
    assert len(found.questions) == 12


def test_where_the_test_has_a_file_of_its_own_one_wording_of_a_fact_is_asked() -> None:
    found = develop(records(60, a_group=3), 1, "document", "questions.jsonl")
    assert found.held_out == "wording"
    groups = [r.group for r in found.questions]
    assert len(set(groups)) == len(groups) == 12
    assert set(groups) <= {r.group for r in found.train}
    assert len(found.train) == 48


def test_groups_stay_together_where_the_run_keeps_them_together() -> None:
    found = develop(records(60, a_group=3), 1, "question", HELD_OUT)
    assert found.held_out == "question"
    assert not {r.group for r in found.questions} & {r.group for r in found.train}


def test_a_bigger_unit_than_asked_for_is_asked_in_part_and_not_trained_on() -> None:
    found = develop(records(400, a_document=80), 1, "document", HELD_OUT)
    assert len(found.questions) == MOST
    assert len(found.train) == 320


def test_one_record_cannot_be_divided() -> None:
    with pytest.raises(RecordsError):
        develop(records(1), 1, "document", HELD_OUT)


def test_the_seed_decides() -> None:
    drawn = [develop(records(100), seed, "question", HELD_OUT).questions for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
