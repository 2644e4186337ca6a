"""What answered instead of the loop here: a server, or vLLM, and whether it answers as the loop."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ragtune.arms.ask_all import spread
from ragtune.core.files import read_jsonl, write_json
from ragtune.core.run_folder import RunFolder
from ragtune.prompts.base import PromptFormat
from ragtune.recipe.arms import Arm, is_tuned, reads_documents
from ragtune.recipe.model import VLLM
from ragtune.recipe.schema import Recipe
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import answers, parts

MOST = 20
"""Questions that the loop here is asked as well."""


class EngineStage(Stage):
    """Which models of which server, or of vLLM, answered, and how many answers are those of here.

    The base model is asked the same prompts, where it is on this machine and of a known family.
    """

    name = "engine"

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        untuned = [arm for arm in recipe.arms if not is_tuned(arm)]
        self.arm: Arm | None = next(filter(reads_documents, untuned), next(iter(untuned), None))
        asked = self.arm or recipe.arms[0]
        read = answers.reads(asked, recipe)
        self.fields = (*read["fields"], *parts.ANSWERS, "study.batch_size")
        self.materials = (*read["materials"], "own")
        self.in_vllm = recipe.model.engine == VLLM
        self.after = (*read["after"], f"answers/{asked}")

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file."""
        return [folder.engine]

    def make(self, work: Work) -> None:
        """Note what answered; ask the loop here."""
        materials, arms = work.materials, self.recipe.arms
        engine = materials.vllm if self.in_vllm else materials.server
        answered = (
            self._by_adapter(engine.context_length)
            if self.in_vllm
            else answering(engine, arms, parts.form(work))
        )
        agreement = self._agreement(work)
        found = {**engine.to_json(), "answered": answered, "agreement": agreement}
        if agreement is not None:
            work.watcher.say(
                f"engine: {agreement['equal']} of {agreement['questions']} answers of "
                f"{self.arm} are equal to those of ragtune's own loop"
            )
        write_json(work.out.engine, found)

    def _by_adapter(self, context_length: int) -> dict[Arm, dict[str, Any]]:
        """What answers for each arm in vLLM: the base model, or it with an adapter."""
        return {
            arm: {
                "model": f"base + {self.recipe.adapter(arm)}" if is_tuned(arm) else "base",
                "takes": "ids",
                "context_length": context_length,
            }
            for arm in self.recipe.arms
        }

    def _agreement(self, work: Work) -> dict[str, Any] | None:
        """How many answers are equal; None where the model cannot be run here."""
        if self.arm is None or not work.materials.runs_here:
            return None
        given = read_jsonl(work.run.answers(self.arm))
        found = answers.found(work, self.arm)
        every = zip(parts.questions(work), found, given, strict=True)
        asked = spread([one for one in every if not one[2]["refused"]], MOST)
        if not asked:
            return None
        remote = parts.answering(work, self.recipe, self.arm)
        with (
            answers.opened(self.arm, work, remote) as arm,
            work.watcher.progress("agreement with the loop here") as advance,
        ):
            completions = parts.engine(work, None).complete(
                [arm.prompt(question, passages) for question, passages, _ in asked],
                limit=arm.limit,
                stops=arm.format.stops,
                batch_size=work.recipe.study.batch_size,
                advance=advance,
            )
            texts = [arm.format.response(completion.text) for completion in completions]
        equal = sum(text == one["text"] for text, (*_, one) in zip(texts, asked, strict=True))
        return {"arm": self.arm, "questions": len(asked), "equal": equal}


def answering(server: Any, arms: Sequence[Arm], form: PromptFormat) -> dict[Arm, dict[str, Any]]:
    """What answers for each arm: the model's name, what it is sent, how many tokens it reads.

    Raises ModelError for a model that is not there, or that is sent what it cannot read.
    """
    prompt = form.prompt("?")
    return {
        arm: asdict(server.engine(arm if is_tuned(arm) else None).answered(prompt)) for arm in arms
    }
