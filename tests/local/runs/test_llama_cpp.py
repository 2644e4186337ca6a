"""llama.cpp's own server answers, with the built-in model as GGUF; skipped without its wheel."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from ragtune.core.bundled import builtin_model
from ragtune.models.engines.server import Server
from ragtune.models.engines.torch import TorchEngine
from ragtune.models.families.llama import Llama
from ragtune.models.hardware import probe
from ragtune.models.load import load_base, load_tokenizer
from ragtune.prompts.base import Prompt
from ragtune.prompts.instruct import InstructFormat
from ragtune.prompts.messages import MessagesFormat
from ragtune.prompts.template import CHAT, CHAT_PROMPT, Template
from ragtune.runs import defaults
from ragtune.runs.pipeline import Pipeline
from ragtune.tuning.handover.llama_cpp.model import About, write_model
from ragtune.tuning.handover.llama_cpp.vocabulary import Vocabulary
from tests.conftest import FACTS
from tests.llama_cpp import LlamaServer, serving

TEMPLATE = "{% for message in messages %}{{ message['content'] }}\n\n{% endfor %}### Response:\n"


@pytest.fixture(scope="module")
def own() -> TorchEngine:
    folder = builtin_model()
    model = load_base(folder, probe("float32"))
    return TorchEngine(model, load_tokenizer(folder), Llama(), "a hash")


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaServer]:
    """The built-in model. llama.cpp cuts some texts otherwise; prompts come as token ids."""
    pytest.importorskip("gguf")
    told = json.loads((builtin_model() / "tokenizer.json").read_text(encoding="utf-8"))
    tokens = sorted(told["model"]["vocab"], key=told["model"]["vocab"].__getitem__)
    special = {token["id"] for token in told["added_tokens"]}
    merges = [m if isinstance(m, str) else " ".join(m) for m in told["model"]["merges"]]
    types = [3 if number in special else 1 for number in range(len(tokens))]
    vocabulary = Vocabulary("gpt2", "smollm", tokens, types, merges=merges)
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    about = About("tiny", "tiny", "apache-2.0", (2,), {"bos": 1, "pad": 0}, True, TEMPLATE)
    model = AutoModelForCausalLM.from_pretrained(builtin_model(), dtype=torch.float32)
    write_model(model, vocabulary, about, path)
    with serving(path, slots=4) as server:
        yield server


@pytest.fixture(scope="module")
def prompts(own: TorchEngine) -> list[Prompt]:
    form = InstructFormat(Template(prompt=defaults.PASSAGES_FIRST), own.tokenizer)
    return [
        form.prompt(question, passages=[sentence, "The harbour master is called Ida."])
        for _, _, sentence, question, _ in FACTS
    ]


def test_raw_prompts_are_answered_as_by_the_loop_here(
    llama: LlamaServer, own: TorchEngine, prompts: list[Prompt]
) -> None:
    engine = Server(f"{llama.url}/v1", {}, tokenizer=own.tokenizer).engine()
    assert engine.answered(prompts[0]).takes == "ids"
    assert engine.context_length == 1024 - 16
    ours = own.complete(prompts, limit=16)
    theirs = engine.complete(prompts, limit=16, batch_size=4)
    assert [c.text for c in theirs] == [c.text for c in ours]
    assert [c.tokens for c in theirs] == [c.tokens for c in ours]
    assert [c.prompt_tokens for c in theirs] == [len(p.ids) for p in prompts]


def test_a_streamed_answer_is_the_one_given_at_once(
    llama: LlamaServer, own: TorchEngine, prompts: list[Prompt]
) -> None:
    engine = Server(f"{llama.url}/v1", {}, tokenizer=own.tokenizer).engine()
    (whole,) = engine.complete(prompts[4:5], limit=16)
    pieces = list(engine.stream(prompts[4], limit=16))
    assert len(pieces) > 1
    assert "".join(pieces).strip() == whole.text


def test_messages_get_the_servers_own_template(llama: LlamaServer) -> None:
    form = MessagesFormat(Template(format=CHAT, prompt=CHAT_PROMPT))
    prompt = form.prompt("What does soup cost?", passages=["Soup costs three crowns."])
    engine = Server(f"{llama.url}/v1", {}).engine()
    (found,) = engine.complete([prompt], limit=8)
    assert found.prompt_tokens is not None
    assert 10 < found.prompt_tokens < prompt.length
    assert found.tokens


def test_a_study_says_how_far_the_server_agrees(
    llama: LlamaServer, project: Callable[..., Path]
) -> None:
    model: dict[str, Any] = {"engine": f"{llama.url}/v1", "local": "builtin"}
    path = project(
        model={**model, "precision": "float32"},
        study={"arms": ["base"], "max_new_tokens": 16, "latency_questions": 2},
    )
    recipe = defaults.load(path)
    results = Pipeline(recipe, path.parent / "runs" / recipe.run_name).execute()
    assert results.engine is not None
    same = results.engine.agreement
    assert same is not None
    assert (same.arm, same.equal) == ("base", same.questions)
