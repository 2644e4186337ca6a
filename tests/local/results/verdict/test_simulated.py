"""The rule on 1,000 made-up studies at once: what it claims where there is nothing to claim."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from ragtune.recipe.arms import USUAL as ARMS
from ragtune.recipe.arms import Arm
from ragtune.recipe.schema import Needs
from ragtune.results.parts import Baseline, Mean, Paired
from ragtune.results.schema import ArmFigures, Difference
from ragtune.results.statistics import LEVEL, holm, more_questions, sign_flip, smallest_difference
from ragtune.results.verdict.evidence import Evidence
from ragtune.results.verdict.parts import count
from ragtune.results.verdict.reasons import Choice
from ragtune.results.verdict.rule import recommend
from tests.local.results.verdict.figures import METRIC, evidence

STUDIES = 1000
PAIRS = list(combinations(range(len(ARMS)), 2))
PLAIN = evidence((0.5,) * 4)


def right(generator: np.random.Generator, shares: tuple[float, ...], questions: int) -> Any:
    """Right or wrong, (arms, questions, studies); a hard question is hard for every arm."""
    hard = generator.random((1, questions, STUDIES))
    own = generator.random((len(shares), questions, STUDIES))
    draws = np.where(generator.random(own.shape) < 0.5, hard, own)
    return (draws < np.array(shares)[:, None, None]).astype(float)


def verdicts(scores: Any, constant: Any) -> list[tuple[Choice, Evidence]]:
    """The rule on each study; the tests of all are made at once, as `statistics.compare` does."""
    between = np.array([scores[a] - scores[b] for a, b in PAIRS])
    above = scores - constant
    alone = [np.array([sign_flip(g, seed=7) for g in gaps]) for gaps in (between, above)]
    corrected = [holm(p) for p in alone]
    found = []
    for n in range(scores.shape[2]):
        means = scores[:, :, n].mean(axis=1)
        pairs = [
            paired(gap[:, n], p[n], level[n])
            for gap, p, level in zip(between, *corrected[0], strict=True)
        ]
        names = [(ARMS[a], ARMS[b]) for a, b in PAIRS]
        one = Evidence(
            metric=METRIC,
            questions=scores.shape[1],
            arms={arm: of(arm, mean) for arm, mean in zip(ARMS, means, strict=True)},
            differences=[
                Difference(metric=METRIC, left=left, right=other, **pair)
                for (left, other), pair in zip(names, pairs, strict=True)
            ],
            baselines={
                METRIC: Baseline(
                    answer="six",
                    mean=float(constant[:, n].mean()),
                    against={
                        arm: Paired(left=arm, right="constant", **paired(gap[:, n], p[n], level[n]))
                        for arm, gap, p, level in zip(ARMS, above, *corrected[1], strict=True)
                    },
                )
            },
            faults=[],
            failures=PLAIN.failures,
            records=400,
            freshness=None,
            curve=None,
            coverage=None,
        )
        found.append((recommend(Needs(), one), one))
    return found


def paired(gaps: Any, p: float, level: float) -> dict[str, Any]:
    return {
        "mean": float(gaps.mean()),
        "ci95": (-1.0, 1.0),
        "p": float(p),
        "p_holm": float(p),
        "different": bool(p <= LEVEL),
        "more_questions": more_questions(gaps, float(level)),
        "smallest": smallest_difference(gaps, float(level)),
    }


def of(arm: Arm, mean: float) -> ArmFigures:
    quality = {METRIC: Mean(mean=float(mean), ci95=(0.0, 1.0))}
    return PLAIN.arms[arm].model_copy(update={"quality": quality})


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_equal_arms_are_called_different_in_at_most_one_study_of_twenty_and_base_is_named(
    share: float,
) -> None:
    scores = right(np.random.default_rng(1), (share,) * 4, 100)
    found = verdicts(scores, np.zeros_like(scores[0]))
    claimed = [any(d.different for d in one.differences) for _, one in found]
    assert np.mean(claimed) <= 0.05
    assert all(choice.arm == "base" for (choice, _), c in zip(found, claimed, strict=True) if not c)
    named = [choice.arm for choice, _ in found]
    assert np.mean([arm not in (None, "base") for arm in named]) <= 0.05


def test_an_arm_as_good_as_a_constant_answer_wins_in_no_study() -> None:
    """All arms guess the majority's label or worse; in the second half one of them answers."""
    generator = np.random.default_rng(2)
    shares = (0.4, 0.55, 0.5, 0.3)
    constant = (generator.random((100, STUDIES)) < 0.6).astype(float)
    assert [c.arm for c, _ in verdicts(right(generator, shares, 100), constant) if c.arm] == []
    alive = verdicts(right(generator, (0.4, 0.55, 0.9, 0.3), 100), constant)
    assert {c.arm for c, _ in alive} <= {"rag", None}
    assert np.mean([c.arm == "rag" for c, _ in alive]) > 0.95


def test_a_tie_goes_to_fewer_parts_in_every_study() -> None:
    """Retrieval, tuning and both do equally well, and base does not."""
    scores = right(np.random.default_rng(3), (0.2, 0.7, 0.7, 0.7), 100)
    found = verdicts(scores, np.zeros_like(scores[0]))
    tied = 0
    for choice, one in found:
        if choice.arm is None or any(d.different for d in one.differences if d.left != "base"):
            continue
        tied += 1
        others = [a for a, why in choice.out.items() if why.kind == "not_better"]
        assert choice.arm == "rag"
        assert all(count(choice.arm) <= count(arm) for arm in others)
    assert tied > 0.9 * STUDIES


def test_five_questions_leave_it_undecided() -> None:
    scores = right(np.random.default_rng(4), (0.1, 0.9, 0.5, 0.7), 5)
    found = verdicts(scores, np.zeros_like(scores[0]))
    assert np.mean([c.because.kind == "undecided" for c, _ in found]) >= 0.9
    assert all(c.arm is None for c, _ in found)
