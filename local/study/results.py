"""Every figure of a run, from what its stages left in the folder."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from local import recommend
from local.rag.passages import Passage
from local.recipe import Arm, Recipe
from local.records import Record
from local.runs import read_json, read_jsonl
from local.study import retrieval
from local.study.metrics import METRICS, exact_match
from local.study.statistics import difference, estimate

SCHEMA = 1
"""Of ``results.json``; raised when a field changes its meaning or goes."""


def collect(recipe: Recipe, folder: Path, lock: dict[str, Any]) -> dict[str, Any]:
    """The content of ``results.json``, from a run folder and the content of its ``lock.json``.

    Raises RunError where a stage has not been made.
    """
    questions = [Record(**row) for row in read_jsonl(folder / "data" / "test.jsonl")]
    refusal = recipe.study.refusal
    answers = {arm: read_jsonl(folder / "answers" / f"{arm}.jsonl") for arm in recipe.arms}
    latencies = {arm: read_jsonl(folder / "latency" / f"{arm}.jsonl") for arm in recipe.arms}
    scores = {arm: score(questions, answers[arm], refusal) for arm in recipe.arms}
    figures: dict[str, Any] = {
        "schema": SCHEMA,
        "recipe": {"name": recipe.name, "identity": recipe.identity, "filled": recipe.filled},
        "questions": len(questions),
        "unanswerable": sum(is_unanswerable(q, refusal) for q in questions),
        "arms": {
            arm: _arm(questions, answers[arm], latencies[arm], scores[arm], recipe)
            for arm in recipe.arms
        },
        "differences": differences(scores, recipe.seed),
        "retrieval": _retrieval(recipe, folder, questions),
        "heldout_loss": _optional(folder / "heldout.json"),
        "tune": _optional(folder / "adapter" / "training.json"),
        "index": _index(folder),
        "data": lock.get("data", {}),
        "seconds": {name: stage["seconds"] for name, stage in lock["stages"].items()},
        "environment": lock.get("environment", {}),
    }
    figures["recommendation"] = recommend.recommend(recipe.needs, figures)
    return figures


def is_unanswerable(question: Record, refusal: str) -> bool:
    """Whether the reference answer is that there is none."""
    return exact_match(question.response, refusal) == 1.0


def score(
    questions: Sequence[Record], answers: Sequence[dict[str, Any]], refusal: str
) -> dict[str, list[float]]:
    """Each metric for each answerable question, in order; all questions where none is."""
    judged = [
        (q.response, a["text"])
        for q, a in zip(questions, answers, strict=True)
        if not is_unanswerable(q, refusal)
    ] or [(q.response, a["text"]) for q, a in zip(questions, answers, strict=True)]
    return {name: [metric(a, r) for r, a in judged] for name, metric in METRICS.items()}


def differences(scores: dict[Arm, dict[str, list[float]]], seed: int) -> list[dict[str, Any]]:
    """Each pair of arms on each metric, question by question."""
    return [
        {
            "left": left,
            "right": right,
            "metric": metric,
            **difference(scores[left][metric], scores[right][metric], seed).to_json(),
        }
        for left, right in combinations(scores, 2)
        for metric in METRICS
    ]


def _arm(
    questions: Sequence[Record],
    answers: Sequence[dict[str, Any]],
    latencies: Sequence[dict[str, float]],
    scores: dict[str, list[float]],
    recipe: Recipe,
) -> dict[str, Any]:
    seed = recipe.seed
    alone = 1000 * np.array([t["retrieval"] + t["generation"] for t in latencies])
    return {
        "quality": {name: estimate(values, seed).to_json() for name, values in scores.items()},
        "refusal": _refusals(questions, answers, recipe),
        "latency_ms": {
            "p50": round(float(np.percentile(alone, 50)), 3),
            "p95": round(float(np.percentile(alone, 95)), 3),
            "retrieval_p50": round(1000 * float(np.median([t["retrieval"] for t in latencies])), 3),
            "questions": len(latencies),
        },
        "tokens": {
            "prompt_mean": float(np.mean([a["prompt_tokens"] for a in answers])),
            "completion_mean": float(np.mean([a["completion_tokens"] for a in answers])),
            "cut_prompts": sum(a["cut_tokens"] > 0 for a in answers),
            "cut_passages": sum(a["retrieved"] - len(a["sources"]) for a in answers),
        },
        "batch_seconds_per_answer": float(np.mean([a["seconds"] for a in answers])),
    }


def _refusals(
    questions: Sequence[Record], answers: Sequence[dict[str, Any]], recipe: Recipe
) -> dict[str, Any]:
    """How often the arm said that there is no answer, where that is right and where it is not."""
    refusal = recipe.study.refusal
    sides: dict[str, list[float]] = {"unanswerable_refused": [], "answerable_refused": []}
    for question, answer in zip(questions, answers, strict=True):
        side = "unanswerable" if is_unanswerable(question, refusal) else "answerable"
        sides[f"{side}_refused"].append(exact_match(answer["text"], refusal))
    return {
        name: estimate(values, recipe.seed).to_json() if values else None
        for name, values in sides.items()
    }


def _retrieval(recipe: Recipe, folder: Path, questions: Sequence[Record]) -> dict[str, Any] | None:
    path = folder / "retrieval.jsonl"
    if not path.exists():
        return None
    found = [[Passage(**p) for p in row["passages"]] for row in read_jsonl(path)]
    return retrieval.quality(questions, found, recipe.rag.top_k, recipe.seed)


def _index(folder: Path) -> dict[str, Any] | None:
    manifest = _optional(folder / "index" / "manifest.json")
    if manifest is None:
        return None
    return {
        "documents": len(manifest["documents"]),
        "chunks": manifest["points"],
        "skipped": manifest["skipped"],
    }


def _optional(path: Path) -> Any:
    return read_json(path) if path.exists() else None
