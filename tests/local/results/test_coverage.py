from dataclasses import replace

from ragtune.recipe.arms import Arm
from ragtune.results.coverage import coverage, marks
from ragtune.sources.records import Record

OPEN = [Record(f"When does door {n} open?", "six", document=f"{n}.md") for n in range(40)]


def test_questions_of_known_documents_are_inside() -> None:
    seen = marks(OPEN[:20], [replace(r, instruction="What else?") for r in OPEN])
    assert seen.by == "document"
    assert seen.inside == [True] * 20 + [False] * 20


def test_questions_of_known_groups_are_inside_where_documents_are_not_named() -> None:
    grouped = [replace(r, document="", group=f"g{n}") for n, r in enumerate(OPEN)]
    seen = marks(grouped[:20], grouped)
    assert (seen.by, sum(seen.inside)) == ("group", 20)


def test_else_the_nearest_training_question_decides() -> None:
    bare = [replace(r, document="") for r in OPEN]
    asked = [Record(f"Please: when does gate {n} open?", "six") for n in range(12)]
    other = [
        Record(f"Who is the master of harbour {n}, and since what year?", "x") for n in range(12)
    ]
    seen = marks(bare, [*asked, *other])
    assert (seen.by, seen.inside) == ("question", [True] * 12 + [False] * 12)


def test_a_side_with_few_questions_is_not_measured() -> None:
    seen = marks(OPEN, [*OPEN, Record("Who?", "Ann")])
    scores: dict[Arm, list[float]] = {"tuned": [1.0] * 40, "rag": [0.0] * 40}
    found = coverage(seen, range(40), scores, 1)
    assert found.outside is None
    assert found.inside is not None
    assert (found.inside.questions, found.inside.arms["tuned"].mean) == (40, 1.0)
    assert found.inside.difference is not None
    assert found.inside.difference.different


def test_no_records_cover_nothing() -> None:
    assert not any(marks([], OPEN).inside)
