"""Trained models as GGUF: llama.cpp writes the same greedy text, also with the adapter alone."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from ragtune.core.bundled import builtin_model, data_folder
from ragtune.core.errors import ModelError
from ragtune.models import smollm
from ragtune.models.load import load_tokenizer
from ragtune.tuning.handover.llama_cpp import vocabulary as vocabularies
from ragtune.tuning.handover.llama_cpp.lora import write_adapter
from ragtune.tuning.handover.llama_cpp.model import About, write_model
from ragtune.tuning.handover.llama_cpp.vocabulary import vocabulary_of
from tests.llama_cpp import LlamaServer, serving

ALMOST = 0.1
"""Nats by which two tokens may differ that 16 bits put into another order."""


class Both:
    """A model here and as GGUF."""

    def __init__(self, folder: Path, file: Path) -> None:
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokenizer = load_tokenizer(folder)
        self.ends = {int(self.tokenizer.eos_token_id)}
        vocabulary = vocabulary_of(folder, self.model.config.vocab_size)
        about = About("x", "y", "", tuple(self.ends), {"bos": self.tokenizer.bos_token_id}, True)
        write_model(self.model, vocabulary, about, file)

    def ours(self, prompt: Sequence[int], limit: int) -> list[int]:
        ids = torch.tensor([list(prompt)])
        with torch.inference_mode():
            told = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=limit,
                do_sample=False,
            )
        return [i for i in told[0, len(prompt) :].tolist() if i not in self.ends]

    def equal(self, server: LlamaServer, prompts: Sequence[Sequence[int]], limit: int) -> int:
        """How many answers are the same; where one is not, the two tokens are all but alike."""
        same = 0
        for prompt in prompts:
            mine, theirs = self.ours(prompt, limit), server.complete(prompt, limit)
            if mine == [step.id for step in theirs]:
                same += 1
                continue
            steps = zip(mine, theirs, strict=False)
            parting = next((s for m, s in steps if m != s.id), theirs[-1])
            assert parting.gap < ALMOST, (prompt, mine, parting)
        return same


def test_the_built_in_model_answers_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="does not cut texts as this tokenizer does"):
        vocabulary_of(builtin_model(), 6144)
    monkeypatch.setattr(vocabularies, "_cut", lambda _: "smollm")  # it is asked by token ids here
    both = Both(builtin_model(), tmp_path / "tiny.gguf")
    passage = "### Input:\n[1] The ferry {0} leaves at {1} and carries {2} cars.\n\n"
    questions = ("When does the ferry leave?", "What is the ferry called?", "How many cars?")
    prompts = [
        both.tokenizer(passage.format(*named) + f"### Instruction:\n{asked}\n\n### Response:\n")[
            "input_ids"
        ]
        for named in [("Petrel", "six", "forty")]
        for asked in questions
    ]
    with serving(tmp_path / "tiny.gguf", context=512) as server:
        assert both.equal(server, prompts, 12) >= 2


TOPICS = """fog/a harbour/bread/the moon/bees/trains/why the sky is blue/how to boil an egg/glaciers
the colour red/a good friend/libraries/rust on iron/the number seven/umbrellas/sleep/wind
a short poem about tea/three facts about cats/how bridges stand"""


def smollm_folder(name: str) -> Path:
    try:
        return smollm.smollm_folder(name)
    except ModelError as error:
        pytest.skip(str(error))


def asked(tokenizer: Any, topic: str) -> list[int]:
    turn = [{"role": "user", "content": f"Tell me about {topic}."}]
    ids: list[int] = tokenizer.apply_chat_template(
        turn, add_generation_prompt=True, return_dict=False
    )
    return ids


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_smollm2_answers_alike_alone_and_with_an_adapter(tmp_path: Path) -> None:
    published = Both(smollm_folder(smollm.PUBLISHED), tmp_path / "smollm2.gguf")
    prompts = [asked(published.tokenizer, topic) for topic in re.split("/|\n", TOPICS)]
    with serving(tmp_path / "smollm2.gguf") as server:
        assert server.tokens("It costs 12\u20ac,  or  so.\n\n1.") == [
            1,
            *published.tokenizer("It costs 12\u20ac,  or  so.\n\n1.")["input_ids"],
        ]
        assert published.equal(server, prompts, 48) >= 18

    adapter = data_folder() / "models" / smollm.READER
    lora = tmp_path / "reader.gguf"
    write_adapter(adapter, published.model.config, lora, name="reader", base="smollm2")
    reader = Both(smollm_folder(smollm.READER), tmp_path / "reader-f16.gguf")
    with serving(tmp_path / "smollm2.gguf", lora=lora) as server:
        assert reader.equal(server, prompts, 48) >= 18
