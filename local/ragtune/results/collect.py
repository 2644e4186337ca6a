"""Every figure of a run, from what its stages left in the folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ragtune.core.files import read_json, read_jsonl
from ragtune.recipe.schema import Arm, Recipe
from ragtune.results import cost, failures, freshness, retrieval
from ragtune.results import latency as speed
from ragtune.results import learning_curve as curve
from ragtune.results.failures import is_unanswerable
from ragtune.results.metrics.answers import METRICS, exact_match, normalise, support, token_f1
from ragtune.results.metrics.labels import macro_f1
from ragtune.results.statistics import compare, estimate
from ragtune.results.verdict.criteria import criteria
from ragtune.results.verdict.rule import recommend
from ragtune.results.verdict.sensitivity import sensitivity
from ragtune.retrieval.passages import Passage
from ragtune.sources.records import Record

SCHEMA = 4
"""Of ``results.json``; raised when a field changes its meaning or goes."""


def collect(recipe: Recipe, folder: Path, lock: dict[str, Any]) -> dict[str, Any]:
    """The content of ``results.json``, from a run folder and the content of its ``lock.json``.

    Raises RunError where a stage has not been made.
    """
    questions = [Record(**row) for row in read_jsonl(folder / "data" / "test.jsonl")]
    refusal = recipe.study.refusal
    answers: dict[str, list[Any]] = {
        arm: read_jsonl(folder / "answers" / f"{arm}.jsonl") for arm in recipe.arms
    }
    latencies = {arm: read_jsonl(folder / "latency" / f"{arm}.jsonl") for arm in recipe.arms}
    scores = {arm: score(questions, answers[arm], refusal) for arm in recipe.arms}
    seconds = _seconds(folder, lock)
    found = _found(folder)
    fresh = _optional(folder / "freshness.json")
    figures: dict[str, Any] = {
        "schema": SCHEMA,
        "recipe": {"name": recipe.name, "identity": recipe.identity, "filled": recipe.filled},
        "questions": len(questions),
        "unanswerable": sum(is_unanswerable(q, refusal) for q in questions),
        "arms": {
            arm: {
                **_arm(questions, answers[arm], latencies[arm], scores[arm], recipe),
                "cost": cost.arm_cost(arm, seconds, answers[arm], latencies[arm], recipe.needs),
                "freshness_seconds": freshness.arm_seconds(
                    arm, seconds, fresh, speed.latency_ms(latencies[arm])["p50"]
                ),
            }
            for arm in recipe.arms
        },
        "differences": differences(scores, recipe.seed),
        "failures": failures.analyse(questions, answers, found, refusal),
        "retrieval": (
            retrieval.quality(questions, found, recipe.rag.top_k, recipe.seed) if found else None
        ),
        "heldout_loss": _optional(folder / "heldout.json"),
        "forgetting": _optional(folder / "forgetting.json"),
        "freshness": fresh,
        "learning_curve": _learning_curve(recipe, folder, questions, scores, lock),
        "tune": _optional(folder / "adapter" / "training.json"),
        "index": _index(folder),
        "data": lock.get("data", {}),
        "seconds": seconds,
        "environment": lock.get("environment", {}),
    }
    figures["break_even"] = cost.break_even(figures["arms"], recipe.needs)
    figures["recommendation"] = {
        **recommend(recipe.needs, figures),
        "criteria": criteria(figures),
        "sensitivity": sensitivity(recipe.needs, figures),
    }
    return figures


def _seconds(folder: Path, lock: dict[str, Any]) -> dict[str, float]:
    """What each stage took, all in all.

    ``lock.json`` knows of the last call alone: where tuning was resumed, or an index only updated,
    the seconds that they themselves have added up count.
    """
    seconds = {name: float(stage["seconds"]) for name, stage in lock["stages"].items()}
    made = {"tune": "adapter/training.json", "index": "index/manifest.json"}
    for name, file in made.items():
        if name in seconds and (known := _optional(folder / file)):
            seconds[name] = max(seconds[name], known.get("seconds", 0.0))
    return seconds


def score(
    questions: Sequence[Record], answers: Sequence[dict[str, Any]], refusal: str
) -> dict[str, list[float]]:
    """Each metric for each answerable question, in order; all questions where none is."""
    judged = _judged(questions, answers, refusal)
    return {name: [metric(a, r) for r, a in judged] for name, metric in METRICS.items()}


def _judged(
    questions: Sequence[Record], answers: Sequence[dict[str, Any]], refusal: str
) -> list[tuple[str, str]]:
    """Reference and answer of each answerable question; of all questions where none is."""
    both = [(q, a["text"]) for q, a in zip(questions, answers, strict=True)]
    answerable = [(q, text) for q, text in both if not is_unanswerable(q, refusal)]
    return [(q.response, text) for q, text in answerable or both]


def differences(scores: dict[Arm, dict[str, list[float]]], seed: int) -> list[dict[str, Any]]:
    """Each pair of arms on each metric, question by question; a metric is one family of pairs."""
    return [
        {"metric": metric, **pair.to_json()}
        for metric in METRICS
        for pair in compare({arm: values[metric] for arm, values in scores.items()}, seed)
    ]


def _arm(
    questions: Sequence[Record],
    answers: Sequence[dict[str, Any]],
    latencies: Sequence[dict[str, float]],
    scores: dict[str, list[float]],
    recipe: Recipe,
) -> dict[str, Any]:
    seed = recipe.seed
    judged = _judged(questions, answers, recipe.study.refusal)
    texts, references = [a for _, a in judged], [r for r, _ in judged]
    return {
        "quality": {
            **{name: estimate(values, seed).to_json() for name, values in scores.items()},
            "macro_f1": macro_f1(texts, references, seed),
        },
        "categories": _categories(questions, answers, recipe),
        "refusal": _refusals(questions, answers, recipe),
        "support": _support(answers, seed),
        "latency_ms": speed.latency_ms(latencies),
        "throughput": speed.throughput(answers),
        "tokens": {
            "prompt_mean": float(np.mean([a["prompt_tokens"] for a in answers])),
            "completion_mean": float(np.mean([a["completion_tokens"] for a in answers])),
            "cut_prompts": sum(a["cut_tokens"] > 0 for a in answers),
            "cut_passages": sum(
                a["retrieved"] - len(a["sources"]) for a in answers if not a.get("refused")
            ),
        },
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


def _categories(
    questions: Sequence[Record], answers: Sequence[dict[str, Any]], recipe: Recipe
) -> dict[str, Any]:
    """Token F1 by category, most questions first, over those that have an answer."""
    refusal = recipe.study.refusal
    groups: dict[str, list[float]] = {}
    for question, answer in zip(questions, answers, strict=True):
        if question.category and not is_unanswerable(question, refusal):
            value = token_f1(answer["text"], question.response)
            groups.setdefault(question.category, []).append(value)
    return {
        name: {"questions": len(values), **estimate(values, recipe.seed).to_json()}
        for name, values in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    }


def _support(answers: Sequence[dict[str, Any]], seed: int) -> dict[str, Any] | None:
    """The share of an answer's words that stand in the passages it was given, where it had any."""
    shares = [
        support(a["text"], [source["text"] for source in a["sources"]])
        for a in answers
        if a["sources"] and normalise(a["text"])
    ]
    return estimate(shares, seed).to_json() if shares else None


def _learning_curve(
    recipe: Recipe,
    folder: Path,
    questions: Sequence[Record],
    scores: dict[Arm, dict[str, list[float]]],
    lock: dict[str, Any],
) -> dict[str, Any] | None:
    """The curve over the recipe's shares, with the run's own tuning at 1."""
    refusal, arms = recipe.study.refusal, [arm for arm in recipe.arms if "tuned" in arm]
    if not arms:
        return None
    points = {1.0: {arm: scores[arm][curve.METRIC] for arm in arms}}
    for share in recipe.study.learning_curve:
        if share == 1:
            continue
        lines = {arm: read_jsonl(folder / "curve" / f"{share:g}" / f"{arm}.jsonl") for arm in arms}
        points[share] = {
            arm: score(questions, rows, refusal)[curve.METRIC] for arm, rows in lines.items()
        }
    return curve.figures(points, lock.get("data", {}).get("train", 0), recipe.seed)


def _found(folder: Path) -> list[list[Passage]]:
    """The passages found for each question, in order; none where nothing was retrieved."""
    path = folder / "retrieval.jsonl"
    if not path.exists():
        return []
    return [[Passage(**p) for p in row["passages"]] for row in read_jsonl(path)]


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
