from ragtune.retrieval.fusion import fused, ranked


def test_equal_scores_are_ranked_by_id_whatever_order_they_come_in() -> None:
    hits = [("b", 1.0), ("c", 2.0), ("a", 1.0)]
    assert ranked(hits, 10) == ranked(hits[::-1], 10) == [("c", 2.0), ("a", 1.0), ("b", 1.0)]


def test_of_a_full_list_those_that_tie_with_the_last_are_left_out() -> None:
    hits = [("a", 2.0), ("b", 1.0), ("c", 1.0)]
    assert ranked(hits, 3) == [("a", 2.0)]
    assert ranked(hits[1:], 2) == hits[1:]


def test_fusion_weighs_cosine_against_the_share_of_the_highest_keyword_score() -> None:
    dense = [("both", 0.5), ("close", 0.6), ("far", 0.1)]
    keyword = [("words", 8.0), ("both", 4.0)]
    assert [(name, round(score, 6)) for name, score in fused(dense, keyword)] == [
        ("both", 0.5),
        ("close", 0.48),
        ("words", 0.28),
        ("far", 0.08),
    ]
    assert fused(dense, []) == [(n, 0.8 * s) for n, s in sorted(dense, key=lambda h: -h[1])]
