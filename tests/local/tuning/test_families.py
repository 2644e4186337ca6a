"""Other families than Llama, each against transformers and PEFT without anything of ours."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch.nn.functional import cross_entropy

from ragtune.core.errors import ModelError
from ragtune.models.adapter import load_tuned
from ragtune.models.engines.torch import TorchEngine
from ragtune.models.families import registry
from ragtune.models.families.base import Decoder, Head
from ragtune.models.families.llama import Llama
from ragtune.models.hardware import Hardware
from ragtune.prompts.base import IGNORED, Prompt
from ragtune.prompts.instruct import InstructFormat, Template
from ragtune.recipe.tune import Tune
from ragtune.tuning import lora
from ragtune.tuning.agreement import check_agreement
from ragtune.tuning.batches import collate
from ragtune.tuning.export import export
from ragtune.tuning.samples import Sample, Samples, prepare
from ragtune.tuning.trainer import Tuned, tune
from tests.conftest import record_rows
from tests.local.models.families import toy

SIZES: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 64,
    "initializer_range": 0.4,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 2,
}
SPEC = Tune(lora_dropout=0.0, target_modules="q_proj,v_proj,o_proj")


class BySegments(Decoder):
    segments = True


class Capped(BySegments):
    def head(self, model: Any) -> Head:
        return Head(model.lm_head.weight, softcap=model.config.final_logit_softcapping)


class Scaled(BySegments):
    def head(self, model: Any) -> Head:
        return Head(model.lm_head.weight, scale=1 / model.config.logits_scaling)


class Unsaid(Capped):
    """One whose logits no ``Head`` says: the loss is taken on them as they are."""

    def head(self, model: Any) -> None:  # type: ignore[override]
        return None

    def logits(self, model: Any, hidden: torch.Tensor) -> torch.Tensor:
        cap = model.config.final_logit_softcapping
        logits: torch.Tensor = cap * torch.tanh(model.lm_head(hidden) / cap)
        return logits


GEMMA = {
    "sliding_window": 4,
    "final_logit_softcapping": 5.0,
    "attn_logit_softcapping": 2.0,
    "query_pre_attn_scalar": 8,
}
CASES: dict[str, tuple[str, dict[str, Any], Decoder]] = {
    "llama": ("Llama", {}, Llama()),
    "qwen2": ("Qwen2", {}, BySegments()),
    "olmo2": ("Olmo2", {}, BySegments()),
    "mistral with a window": ("Mistral", {"sliding_window": 4}, BySegments()),
    "granite with scales": (
        "Granite",
        {"logits_scaling": 3.0, "residual_multiplier": 0.5, "embedding_multiplier": 2.0},
        Scaled(),
    ),
    "gemma2 with windows and soft caps": ("Gemma2", GEMMA, Capped()),
    "gemma2 by its logits": ("Gemma2", GEMMA, Unsaid()),
}


def model(kind: str, options: dict[str, Any], attention: str = "eager") -> Any:
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**SIZES, **options)
    made = getattr(transformers, f"{kind}ForCausalLM")._from_config(
        config, attn_implementation=attention
    )
    return made.eval()


def with_adapter(adapted: Any) -> Any:
    """Give both LoRA matrices weights, the same each time."""
    generator = torch.Generator().manual_seed(7)
    for _, parameter in sorted(adapted.named_parameters()):
        if parameter.requires_grad:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
    return adapted


def plain_peft(kind: str, options: dict[str, Any]) -> Any:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=SPEC.lora_r,
        lora_alpha=SPEC.lora_alpha,
        target_modules=SPEC.target_modules.split(","),
        task_type="CAUSAL_LM",
    )
    return with_adapter(get_peft_model(model(kind, options), config))


def rows() -> list[Sample]:
    generator = torch.Generator().manual_seed(3)
    found = []
    for length in (11, 6, 14):
        ids = torch.randint(3, 50, (length,), generator=generator).tolist()
        found.append(Sample(ids, [IGNORED] * 3 + ids[3:]))
    return found


def gradients(adapted: Any, loss: torch.Tensor) -> list[torch.Tensor]:
    trained = [p for _, p in sorted(adapted.named_parameters()) if p.requires_grad]
    return list(torch.autograd.grad(loss, trained))


def padded(family: Decoder) -> Decoder:
    family = type(family)()
    family.segments = False
    return family


def packed(samples: list[Sample]) -> Sample:
    return Sample(
        [i for s in samples for i in s.ids],
        [label for s in samples for label in s.labels],
        tuple(len(s.ids) for s in samples),
    )


@pytest.mark.parametrize("layout", ["side by side", "packed", "padded", "packed and padded"])
@pytest.mark.parametrize("case", CASES)
def test_loss_and_gradients_are_those_of_transformers_and_peft(case: str, layout: str) -> None:
    kind, options, family = CASES[case]
    plain = plain_peft(kind, options)
    expected = torch.stack(
        [
            cross_entropy(
                plain(torch.tensor([row.ids])).logits[0, :-1],
                torch.tensor(row.labels[1:]),
                reduction="sum",
            )
            for row in rows()
        ]
    ).sum()
    family = padded(family) if "padded" in layout else family
    adapted = with_adapter(lora.with_lora(model(kind, options), SPEC, family))
    samples = [packed(rows())] if "packed" in layout else rows()
    batch = collate(samples, segments=family.segments)
    found = lora.batch_loss(adapted, batch, family)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)
    for mine, theirs in zip(gradients(adapted, found), gradients(plain, expected), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-3 * float(theirs.abs().max()))


def test_a_soft_cap_or_a_scale_that_is_left_out_is_refused_before_training() -> None:
    for kind, options in (("Gemma2", GEMMA), ("Granite", {"logits_scaling": 3.0})):
        with pytest.raises(
            ModelError, match=r"gives other numbers than the model, .*% apart: .* family's head"
        ):
            lora.with_lora(model(kind, options), SPEC, BySegments())


def test_logits_that_differ_from_the_head_are_refused() -> None:
    class Torn(Capped):
        def logits(self, model: Any, hidden: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = model.lm_head(hidden)
            return logits

    with pytest.raises(ModelError, match="mend the family's head or logits"):
        lora.with_lora(model("Gemma2", GEMMA), SPEC, Torn())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rows_that_see_one_another_are_refused_in_every_precision(dtype: torch.dtype) -> None:
    class Leaking(Llama):
        def backbone(self, model: Any) -> Any:
            def forgetful(*given: Any, segments: Any = (), **inputs: Any) -> Any:
                whole = {"segments": (sum(segments),)} if segments else {}
                return model.model(*given, **inputs, **whole)

            return forgetful

    with pytest.raises(ModelError, match="mend the family's segments"):
        lora.with_lora(model("Llama", {}).to(dtype), SPEC, Leaking())


def test_a_backbone_that_leaves_something_out_is_refused() -> None:
    class Shallow(Llama):
        def backbone(self, model: Any) -> Any:
            def shallow(*given: Any, **inputs: Any) -> Any:
                found = model.model(*given, **inputs)
                if "segments" in inputs:
                    found.last_hidden_state = found.last_hidden_state + 0.1
                return found

            return shallow

    with pytest.raises(ModelError, match="mend the family's backbone or segments"):
        lora.with_lora(model("Llama", {}), SPEC, Shallow())


def test_in_16_bits_a_mild_soft_cap_is_seen_and_rounding_is_not_taken_for_one() -> None:
    mild = {**GEMMA, "final_logit_softcapping": 30.0}
    lora.with_lora(model("Gemma2", mild).bfloat16(), SPEC, Capped())
    lora.with_lora(model("Llama", {}).bfloat16(), SPEC, Llama())
    with pytest.raises(ModelError, match="mend the family's head"):
        lora.with_lora(model("Gemma2", mild).bfloat16(), SPEC, BySegments())


def test_a_head_with_a_bias_goes_by_its_logits() -> None:
    biased = model("Llama", {})
    biased.lm_head = torch.nn.Linear(32, 50, bias=True)
    assert Llama().head(biased) is None
    adapted = lora.with_lora(biased, SPEC, Llama())
    assert torch.isfinite(lora.batch_loss(adapted, collate(rows()), Llama()))


def test_the_check_leaves_the_model_as_it_was() -> None:
    before = model("Llama", {}, "sdpa").train()
    state = torch.get_rng_state()
    check_agreement(before, Llama())
    assert before.training
    assert before.config._attn_implementation == "sdpa"
    assert torch.equal(torch.get_rng_state(), state)


HARDWARE = Hardware("cpu", "test", 1, "float32", "float32")
TEMPLATE = Template()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy family, for one test."""
    monkeypatch.setattr(registry, "_families", [*registry._families])
    registry.register(toy.Toy())


