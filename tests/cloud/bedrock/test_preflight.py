"""What is found before anything is paid: the model's files, the account."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ragtune.core.errors import CloudError
from ragtune.core.run_folder import RunFolder
from ragtune.runs.open import recipe_of
from ragtune_cloud import plan as promotions
from ragtune_cloud.bedrock import catalog, cost
from ragtune_cloud.bedrock.model import Model
from ragtune_cloud.bedrock.preflight.files import checks
from ragtune_cloud.bedrock.source import LocalFiles
from ragtune_cloud.bedrock.target import Bedrock
from ragtune_cloud.target import Choices, Plan
from tests.cloud.bedrock.conftest import change
from tests.cloud.bedrock.fake import QUOTA, FakeBedrock
from tests.cloud.fake import FakeSageMaker
from tests.cloud.made_up import finding, recipe


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    """A copy of the exported model, to be spoilt."""
    return Path(shutil.copytree(exported, tmp_path / "model"))


def found(folder: Path, name: str) -> tuple[str, str]:
    status, detail = checks(Model(LocalFiles(folder)))[name]
    return status, detail


def test_an_exported_model_passes_every_check(folder: Path) -> None:
    assert {f.status for f in checks(Model(LocalFiles(folder))).values()} == {"ok"}


def weights(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path, metadata={"format": "pt"})


SPOILT: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "another architecture": (
        "architecture",
        "allowed: LlamaForCausalLM",
        lambda f: change(f / "config.json", architectures=["GemmaForCausalLM"]),
    ),
    "no architecture": (
        "architecture",
        "none named",
        lambda f: change(f / "config.json", architectures=None),
    ),
    "code beside the weights": (
        "architecture",
        "auto_map",
        lambda f: change(f / "config.json", auto_map={"AutoModel": "code.Model"}),
    ),
    "an adapter": ("weights", "an adapter", lambda f: (f / "adapter_config.json").write_text("{}")),
    "pickled weights": (
        "weights",
        "no weights in safetensors",
        lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"),
    ),
    "weights cut off": (
        "weights",
        "its header says",
        lambda f: (f / "model.safetensors").write_bytes(
            (f / "model.safetensors").read_bytes()[:-5]
        ),
    ),
    "no safetensors inside": (
        "weights",
        "is no safetensors file",
        lambda f: (f / "model.safetensors").write_text("version https://git-lfs.github.com"),
    ),
    "a shard missing": (
        "weights",
        "1 tensors are missing",
        lambda f: (f / "model.safetensors.index.json").write_text(
            json.dumps({"weight_map": {"model.layers.9.mlp.weight": "b.safetensors"}})
        ),
    ),
    "a broken index": (
        "weights",
        "model.safetensors.index.json is broken",
        lambda f: (f / "model.safetensors.index.json").write_text("{}"),
    ),
    "a broken tokenizer": (
        "tokenizer",
        "is not a tokenizer's",
        lambda f: (f / "tokenizer.json").write_text('{"model": null}'),
    ),
    "eight bits": (
        "precision",
        "I8; allowed: float32, float16, bfloat16",
        lambda f: weights(f, lambda w: {**w, "x": torch.zeros(2, dtype=torch.int8)}),
    ),
    "quantized": (
        "precision",
        "quantized",
        lambda f: change(f / "config.json", quantization_config={"bits": 4}),
    ),
    "dtype alone": (
        "precision",
        "no torch_dtype",
        lambda f: change(f / "config.json", torch_dtype=None),
    ),
    "the newer rope names alone": (
        "configuration",
        "rope_parameters alone is not read",
        lambda f: change(f / "config.json", rope_theta=None, rope_scaling=None),
    ),
    "rope said twice and otherwise": (
        "configuration",
        "rope_theta is 500000.0",
        lambda f: change(f / "config.json", rope_theta=500000.0, rope_scaling={}),
    ),
    "another vocabulary": (
        "configuration",
        "vocab_size is 32000",
        lambda f: change(f / "config.json", vocab_size=32000, rope_scaling={}),
    ),
    "a context over the limit": (
        "context",
        "allowed: up to 131072",
        lambda f: change(f / "config.json", max_position_embeddings=262144),
    ),
    "no tokenizer": ("tokenizer", "tokenizer.json", lambda f: (f / "tokenizer.json").unlink()),
    "a tokenizer class of transformers 5": (
        "tokenizer",
        "TokenizersBackend",
        lambda f: change(f / "tokenizer_config.json", tokenizer_class="TokenizersBackend"),
    ),
    "extra tokens as a list": (
        "tokenizer",
        "is a list",
        lambda f: change(f / "tokenizer_config.json", extra_special_tokens=["<x>"]),
    ),
    "another model's tokenizer": (
        "tokenizer",
        "another model's tokenizer",
        lambda f: change(f / "config.json", vocab_size=100),
    ),
    "no end": (
        "end tokens",
        "answers would not end",
        lambda f: [
            change(f / name, eos_token_id=None)
            for name in ("config.json", "generation_config.json")
        ],
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_bedrock_would_refuse_or_read_otherwise_is_found_here(folder: Path, what: str) -> None:
    name, told, spoil = SPOILT[what]
    spoil(folder)
    status, detail = found(folder, name)
    assert (status, told in detail) == ("failed", True), detail


def test_a_missing_or_broken_configuration_is_one_line(folder: Path) -> None:
    (folder / "config.json").write_text("{")
    status, detail = found(folder, "architecture")
    assert (status, "config.json cannot be read" in detail) == ("failed", True)
    with pytest.raises(CloudError, match="no such folder"):
        _ = LocalFiles(folder / "none").sizes


def test_sampling_in_the_generation_configuration_is_warned_of(folder: Path) -> None:
    change(folder / "generation_config.json", do_sample=True, temperature=0.6)
    assert found(folder, "end tokens")[0] == "warning"


def test_size_is_bounded_by_all_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalog.importing(), "max_bytes", 1000)
    assert found(folder, "size")[0] == "failed"


@pytest.mark.parametrize(
    ("parameters", "low", "high"),
    [(1.2e9, 1, 1), (4.0e9, 1, 1), (6.7e9, 1, 2), (8.0e9, 1, 2), (13e9, 2, 8), (70.6e9, 2, 8)],
)
def test_units_are_bracketed_by_models_that_are_known(
    parameters: float, low: int, high: int
) -> None:
    assert catalog.units_of(int(parameters)) == (low, high)
    assert catalog.units_of(int(300e9)) is None


def test_the_ceiling_is_whole_windows_below_the_limit() -> None:
    priced = cost.estimate(recipe(cloud={"max_cost_usd": 1.5}), catalog.Units(2, 2))
    assert priced.usd_per_window == pytest.approx(2 * 5 * 0.05718, abs=1e-4)
    assert priced.windows == 2
    assert priced.usd_ceiling == pytest.approx(1.1436)
    assert priced.usd_idle_per_hour == 0
    assert priced.usd_per_month == pytest.approx(3.9)
    here = recipe(cloud={"region": "us-east-2"})
    assert cost.estimate(here, catalog.Units(2, 2)).usd_per_window is None


def planned(target: Bedrock, run: RunFolder, choices: Choices | None = None, **cloud: Any) -> Plan:
    made = recipe_of(run.path)
    changed = made.model_copy(update={"cloud": made.cloud.model_copy(update=cloud)})
    return promotions.plan(target, changed.at(made.path("")), run, choices or Choices())


def test_a_region_without_imports_or_without_a_price_is_refused_with_the_remedy(
    run: RunFolder,
) -> None:
    made = planned(Bedrock(online=False), run, region="eu-north-1")
    assert finding(made, "region").startswith("failed: cloud.region: eu-north-1")
    assert "us-east-1" in finding(made, "region")
    made = planned(Bedrock(online=False), run, region="us-east-2")
    assert finding(made, "region") == "ok: us-east-2"
    assert finding(made, "cost").startswith("failed: no price is known")
    made = planned(Bedrock(online=False), run, max_cost_usd=0.01)
    assert "cloud.max_cost_usd is $0.01; raise it" in finding(made, "cost")


def test_the_account_is_asked_for_what_only_it_knows(
    run: RunFolder, place: Callable[..., Bedrock], fake: FakeSageMaker, bedrock: FakeBedrock
) -> None:
    fake.quota[QUOTA] = 3
    made = planned(place(), run)
    assert [c.status for c in made.checks if c.status == "failed"] == []
    assert finding(made, "role and its trust") == "ok: bedrock exists and trusts Bedrock"
    assert finding(made, "quota") == "ok: 0 of 3 imported models"
    assert finding(made, "name").startswith("ok")
    assert bedrock.at().jobs == {}

    made = planned(place(), run, bedrock_role="ragtune")
    assert "add bedrock.amazonaws.com to its trust" in finding(made, "role and its trust")
    made = planned(place(), run, bedrock_role=None, role=None)
    assert "cloud.bedrock_role is missing" in finding(made, "role and its trust")
    made = planned(place(), run, bucket="nowhere")
    assert finding(made, "bucket and region").startswith("failed: nowhere: no such bucket")
    aws = bedrock.session
    aws.client("s3", region_name="us-west-2").create_bucket(
        Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    made = planned(place(), run, bucket="elsewhere")
    assert "elsewhere is in us-west-2, the import in us-east-1" in finding(
        made, "bucket and region"
    )
    fake.quota[QUOTA] = 0
    assert finding(planned(place(), run), "quota").startswith("failed: 0 of 0")


def test_prompts_that_would_be_other_tokens_there_are_counted(run: RunFolder) -> None:
    rows = [json.loads(line) for line in run.questions.read_text().splitlines()]
    rows[0]["instruction"] = "What does </s> mean?"
    run.questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = planned(Bedrock(online=False), run, Choices(override_gate="tried"))
    assert finding(made, "prompts").startswith(
        "warning: 39 of 40 prompts are the same tokens there"
    )


def test_a_prompt_is_sent_so_that_it_has_one_bos(tiny_llama: Path) -> None:
    from ragtune.models.load import load_tokenizer
    from ragtune.prompts.base import Prompt
    from ragtune_cloud.bedrock.reading import as_sent

    tokenizer = load_tokenizer(tiny_llama)
    plain = tokenizer("When?", add_special_tokens=False)["input_ids"]
    for text in ("When?", "<s>When?"):
        sent = as_sent(Prompt([0, *plain], text), tokenizer)
        assert tokenizer(sent)["input_ids"] == [0, *plain]
