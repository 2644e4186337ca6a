from pathlib import Path

import pytest

from ragtune.core.errors import RunError
from ragtune.core.run_folder import RunFolder
from ragtune.results import repeats
from ragtune.results.collect import collect
from tests.local.results.made_up import NOTES, TEXTS, write_run

RIGHT = ["Ann", "at six", "not in the documents"]


def test_figures_of_tuned_arms_are_means_over_seeds(tmp_path: Path) -> None:
    """The first seed has one of three right, the others all."""
    results = write_run(tmp_path, ("base", "tuned"), seeds={"tuned": [RIGHT, RIGHT]})
    base, tuned = results.arms["base"], results.arms["tuned"]
    assert (base.right_by_seed, base.seeds) == ([1], [0.5])
    assert (tuned.right_by_seed, tuned.seeds) == ([1, 3, 3], [0.5, 1.0, 1.0])
    assert tuned.right.mean == pytest.approx(7 / 9, abs=1e-6)
    assert tuned.quality["right"].mean == pytest.approx(5 / 6, abs=1e-6)
    assert results.failures.right == {"base": 1, "tuned": 1}
    (pair,) = [d for d in results.differences if d.metric == "right"]
    assert pair.mean == pytest.approx(-1 / 3, abs=1e-6)


def test_a_spread_between_seeds_widens_the_interval(tmp_path: Path) -> None:
    once = write_run(tmp_path / "once", ("base", "tuned")).arms["tuned"].right
    seeds = {"tuned": [RIGHT, TEXTS["tuned"]]}
    thrice = write_run(tmp_path / "thrice", ("base", "tuned"), seeds=seeds).arms["tuned"].right
    assert thrice.ci95[0] <= once.ci95[0]
    assert thrice.ci95[1] > once.ci95[1]


def test_missing_answers_of_a_seed_are_named(tmp_path: Path) -> None:
    results = write_run(tmp_path, ("base", "tuned"), seeds={"tuned": [RIGHT]})
    folder = RunFolder(tmp_path)
    folder.seed_answers(2, "tuned").unlink()
    with pytest.raises(RunError, match=r"tuned\.jsonl"):
        collect(results.recipe.filled, folder, NOTES)


def test_an_arm_that_is_not_tuned_has_no_seeds(tmp_path: Path) -> None:
    assert repeats.other_seeds(RunFolder(tmp_path), "rag", 3) == []
    assert repeats.together([{"right": [1.0]}]) == {"right": [1.0]}
    assert repeats.together([{"right": [1.0]}, {"right": [0.0]}]) == {"right": [[1.0], [0.0]]}