def tuned(base: Path, folder: Path, tokenizer: Any, layout: str = "rows") -> tuple[Tuned, Samples]:
    spec = Tune.model_validate(
        {
            "epoch": 2,
            "learning_rate": 0.01,
            "lora_dropout": 0.0,
            "validation_split_ratio": 0.5,
            "per_device_eval_batch_size": 4,
            "local": {"layout": layout, "loss": "completion"},
        }
    )
    data = [
        {"instruction": r["instruction"], "context": r["context"], "response": r["response"]}
        for r in record_rows()
    ]
    samples = prepare(data, spec, InstructFormat(TEMPLATE, tokenizer), 512)
    found = tune(
        spec,
        base,
        samples,
        seed=1,
        name="toy",
        template_hash=TEMPLATE.hash,
        hardware=HARDWARE,
        folder=folder,
    )
    return found, samples


@pytest.mark.usefixtures("known")
def test_a_family_that_is_one_file_tunes_answers_and_is_exported(
    tmp_path: Path, tiny_tokenizer: Any
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    toy.write(tmp_path / "base")
    found, samples = tuned(tmp_path / "base", tmp_path / "run", tiny_tokenizer)
    assert found.best_epoch == 2
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    plain = PeftModel.from_pretrained(plain, str(tmp_path / "run" / "adapter")).eval()
    total, tokens = 0.0, 0
    for sample in samples.validation:
        ids, labels = torch.tensor([sample.ids]), torch.tensor([sample.labels])
        with torch.no_grad():
            total += float(plain(ids, labels=labels).loss) * sample.supervised
        tokens += sample.supervised
    assert found.epochs[-1]["eval_loss"] == pytest.approx(total / tokens, abs=1e-5)

    merged = load_tuned(tmp_path / "base", tmp_path / "run" / "adapter", TEMPLATE.hash, HARDWARE)
    prompts = [[0, 40, 41, 42], [0, 60, 61], [0, 40, 41, 70, 71]]
    engine = TorchEngine(merged, tiny_tokenizer, toy.Toy(), "")
    answers = engine.complete([Prompt(ids, "") for ids in prompts], limit=8, batch_size=2)
    for prompt, answer in zip(prompts, answers, strict=True):
        expected = plain.generate(
            input_ids=torch.tensor([prompt]), max_new_tokens=8, do_sample=False
        )[0, len(prompt) :].tolist()
        assert [i for i in expected if i != tiny_tokenizer.eos_token_id] == answer.ids
    drift = export(
        tmp_path / "base",
        tmp_path / "run" / "adapter",
        tmp_path / "merged",
        dtype="bfloat16",
        template_hash=TEMPLATE.hash,
        tokenizer=tiny_tokenizer,
        rows=prompts,
    )
    assert drift.mean_nats < 0.05
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "merged").config.model_type == "qwen2"


@pytest.mark.parametrize("layout", ["rows", "packed"])
def test_a_family_without_segments_trains_on_padded_rows_to_the_same_end(
    tiny_llama: Path,
    tmp_path: Path,
    tiny_tokenizer: Any,
    monkeypatch: pytest.MonkeyPatch,
    layout: str,
) -> None:
    side_by_side, _ = tuned(tiny_llama, tmp_path / "one", tiny_tokenizer, layout)
    monkeypatch.setattr(Llama, "segments", False)
    alone, _ = tuned(tiny_llama, tmp_path / "other", tiny_tokenizer, layout)
    assert alone.steps == [pytest.approx(step, rel=1e-4) for step in side_by_side.steps]
    assert alone.epochs == [pytest.approx(epoch, rel=1e-4) for epoch in side_by_side.epochs]


def test_a_model_whose_tokens_see_those_that_follow_is_refused() -> None:
    config = transformers.XLNetConfig(vocab_size=50, d_model=32, n_layer=1, n_head=2, d_inner=32)
    both_ways = transformers.XLNetLMHeadModel(config).eval()
    with pytest.raises(ModelError, match="xlnet whose tokens see those that follow: it would"):
        check_agreement(both_ways, registry.family_of(config.to_dict()))
