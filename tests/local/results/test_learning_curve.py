from ragtune.results import learning_curve as curve
from ragtune.sources.records import Record

RECORDS = [Record(f"question {n}", "answer") for n in range(40)]


def test_a_larger_share_holds_every_smaller_one_in_file_order() -> None:
    quarter, half = (curve.subset(RECORDS, share, seed=1) for share in (0.25, 0.5))
    assert len(quarter) == 10
    assert set(quarter) < set(half)
    assert half == [r for r in RECORDS if r in half]
    assert quarter != RECORDS[:10]
    assert curve.subset(RECORDS, 1.0, seed=1) == RECORDS
    assert len(curve.subset(RECORDS, 0.001, seed=1)) == 1


def test_enough_is_the_share_from_which_on_none_differs_significantly() -> None:
    bad, good = [0.0, 0.1] * 20, [0.8, 0.9] * 20
    points: dict[float, curve.Scores] = {
        0.1: {"tuned": bad},
        0.5: {"tuned": [*good[:-1], 0.7]},
        1.0: {"tuned": good},
    }
    found = curve.figures("token_f1", points, records=40, seed=1)
    assert found is not None
    assert found.enough == {"tuned": 0.5}
    assert [p.records for p in found.points] == [4, 20, 40]
    points[0.5] = {"tuned": bad}
    all_needed = curve.figures("token_f1", points, records=40, seed=1)
    assert all_needed is not None
    assert all_needed.enough == {"tuned": 1.0}


def test_one_point_is_no_curve() -> None:
    assert curve.figures("token_f1", {1.0: {"tuned": [1.0]}}, records=40, seed=1) is None
