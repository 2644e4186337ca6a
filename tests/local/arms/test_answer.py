from ragtune.arms.answer import ScoreFloor
from ragtune.retrieval.passages import Passage


def test_a_score_below_the_floor_or_no_passage_at_all_is_refused() -> None:
    floor = ScoreFloor(0.5, "not in the documents")
    assert floor.refuses([])
    assert floor.refuses([Passage("1", "a.md", "", "Text.", 0.49)])
    assert not floor.refuses([Passage("1", "a.md", "", "Text.", 0.5)])
