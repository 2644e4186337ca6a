"""A run folder that no model has made, for the tests on figures and reports."""

from pathlib import Path
from typing import Any

from ragtune.core.files import write_json, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Arm, cites
from ragtune.recipe.schema import Recipe
from ragtune.results.collect import collect
from ragtune.results.metrics.deciding import AUTO
from ragtune.results.schema import Results, RunNotes
from ragtune.sources.records import Record

REFUSAL = "not in the documents"
QUESTIONS = [
    Record("Who?", "Ann", document="a.md"),
    Record("When & <where>?", "at six", document="b.md"),
    Record("Why?", REFUSAL),
]
TEXTS = {
    "base": ["Bob", "at six", "because"],
    "tuned": ["Ann", "at noon", "because"],
    "rag": ["Ann", "six", "Not in the documents."],
    "tuned+rag": ["Ann", "at <b>six</b>", "Not in the documents."],
    "fewshot": ["Bob", "at six", REFUSAL],
    "rag-records": ["Ann", "at nine", REFUSAL],
}
PASSAGE = {"id": "1", "document": "a.md", "locator": "p. 2", "text": "Ann & co.", "score": 0.5}

FORGOTTEN = {
    "base": {"nats_per_token": 4.5, "bits_per_byte": 1.75, "tokens": 3000, "bytes": 12000},
    "tuned": {"nats_per_token": 4.75, "bits_per_byte": 1.875, "tokens": 3000, "bytes": 12000},
    "continuations": 24,
    "unchanged": 0.25,
}
FRESH = {
    "reindex_seconds": 0.75,
    "shown": 1,
    "followed": 1,
    "changes": [
        {
            "document": "a.md",
            "question": "Who?",
            "fact": "Zoë",
            "before": "Ann",
            "after": "Zoë",
            "shown": True,
            "followed": True,
            "index_seconds": 0.5,
            "answer_seconds": 0.25,
        }
    ],
}
TRAINING = {
    "epochs": [
        {"epoch": 1, "train_loss": 3.5, "eval_loss": 3.25, "learning_rate": 1e-4},
        {"epoch": 2, "train_loss": 2.5, "eval_loss": 2.75, "learning_rate": 1e-4},
    ],
    "steps": [{"step": n, "loss": 3.5 - (n - 1) / 63, "learning_rate": 1e-4} for n in range(1, 65)],
    "best_epoch": 2,
    "trainable_parameters": 1000,
    "parameters": 100_000,
    "seconds": 50.0,
    "supervised_tokens_a_second": 400.0,
    "substitutions": [],
}
NOTES = RunNotes.model_validate(
    {
        "stages": {
            "index": {"seconds": 1.5},
            "index-records": {"seconds": 0.5},
            "tune/tuned": {"seconds": 60.0},
            "tune/tuned+rag": {"seconds": 70.0},
        },
        "data": {"train": 200, "test": 3},
        "environment": {"ragtune": "x"},
    }
)


def write_run(
    path: Path,
    arms: tuple[str, ...] = ("base", "rag"),
    questions: list[Record] | None = None,
    texts: dict[str, list[str]] | None = None,
    passages: list[dict[str, Any]] | None = None,
    *,
    refusing: str = "",
    deciding: str = AUTO,
    seeds: dict[str, list[list[str]]] | None = None,
    learnt: int | None = None,
    **recipe: Any,
) -> Results:
    """Write a run of the arms over the questions, each with the same passages; its figures.

    The arm ``refusing`` has refused all of them by score. ``seeds`` are the texts of tuned arms
    after each further tuning; ``learnt`` is how many of 50 training rows each adapter answers.
    """
    if seeds:
        counts = {1 + len(texts) for texts in seeds.values()}
        recipe = {**recipe, "study": {**recipe.get("study", {}), "seeds": max(counts)}}
    folder = RunFolder(path)
    questions, texts = questions or QUESTIONS, texts or TEXTS
    passages = [PASSAGE] if passages is None else passages
    filled = Recipe.model_validate(
        {
            "name": "made-up",
            "records": {"source": "r"},
            "documents": {"source": "d"},
            **recipe,
            "study": {"arms": list(arms), "metric": deciding, **recipe.get("study", {})},
        }
    )
    for arm in filled.arms:
        rows = _answers(arm, questions, texts[arm], passages, refused=arm == refusing)
        write_jsonl(folder.answers(arm), rows)
        for share in filled.study.learning_curve:
            write_jsonl(folder.curve_answers(share, arm), rows)
        times = [{"retrieval": 0.01, "prefill": 0.004 * n, "decode": 0.006 * n} for n in (1, 2, 3)]
        write_jsonl(folder.latency(arm), times)
    found = [{"question": q.id, "passages": passages} for q in questions]
    write_jsonl(folder.retrieval, found)
    write_jsonl(folder.questions, [q.to_json() for q in questions])
    for adapter in filled.adapters:
        write_json(folder.training(adapter), TRAINING)
        if learnt is not None:
            write_jsonl(folder.recall(adapter), _recalled(learnt))
    if filled.adapters:
        write_json(folder.forgetting, dict.fromkeys(filled.adapters, FORGOTTEN))
    for arm in filled.arms:
        for number, said in enumerate((seeds or {}).get(arm, []), 2):
            rows = _answers(arm, questions, said, passages, refused=False)
            write_jsonl(folder.seed_answers(number, arm), rows)
    if "rag" in arms:
        write_json(folder.freshness, FRESH)
    results = collect(filled, folder, NOTES)
    results.dump(folder.results)
    return results


def _recalled(right: int) -> list[dict[str, Any]]:
    rows = [Record(f"What was taught as {n}?", f"fact {n}") for n in range(50)]
    return [
        {"question": row.to_json(), "text": row.response if n < right else "nothing"}
        for n, row in enumerate(rows)
    ]


def _answers(
    arm: Arm,
    questions: list[Record],
    texts: list[str],
    passages: list[dict[str, Any]],
    *,
    refused: bool,
) -> list[dict[str, Any]]:
    rows = [
        {
            "question": q.id,
            "text": text,
            "prompt_tokens": 1010,
            "completion_tokens": 2,
            "cut_tokens": 5 if n == 0 else 0,
            "seconds": 0.1,
            "retrieved": len(passages) + 2 * (n == 0) if cites(arm) else 0,
            "sources": passages if cites(arm) else [],
        }
        for n, (q, text) in enumerate(zip(questions, texts, strict=True))
    ]
    if not refused:
        return rows
    nothing = dict.fromkeys(("prompt_tokens", "completion_tokens", "cut_tokens"), 0)
    by_score = {"text": REFUSAL, "seconds": 0.0, "sources": [], "refused": True}
    return [{**row, **nothing, **by_score} for row in rows]
