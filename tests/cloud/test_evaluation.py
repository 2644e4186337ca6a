from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.files import read_jsonl, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.models.engines.base import Ability, Completion
from ragtune.prompts.base import Prompt
from ragtune.recipe.schema import Recipe
from ragtune.results.schema import Results
from ragtune_cloud.evaluation import ask, figures, served_arm
from tests.cloud.made_up import recipe

Answer = Callable[[str], str]


class Served:
    """An engine that answers by a function of the prompt's text."""

    name, fingerprint, context_length = "served", "f", 1 << 20
    can: frozenset[Ability] = frozenset({"answer"})

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked = answer, list[str]()

    def complete(self, prompts: Sequence[Prompt], **_: Any) -> list[Completion]:
        self.asked += [prompt.text for prompt in prompts]
        return [Completion(self.answer(p.text), [], 0.25, 0.0, 2) for p in prompts]

    def stream(self, prompt: Prompt, **_: Any) -> Any:
        raise NotImplementedError

    def loss(self, rows: Any, **_: Any) -> Any:
        raise NotImplementedError


@pytest.fixture
def study(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "study")


@pytest.fixture
def answers(run: RunFolder, study: RunFolder, tiny_tokenizer: Any) -> Any:
    """Ask a served model the run's questions: its answers' lines, the prompts that it was given."""

    def ask_all(
        answer: Answer, side: str = "tuned", made_from: Recipe | None = None
    ) -> tuple[list[Any], list[str]]:
        engine = Served(answer)
        ask(served_arm(made_from or recipe(), engine, tiny_tokenizer), run, study, side)
        return read_jsonl(study.answers(side)), engine.asked

    return ask_all


def test_the_prompt_is_that_of_training(answers: Any, run: RunFolder) -> None:
    _, asked = answers(lambda prompt: "six")
    template = recipe().template.build()
    rows = read_jsonl(run.questions)
    assert asked == [template.question(row["instruction"], row["context"]) for row in rows]


def test_an_answer_is_kept_without_the_words_around_each_response(answers: Any) -> None:
    template = {"completion": "The answer: {response} END"}
    found, _ = answers(lambda prompt: " The answer: six. END", made_from=recipe(template=template))
    assert {row["text"] for row in found} == {"six."}


def test_an_evaluation_that_broke_off_asks_only_what_is_left(
    answers: Any, study: RunFolder
) -> None:
    whole, asked = answers(lambda prompt: "six")
    lines = study.answers("tuned").read_text().splitlines(keepends=True)
    study.answers("tuned").write_text("".join(lines[:3]) + lines[3][:20])
    again, left = answers(lambda prompt: "six")
    assert again == whole
    assert left == asked[3:]


def test_after_a_change_of_the_questions_only_those_not_yet_answered_are_asked(
    answers: Any, run: RunFolder
) -> None:
    before, _ = answers(lambda prompt: "six")
    first, *rest = read_jsonl(run.questions)
    write_jsonl(run.questions, [{**first, "instruction": "How deep is it?"}, *rest])
    after, asked = answers(lambda prompt: "nine feet")
    assert ["How deep is it?" in prompt for prompt in asked] == [True]
    assert (after[0]["text"], after[1:]) == ("nine feet", before[1:])


def test_the_figures_and_the_report_are_those_of_a_local_study(
    answers: Any, run: RunFolder, study: RunFolder
) -> None:
    hours = iter([row["response"] for row in read_jsonl(run.questions)])
    answers(lambda prompt: next(hours))
    answers(lambda prompt: "I do not know", side="base")
    found = figures(recipe(), run, study)
    tuned = found.arms["tuned"]
    assert tuned.quality["token_f1"].mean == 1
    assert tuned.latency_ms.p50 == 250
    assert tuned.tokens.completion_mean == 2
    assert found.recommendation.arm == "tuned"
    assert found.data.train == 30
    assert Results.load(study.results) == found
    assert "I do not know" in study.report.read_text()
