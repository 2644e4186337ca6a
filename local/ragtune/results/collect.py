"""Every figure of a run, from what its stages left in the folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import BaseModel

from ragtune.core.errors import RecipeError
from ragtune.core.files import read_json
from ragtune.core.run_folder import RunFolder
from ragtune.core.text import refuses
from ragtune.recipe.arms import Adapter, Arm, is_tuned
from ragtune.recipe.model import TORCH
from ragtune.recipe.schema import Recipe
from ragtune.results import (
    adapters,
    cost,
    diagnosis,
    failures,
    freshness,
    repeats,
    retrieval,
    rows,
)
from ragtune.results import learning_curve as curve
from ragtune.results.agreement import agreement, marks
from ragtune.results.baseline import baselines
from ragtune.results.coverage import Marks, coverage
from ragtune.results.data import DataCounts, GoldFaults, NearDuplicates
from ragtune.results.engine import engine_used
from ragtune.results.faults import FAULTS, AnyFault
from ragtune.results.full_size import Served, other_adapters
from ragtune.results.latency import latency, throughput
from ragtune.results.metrics.base import Case, Tools
from ragtune.results.metrics.deciding import choose
from ragtune.results.metrics.grounded import grounded
from ragtune.results.metrics.labels import label_set
from ragtune.results.metrics.registry import NOTHING, needs
from ragtune.results.parts import Coverage, Deciding, Mean
from ragtune.results.rightness import is_unanswerable
from ragtune.results.rows import AnswerRow
from ragtune.results.schema import (
    SCHEMA,
    ArmFigures,
    Category,
    Freshness,
    Index,
    LearningCurve,
    RecipeUsed,
    Refusal,
    Results,
    RunNotes,
    Tokens,
)
from ragtune.results.scores import Scores, differences, judged, quality, score
from ragtune.results.search import SearchFigures
from ragtune.results.statistics import Array, Values, by_seed, estimate
from ragtune.results.verdict.criteria import criteria
from ragtune.results.verdict.evidence import Evidence
from ragtune.results.verdict.liveness import living
from ragtune.results.verdict.reasons import Recommendation
from ragtune.results.verdict.rule import recommend
from ragtune.results.verdict.sensitivity import (
    other_metrics,
    sensitivity,
    smallest_difference,
)
from ragtune.sources.records import Record

RIGHT = "right"
"""The metric by which recall is judged too."""

Model = TypeVar("Model", bound=BaseModel)


def collect(
    recipe: Recipe,
    folder: RunFolder,
    notes: RunNotes,
    tools: Tools = NOTHING,
    served: Served | None = None,
) -> Results:
    """Every figure of a run; ``notes`` is what its ``lock.json`` says.

    ``served`` is what is known of the models where a target served them.

    Of ``tools`` only what the deciding metric needs is used, so that nothing is loaded in vain.

    Raises RunError where a stage has not been made, RecipeError where ``study.metric`` cannot
    decide.
    """
    seed, refusals, weighed = recipe.seed, recipe.study.all_refusals, recipe.needs
    questions = rows.questions(folder)
    answers = {arm: rows.answers(folder, arm) for arm in recipe.arms}
    latencies = {arm: rows.latencies(folder, arm) for arm in recipe.arms}
    seeds = recipe.study.seeds if recipe.adapters else 1
    others = {arm: repeats.other_seeds(folder, arm, seeds) for arm in recipe.arms}
    cases = {
        arm: [
            judged(questions, answers[arm], refusals),
            *(judged(questions, given, refusals) for given in others[arm]),
        ]
        for arm in recipe.arms
    }
    first = next(iter(cases.values()))[0]
    references = [case.references[0] for case in first]
    deciding = choose(recipe.study.metric, references, tools.offered)
    used = _used(deciding, tools)
    each = {arm: [score(of, used) for of in cases[arm]] for arm in recipe.arms}
    scores = {arm: of[0] for arm, of in each.items()}
    whole = {arm: repeats.together(of) for arm, of in each.items()}
    seconds = _seconds(recipe, folder, notes)
    found = rows.found(folder)
    data = _data(recipe, folder, notes)
    no_gold = data.gold.questions if data.gold else frozenset[str]()
    fresh = _optional(folder.freshness, Freshness)
    arms = {}
    for arm in recipe.arms:
        times = latency(latencies[arm])
        right = repeats.right(questions, [answers[arm], *others[arm]], refusals)
        decides = by_seed(whole[arm][deciding.metric])
        arms[arm] = ArmFigures(
            quality=quality(whole[arm], cases[arm], seed),
            right=estimate(right, seed),
            right_by_seed=[round(sum(of)) for of in right],
            seeds=[round(float(of.mean()), 6) for of in decides],
            categories=_categories(questions, decides, refusals, seed),
            refusal=_refusals(questions, answers[arm], refusals, seed),
            grounded=_grounded(answers[arm], seed),
            latency_ms=times,
            throughput=throughput(answers[arm]),
            tokens=_tokens(answers[arm]),
            cost=cost.arm_cost(
                arm,
                seconds,
                answers[arm],
                latencies[arm],
                weighed,
                adapter=recipe.adapter(arm),
                rates=served.rates[arm] if served else None,
            ),
            freshness_seconds=freshness.arm_seconds(arm, seconds, fresh, times.p50),
        )
    tuning = adapters.measured(recipe, folder)
    evidence = Evidence(
        metric=deciding.metric,
        questions=len(first),
        arms=arms,
        differences=differences(whole, seed),
        baselines=baselines(
            first, whole, recipe.study.refusal, lambda tried: score(tried, used), seed
        ),
        faults=[
            *diagnosis.faults(
                recipe.study,
                answers,
                judged=len(first),
                timed=min(of.latency_ms.questions for of in arms.values()),
                adapters=tuning.tuned(recipe, by_rightness=deciding.metric == RIGHT),
            ),
            *_of_languages(folder),
            *(other_adapters(recipe, served.full_size.adapter) if served else ()),
        ],
        failures=failures.analyse(questions, answers, found, refusals, no_gold),
        records=notes.data.train,
        freshness=fresh,
        curve=_learning_curve(
            recipe, folder, scores, deciding.metric, used, records=notes.data.train
        ),
        coverage=_coverage(
            folder, questions, first, {a: of[deciding.metric] for a, of in whole.items()}, seed
        ),
    )
    choice = recommend(weighed, evidence)
    alive = living(evidence)
    return Results(
        schema=SCHEMA,
        recipe=RecipeUsed(name=recipe.name, identity=recipe.identity, filled=recipe.at(Path())),
        questions=len(questions),
        unanswerable=sum(is_unanswerable(q, refusals) for q in questions),
        several_references=sum(len(q.references) > 1 for q in questions),
        labels=len(label_set(references)) or None,
        deciding=deciding,
        arms=arms,
        differences=list(evidence.differences),
        baselines=dict(evidence.baselines),
        coverage=evidence.coverage,
        faults=list(evidence.faults),
        failures=evidence.failures,
        retrieval=(
            retrieval.quality(questions, found, recipe.rag.top_k, seed, no_gold) if found else None
        ),
        heldout_loss=tuning.heldout,
        forgetting=tuning.forgetting,
        freshness=fresh,
        learning_curve=evidence.curve,
        tune=tuning.training,
        recall=tuning.recall,
        search=_searches(recipe, folder),
        index=_index(folder),
        data=data,
        seconds=seconds,
        environment=notes.environment,
        break_even=cost.break_even({arm: arms[arm].cost for arm in alive}, weighed),
        recommendation=Recommendation(
            **dict(choice),
            metric=deciding.metric,
            smallest_difference=smallest_difference(evidence),
            other_metrics=other_metrics(weighed, evidence),
            criteria=criteria(evidence),
            sensitivity=sensitivity(weighed, evidence),
        ),
        agreement=agreement(
            marks(folder),
            answers,
            evidence.failures,
            scores,
            _scored(questions, refusals),
        ),
        engine=engine_used(folder.engine) if recipe.model.engine != TORCH else None,
        full_size=served.full_size if served else None,
        finished=max((stage.finished for stage in notes.stages.values()), default=""),
    )


def _of_languages(folder: RunFolder) -> list[AnyFault]:
    """What the stage of languages found."""
    found = read_json(folder.languages) if folder.languages.exists() else []
    return [FAULTS.validate_python(fault) for fault in found]


def _scored(questions: Sequence[Record], refusals: Sequence[str]) -> list[int]:
    """The places of the questions that scores are of: the answerable ones, all where none is."""
    answerable = [n for n, q in enumerate(questions) if not is_unanswerable(q, refusals)]
    return answerable or list(range(len(questions)))


def _data(recipe: Recipe, folder: RunFolder, notes: RunNotes) -> DataCounts:
    """The counts of the data, with what the stages found wrong with it."""
    found = {
        "near_duplicates": _optional(folder.leaks, NearDuplicates) if recipe.adapters else None,
        "gold": _optional(folder.gold, GoldFaults) if folder.retrieval.exists() else None,
    }
    return notes.data.model_copy(update=found)


def _seconds(recipe: Recipe, folder: RunFolder, notes: RunNotes) -> dict[str, float]:
    """What each stage took, all in all.

    ``lock.json`` knows of the last call alone: where tuning was resumed, or an index only updated,
    the seconds that they themselves have added up count.
    """
    seconds = {name: stage.seconds for name, stage in notes.stages.items()}
    files = {f"tune/{name}": folder.training(name) for name in recipe.adapters}
    files |= {
        "index": folder.manifest,
        "index-records": folder.records_index / folder.manifest.name,
    }
    for name, file in files.items():
        if name in seconds and file.exists():
            seconds[name] = max(seconds[name], float(read_json(file).get("seconds", 0.0)))
    return seconds


def _used(deciding: Deciding, tools: Tools) -> Tools:
    """The tools that the deciding metric needs, the others left out.

    Raises RecipeError where one is not offered.
    """
    wanted = needs(deciding.metric)
    if missing := wanted - tools.offered:
        raise RecipeError(
            f"study.metric: {deciding.metric} needs the {' and the '.join(sorted(missing))}, which "
            "is not offered here; choose another"
        )
    return Tools(**{name: getattr(tools, name) for name in wanted})


def _refusals(
    questions: Sequence[Record], answers: Sequence[AnswerRow], refusals: Sequence[str], seed: int
) -> Refusal:
    """How often the arm said that there is no answer, where that is right and where it is not."""
    rightly: list[float] = []
    wrongly: list[float] = []
    for question, answer in zip(questions, answers, strict=True):
        side = rightly if is_unanswerable(question, refusals) else wrongly
        side.append(float(refuses(answer.text, refusals)))
    return Refusal(
        unanswerable_refused=_estimated(rightly, seed),
        answerable_refused=_estimated(wrongly, seed),
    )


def _categories(
    questions: Sequence[Record], scores: Array, refusals: Sequence[str], seed: int
) -> dict[str, Category]:
    """The deciding metric by category, most questions first, over those that have an answer.

    ``scores`` are (seeds, answerable questions); of all where none is, and then none is shown.
    """
    asked = [q for q in questions if not is_unanswerable(q, refusals)]
    groups: dict[str, list[int]] = {}
    for place, question in enumerate(asked):
        if question.category:
            groups.setdefault(question.category, []).append(place)
    return {
        name: Category(questions=len(places), **dict(estimate(scores[:, places], seed)))
        for name, places in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    }


def _grounded(answers: Sequence[AnswerRow], seed: int) -> Mean | None:
    """The share of an answer's words that are in the passages it was given, where it had any."""
    shares = [
        grounded(a.text, [passage.text for passage in a.sources]) for a in answers if a.sources
    ]
    return _estimated([share for share in shares if share is not None], seed)


