"""Bedrock's scaling of positions, measured before anything is paid."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from ragtune.core.files import read_json
from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune.runs.open import recipe_of
from ragtune.tuning.handover.older import rewrite
from ragtune_cloud import plan as promotions
from ragtune_cloud.bedrock import rope
from ragtune_cloud.bedrock.folder import BedrockFolder
from ragtune_cloud.bedrock.model import Model
from ragtune_cloud.bedrock.source import LocalFiles
from ragtune_cloud.bedrock.target import Bedrock
from ragtune_cloud.target import Choices, Plan
from tests.cloud.made_up import finding

SCALED = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 32.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}


def scaled(folder: Path, like: Path, factor: float, sharp: float = 1.0) -> Path:
    """A Llama 3 of random weights; ``sharp`` makes its attention depend on positions."""
    from transformers import AutoConfig, LlamaForCausalLM

    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(like, folder)
    config = AutoConfig.from_pretrained(like)
    config.rope_parameters = {**SCALED, "factor": factor}
    torch.manual_seed(3)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("q_proj.weight", "k_proj.weight", "v_proj.weight", "o_proj.weight")):
                weight.mul_(sharp)
    model.save_pretrained(folder)
    rewrite(folder, ties=True, stops=[1])
    return folder


def planned(run: RunFolder, *accepted: str) -> Plan:
    return promotions.plan(
        Bedrock(online=False), recipe_of(run.path), run, Choices(accepted=accepted)
    )


def test_a_factor_of_32_is_measured_with_8_once_and_told(
    run: RunFolder, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaled(run.merged, tiny_llama, 32.0)
    made = planned(run)
    found = rope.RopeLoss(**read_json(BedrockFolder(run).rope))
    assert (found.own, found.forced) == (32.0, 8.0)
    assert finding(made, "rope") == f"ok: {found}"
    (term,) = [t for t in made.draft.terms if t.field == "rope_scaling.factor"]
    assert (term.local, term.wire) == (32.0, "8, always")
    assert term.verdict == f"differs: {found}"
    # By hand: transformers with the factor in its configuration, over the same rows.
    for factor, loss in ((32.0, found.loss_own), (8.0, found.loss_forced)):
        assert _by_hand(run, factor) == pytest.approx(loss, abs=1e-4)
    monkeypatch.setattr(rope, "measure", None)
    assert finding(planned(run), "rope") == f"ok: {found}"


def _by_hand(run: RunFolder, factor: float) -> float:
    from transformers import AutoTokenizer, LlamaForCausalLM

    from ragtune.prompts.registry import format_of

    recipe = recipe_of(run.path)
    model = LlamaForCausalLM.from_pretrained(run.merged).eval()
    model.config.rope_parameters = {**SCALED, "factor": factor}
    model = LlamaForCausalLM.from_pretrained(run.merged, config=model.config).eval()
    form = format_of(recipe.template.build(), AutoTokenizer.from_pretrained(run.merged))
    nats, tokens = 0.0, 0
    for line in run.questions.read_text().splitlines():
        row = json.loads(line)
        asked = form.row(row["instruction"], row["context"], row["response"])
        labels = torch.tensor([asked.labels])
        with torch.inference_mode():
            logits = model(torch.tensor([asked.ids])).logits[0, :-1].log_softmax(-1)
        wanted = labels[0, 1:] != -100
        picked = logits[wanted].gather(1, labels[0, 1:][wanted][:, None])
        nats, tokens = nats - float(picked.sum()), tokens + int(wanted.sum())
    return nats / tokens


def test_a_model_that_8_makes_worse_is_refused_unless_that_is_accepted_by_name(
    run: RunFolder, tiny_llama: Path
) -> None:
    scaled(run.merged, tiny_llama, 32.0)
    measured = rope.measure(recipe_of(run.path), run, model_of(run), Silent())
    worse = {**vars(measured), "loss_forced": measured.loss_own + 0.2}
    BedrockFolder(run).rope.write_text(json.dumps(worse))
    made = planned(run)
    assert finding(made, "rope").startswith("failed: held-out loss")
    assert "--accept-difference rope_scaling.factor" in finding(made, "contract")
    made = planned(run, "rope_scaling.factor")
    assert finding(made, "rope").startswith("warning")
    assert finding(made, "contract").startswith("ok")


def test_measured_of_other_files_is_measured_again(run: RunFolder, tiny_llama: Path) -> None:
    scaled(run.merged, tiny_llama, 32.0)
    rope.measure(recipe_of(run.path), run, model_of(run), Silent())
    assert rope.known(run, model_of(run)) is not None
    scaled(run.merged, tiny_llama, 32.0, sharp=2.0)
    assert rope.known(run, model_of(run)) is None


def model_of(run: RunFolder) -> Model:
    return Model(LocalFiles(run.merged))


@pytest.mark.parametrize(
    ("config", "forced"),
    [
        ({}, False),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, False),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 32.0}}, True),
        ({"rope_scaling": {"type": "llama3", "factor": 32.0}}, True),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 1e4}}, False),
        ({"vocab_size": 128256, "rope_scaling": None}, True),
        ({"architectures": ["Qwen3ForCausalLM"], "vocab_size": 128256}, False),
        ({"architectures": ["MistralForCausalLM"]}, False),
    ],
)
def test_which_models_bedrock_reads_with_another_rope(
    tmp_path: Path, config: dict[str, Any], forced: bool
) -> None:
    base = {"architectures": ["LlamaForCausalLM"], "vocab_size": 32000}
    (tmp_path / "config.json").write_text(json.dumps({**base, **config}))
    found = Model(LocalFiles(tmp_path)).forced_rope
    assert (found is not None) == forced
    assert found is None or (found["factor"], found["rope_type"]) == (8.0, "llama3")
