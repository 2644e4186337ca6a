"""What the report and ``--details`` say of a search for settings of tuning."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import USUAL as ARMS
from ragtune.recipe.schema import Recipe
from ragtune.results import page, search_table, table
from ragtune.results.collect import collect
from ragtune.results.notes import notes
from ragtune.results.schema import Results
from ragtune.results.search import SearchFigures
from tests.local.results.made_up import NOTES, write_run

OWN = {"learning_rate": 1e-4, "epoch": 5, "lora_r": 8, "target_modules": "q_proj,v_proj"}
BEST = {**OWN, "learning_rate": 3e-4, "epoch": 10}


def trial(candidate: int, rung: int, score: float | None, **more: Any) -> dict[str, Any]:
    return {
        "candidate": candidate,
        "set": BEST if candidate else OWN,
        "rung": rung,
        "share": (0.5, 1.0)[rung],
        "rows": (80, 160)[rung],
        "seconds": 20.0,
        "training_seconds": 15.0,
        "score": score,
        "loss": None if score is None else 1.5 - score,
        **more,
    }


def search(**more: Any) -> dict[str, Any]:
    return {
        "budget_seconds": 120.0,
        "seconds": 80.0,
        "records": 160,
        "development": 40,
        "held_out": "document",
        "metric": "right",
        "candidates": 12,
        "rungs": [{"share": 0.5, "rows": 80}, {"share": 1.0, "rows": 160}],
        "trials": [trial(0, 0, 0.25), trial(1, 0, 0.5), trial(1, 1, 0.625), trial(0, 1, 0.375)],
        "own": OWN,
        "winner": BEST,
        "decided": 1,
        **more,
    }


def searched(path: Path, **by_adapter: Any) -> Results:
    """A made-up run whose recipe searches, with what was found for each adapter."""
    write_run(path, ARMS)
    folder = RunFolder(path)
    names = {"tuned": "tuned", "both": "tuned+rag"}
    for short, name in names.items():
        write_json(folder.search(name), search(**by_adapter.get(short, {})))
        write_json(folder.training(name), {**TRAINED})
    recipe = Recipe.model_validate(
        {
            "name": "made-up",
            "records": {"source": "r"},
            "documents": {"source": "d"},
            "study": {"arms": list(ARMS)},
            "tune": {"search": {"minutes": 2}},
        }
    )
    return collect(recipe, folder, NOTES)


TRAINED = {
    "epochs": [{"epoch": 1, "train_loss": 3.5, "learning_rate": 1e-4}],
    "steps": [{"step": n, "loss": 3.5, "learning_rate": 1e-4} for n in range(1, 65)],
    "best_epoch": None,
    "trainable_parameters": 10,
    "parameters": 100,
    "seconds": 5.0,
    "supervised_tokens_a_second": 4.0,
    "substitutions": [],
}


def printed(results: Results) -> str:
    out = io.StringIO()
    Console(file=out, width=100).print(table.render(results, details=True))
    return " ".join(out.getvalue().split())


def test_the_report_shows_what_was_tried_and_that_the_budgets_were_equal(tmp_path: Path) -> None:
    results = searched(tmp_path)
    html = " ".join(page.render(results, RunFolder(tmp_path)).split())
    for told in (
        "Which settings of tuning were tried",
        "160 to train on, 40 asked as development questions, about other documents than those "
        "trained on; each adapter had the same budget: tuned 80 of 120 s, tuned+rag 80 of 120 s.",
        "tuned: 2 of 12 settings in 4 trials; taken: learning rate 0.0003, 10 epochs, rank 8 on "
        "q_proj, v_proj, right 0.62 on 160 rows against 0.38 with the recipe&#39;s own.",
        'aria-label="Settings tried for tuned+rag"',
        "right on 80 rows",
    ):
        assert told in html


def test_details_show_what_was_tried(tmp_path: Path) -> None:
    words = printed(searched(tmp_path))
    assert "each adapter had the same budget" in words
    assert words.count("0.0003 10 8 0.50 0.62 0.875 40 q,v") == 2
    assert words.count("0.0001 5 8 0.25 0.38 1.125 40 q,v") == 2


def test_a_run_without_a_search_shows_nothing_of_one(tmp_path: Path) -> None:
    results = write_run(tmp_path, ARMS)
    assert results.search == {}
    assert "settings of tuning" not in printed(results).lower()
    assert "settings of tuning" not in page.render(results, RunFolder(tmp_path)).lower()


def test_results_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    results = searched(tmp_path)
    results.dump(tmp_path / "results.json")
    assert Results.load(tmp_path / "results.json").search == results.search


def test_a_search_that_finished_nothing_is_a_warning(tmp_path: Path) -> None:
    nothing = {"trials": [trial(0, 0, None)], "winner": OWN, "decided": None, "seconds": 120.0}
    results = searched(tmp_path, both=nothing)
    said = [note.text for note in notes(results) if note.kind == "warning"]
    assert "the search for tuned+rag finished no trial in 120 s; raise tune.search.minutes" in said
    assert search_table.taken("tuned+rag", results.search["tuned+rag"]) == (
        "tuned+rag: no trial was finished, so it was tuned with the recipe's own settings"
    )
    assert search_table.rows(results.search["tuned+rag"])[0].scores == ("not finished", "-")


def test_searches_that_did_not_get_equally_far_are_a_warning(tmp_path: Path) -> None:
    results = searched(
        tmp_path, both={"decided": 0, "trials": [trial(0, 0, 0.2), trial(1, 0, 0.3)]}
    )
    (said,) = search_table.cautions(results.search)
    assert said == (
        "the searches for the adapters had the same time but did not get equally far: they were "
        "decided tuned on 100%, tuned+rag on 50% of the rows; raise tune.search.minutes"
    )


def test_unequal_budgets_are_a_warning() -> None:
    one, other = (SearchFigures.model_validate(search(budget_seconds=s)) for s in (60.0, 120.0))
    (said,) = search_table.cautions({"tuned": one, "tuned+rag": other})
    assert said == "the searches for the adapters had different budgets; run the study again"
    assert "the budgets differ" in search_table.budget({"tuned": one, "tuned+rag": other})


def test_what_was_taken_is_the_recipes_own_where_that_was_best() -> None:
    own = SearchFigures.model_validate(search(winner=OWN))
    assert search_table.taken("tuned", own).endswith("right 0.38 on 160 rows, the recipe's own")