def _tokens(answers: Sequence[AnswerRow]) -> Tokens:
    return Tokens(
        prompt_mean=float(np.mean([a.prompt_tokens for a in answers])),
        completion_mean=float(np.mean([a.completion_tokens for a in answers])),
        cut_prompts=sum(a.cut_tokens > 0 for a in answers),
        cut_passages=sum(a.retrieved - len(a.sources) for a in answers if not a.refused),
    )


def _learning_curve(
    recipe: Recipe,
    folder: RunFolder,
    scores: Mapping[Arm, Scores],
    metric: str,
    tools: Tools,
    *,
    records: int,
) -> LearningCurve | None:
    """The curve over the recipe's shares, with the run's own tuning, by the first seed, at 1."""
    arms = [arm for arm in recipe.arms if is_tuned(arm) and recipe.adapters]
    if not arms:
        return None
    points = {1.0: {arm: scores[arm][metric] for arm in arms}}
    questions, refusals = rows.questions(folder), recipe.study.all_refusals
    for share in recipe.study.learning_curve:
        if share == 1:
            continue
        given = {arm: rows.curve_answers(folder, share, arm) for arm in arms}
        points[share] = {
            arm: score(judged(questions, given[arm], refusals), tools)[metric] for arm in arms
        }
    return curve.figures(metric, points, records, recipe.seed)


