"""The sentences about a study at full size."""

import pytest

from ragtune.recipe.arms import Arm
from ragtune.results.full_size import FullSize, Hosting
from ragtune.results.wording.full_size import served, turned


def full_size(verdict_here: Arm | None = "rag", **changes: object) -> FullSize:
    endpoint = Hosting(machine="a large one", price_per_hour=1.5, kept=True)
    found = FullSize(
        target="There",
        model="large",
        hosting={"base": endpoint},
        hours_per_month=730,
        in_dollars=True,
        adapter=None,
        failed={},
        here={},
        here_model="small",
        verdict_here=verdict_here,
    )
    return found.model_copy(update=changes)


@pytest.mark.parametrize(
    ("here", "there", "words"),
    [
        ("rag", "rag", "here, on small, the verdict is the same: to use retrieval"),
        (
            "rag",
            "tuned+rag",
            "the verdict turns: here, on small, it is to use retrieval; at full size to use "
            "retrieval and tuning together",
        ),
        (
            "rag",
            None,
            "the verdict turns: here, on small, it is to use retrieval; at full size none",
        ),
        (
            None,
            "rag",
            "the verdict turns: here, on small, it is none; at full size to use retrieval",
        ),
        (None, None, "there is no verdict here either"),
    ],
)
def test_a_verdict_is_the_same_or_it_turns(here: Arm | None, there: Arm | None, words: str) -> None:
    assert turned(full_size(here), there, ["rag", "tuned+rag"]) == words


def test_a_verdict_for_an_arm_that_was_not_asked_there_neither_holds_nor_turns() -> None:
    told = turned(full_size("rag"), "tuned", ["base", "tuned"])
    assert told == (
        "not compared with the verdict here: here, on small, it is to use retrieval, which was "
        "not asked at full size; of what was asked there it is to use tuning"
    )


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (
            {"kept": True},
            "base on it: $1.50 an hour, asked or not: $1,095 a month of 730 hours, at "
            "no queries too",
        ),
        (
            {"kept": False},
            "base on it: $1.50 an hour, only while it answers: nothing at no queries",
        ),
        (
            {"kept": True, "price_per_hour": None},
            "base on it: no price is known, so costs a month are not compared",
        ),
    ],
)
def test_what_serving_costs_is_told_with_what_it_costs_when_nobody_asks(
    place: dict[str, object], words: str
) -> None:
    given = Hosting.model_validate({"machine": "it", "price_per_hour": 1.5, **place})
    assert served(full_size(hosting={"base": given})) == [words]
