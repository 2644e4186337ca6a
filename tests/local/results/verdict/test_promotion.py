from pathlib import Path

import pytest

from ragtune.recipe.arms import Arm
from ragtune.results.schema import Results
from ragtune.results.verdict.promotion import NoArm, NotCompared, NotHelped, NotTuned, objection
from ragtune.results.verdict.rule import recommend
from tests.local.results.made_up import write_run
from tests.local.results.verdict.figures import METRIC, Pair, evidence


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return write_run(Path(tmp_path_factory.mktemp("run")), ("base", "tuned", "rag", "tuned+rag"))


def judged(
    made: Results, quality: tuple[float, ...], alike: dict[Pair, int], **needs: bool
) -> Results:
    one = evidence(quality, alike)
    choice = recommend(made.recipe.filled.needs.model_copy(update=needs), one)
    said = made.recommendation.model_copy(update={**dict(choice), "metric": METRIC})
    return made.model_copy(
        update={"recommendation": said, "arms": one.arms, "differences": list(one.differences)}
    )


def test_tuning_pays_where_the_named_arm_is_tuned_and_tuning_helps_it(made: Results) -> None:
    assert objection(judged(made, (0.1, 0.9, 0.5, 0.4), {})) is None
    assert objection(judged(made, (0.1, 0.2, 0.5, 0.9), {})) is None


def test_the_gate_and_the_verdict_are_one_decision(made: Results) -> None:
    """tuned beats base here, and the verdict is rag."""
    assert objection(judged(made, (0.1, 0.4, 0.9, 0.8), {})) == NotTuned(arm="rag")


def test_an_arm_that_is_no_better_than_without_tuning_is_no_case_for_it(made: Results) -> None:
    """A need for sources rules tuned and base out; rag answers too slowly for it."""
    found = judged(made, (0.1, 0.2, 0.5, 0.52), {("rag", "tuned+rag"): 90})
    said = found.recommendation.model_copy(update={"arm": "tuned+rag"})
    against = objection(found.model_copy(update={"recommendation": said}))
    assert isinstance(against, NotHelped)
    assert (against.arm, against.other) == ("tuned+rag", "rag")
    alone = found.model_copy(update={"recommendation": said, "differences": []})
    other: Arm = "rag"
    assert objection(alone) == NotCompared(arm="tuned+rag", other=other)


def test_without_a_verdict_there_is_no_case_for_tuning(made: Results) -> None:
    assert objection(made) == NoArm(because=made.recommendation.because)