def _coverage(
    folder: RunFolder,
    questions: Sequence[Record],
    cases: Sequence[Case],
    scores: Mapping[Arm, Values],
    seed: int,
) -> Coverage | None:
    """The deciding metric inside and outside of the records; None where that was not looked at."""
    seen = _optional(folder.coverage, Marks)
    if seen is None or len(seen.inside) != len(questions):
        return None
    kept = {id(case.question) for case in cases}
    places = [n for n, question in enumerate(questions) if id(question) in kept]
    return coverage(seen, places, scores, seed)


def _searches(recipe: Recipe, folder: RunFolder) -> dict[Adapter, SearchFigures]:
    """What was tried for each adapter; empty where the recipe does not search."""
    if recipe.tune.search is None:
        return {}
    return {
        name: SearchFigures.model_validate(read_json(folder.search(name)))
        for name in recipe.adapters
    }


def _index(folder: RunFolder) -> Index | None:
    if not folder.manifest.exists():
        return None
    manifest = read_json(folder.manifest)
    return Index(
        documents=len(manifest["documents"]),
        chunks=manifest["points"],
        skipped=manifest["skipped"],
    )


def _estimated(values: Sequence[float], seed: int) -> Mean | None:
    return estimate(values, seed) if values else None


def _optional(path: Path, kind: type[Model]) -> Model | None:
    """What a stage left; None where it was not made, or found nothing to measure."""
    found = read_json(path) if path.exists() else None
    return None if found is None else kind.model_validate(found)
