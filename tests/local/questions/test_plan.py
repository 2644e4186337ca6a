from ragtune.questions.plan import choose, planned
from tests.local.questions.helpers import collection


def test_facts_of_a_sentence_are_for_one_part() -> None:
    chosen = choose(collection(), planned(3, 10, 10, "facts", 0))
    parts: dict[tuple[str, int], set[str]] = {}
    for name, facts in chosen.items():
        for one in facts:
            parts.setdefault((name, one.fact.sentence.place), set()).add(one.part)
    assert all(len(found) == 1 for found in parts.values())
    assert {part for found in parts.values() for part in found} == {"test", "train"}


def test_documents_can_be_what_is_kept_apart() -> None:
    chosen = choose(collection(), planned(3, 10, 10, "documents", 0))
    assert all(len({one.part for one in facts}) == 1 for facts in chosen.values() if facts)
    assert {one.part for facts in chosen.values() for one in facts} == {"test", "train"}


def test_the_choice_follows_from_the_seed() -> None:
    def drawn(seed: int) -> list[str]:
        chosen = choose(collection(), planned(3, 6, 6, "facts", seed))
        return [f"{one.part} {one.fact.answer}" for facts in chosen.values() for one in facts]

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in range(5)}) > 1


def test_a_fifth_of_the_test_has_no_answer() -> None:
    plan = planned(40, None, None, "facts", 0)
    assert (plan.test, plan.train, plan.unanswerable) == (160, 60, 32)
