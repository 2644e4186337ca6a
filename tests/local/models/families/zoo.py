"""Small models of random weights, one a family, and what each shows against transformers and PEFT.

``python -m tests.local.models.families.zoo`` measures all of them and prints the table that
docs/models.md has.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from ragtune.models.engines.torch import TorchEngine
from ragtune.models.families.base import ModelFamily
from ragtune.models.folder import family_at
from ragtune.models.hardware import Hardware
from ragtune.models.load import load_base, quiet_libraries
from ragtune.prompts.base import IGNORED, Prompt, Row
from ragtune.prompts.instruct import InstructFormat, Template
from ragtune.recipe.tune import Tune
from ragtune.tuning import lora
from ragtune.tuning.batches import collate
from ragtune.tuning.export import export
from ragtune.tuning.prediction import predict
from ragtune.tuning.samples import Sample, Samples, prepare
from ragtune.tuning.trainer import tune
from tests.conftest import record_rows

HARDWARE = Hardware("cpu", "test", 1, "float32", "float32")
TEMPLATE = Template("{instruction}")
VOCABULARY = 6144
END = 2
LIMIT = 12
"""Tokens of an answer."""
CLOSE = 1e-5
"""How far apart two losses may be, as a share; gradients and logits as a share of the largest."""


@dataclass(frozen=True)
class Kind:
    """A configuration class of transformers, by the beginning of its name, and its options."""

    config: str
    options: dict[str, Any] = field(default_factory=dict)
    embeddings: float = 1.0
    """What embeddings are multiplied with: tied ones say the last token again if they are large."""


GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 768}
MIXED = ["sliding_attention", "full_attention"]
SCALED_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
EXPERTS = {"moe_intermediate_size": 16, "num_experts": 4, "num_experts_per_tok": 2}
CONVOLVED = {"layer_types": ["conv", "full_attention"], "block_auto_adjust_ff_dim": False}

KINDS: dict[str, Kind] = {
    "Llama 2": Kind("Llama", {"num_key_value_heads": 4}),
    "Llama 3": Kind("Llama", {"rope_parameters": {"rope_type": "default", "rope_theta": 5e5}}),
    "Llama 3.2": Kind("Llama", {"rope_parameters": SCALED_ROPE, "tie_word_embeddings": True}, 0.1),
    "Qwen2": Kind("Qwen2"),
    "Qwen2, windows": Kind(
        "Qwen2", {"use_sliding_window": True, "sliding_window": 5, "layer_types": MIXED}
    ),
    "Qwen3": Kind("Qwen3", {"tie_word_embeddings": True}, 0.1),
    "Mistral": Kind("Mistral", {"sliding_window": 5}),
    "Gemma 2": Kind(
        "Gemma2",
        {
            "layer_types": MIXED,
            "sliding_window": 5,
            "final_logit_softcapping": 5.0,
            "attn_logit_softcapping": 2.0,
            "query_pre_attn_scalar": 8,
            "tie_word_embeddings": True,
        },
        0.01,
    ),
    "Gemma 3": Kind(
        "Gemma3Text",
        {
            "layer_types": MIXED,
            "sliding_window": 5,
            "query_pre_attn_scalar": 8,
            "tie_word_embeddings": True,
        },
        0.01,
    ),
    "Phi-3": Kind("Phi3", {"sliding_window": 9}),
    "Granite": Kind(
        "Granite",
        {
            "logits_scaling": 3.0,
            "residual_multiplier": 0.5,
            "embedding_multiplier": 2.0,
            "attention_multiplier": 0.2,
        },
    ),
    "SmolLM3": Kind("SmolLM3", {"no_rope_layers": [1, 0], "tie_word_embeddings": True}, 0.1),
    "OLMo 2": Kind("Olmo2"),
    "GPT-2": Kind("GPT2", GPT2, 0.1),
    "GPT-NeoX": Kind("GPTNeoX"),
    "Qwen3, experts": Kind("Qwen3Moe", EXPERTS),
    "LFM2": Kind("Lfm2", CONVOLVED),
}
MORE: dict[str, Kind] = {
    "Ministral": Kind("Ministral", {"layer_types": MIXED, "sliding_window": 5}),
    "Ministral 3": Kind("Ministral3"),
    "OLMo 3": Kind("Olmo3", {"layer_types": MIXED, "sliding_window": 5}),
    "Gemma": Kind("Gemma", {"tie_word_embeddings": True}, 0.01),
    "EXAONE 4": Kind("Exaone4", {"layer_types": MIXED, "sliding_window": 5}),
    "Seed-OSS": Kind("SeedOss", {"residual_dropout": 0.0, "attention_dropout": 0.0}),
    "ERNIE 4.5": Kind("Ernie4_5"),
    "Helium": Kind("Helium"),
    "Hunyuan": Kind("HunYuanDenseV1"),
    "Phi": Kind("Phi"),
    "StarCoder 2": Kind("Starcoder2", {"sliding_window": 5}),
    "GLM": Kind("Glm"),
    "GLM 4": Kind("Glm4"),
    "Arcee": Kind("Arcee"),
    "Apertus": Kind("Apertus"),
}
"""Those that are looked at less closely: loss, gradients and text."""
SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 768,
}
GIVEN: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "bos_token_id": 1,
    "eos_token_id": END,
    "pad_token_id": 0,
    "initializer_range": 0.3,
    "tie_word_embeddings": False,
}


def write(kind: Kind, folder: Path, tokenizer: Path | None = None) -> Path:
    """A model of the kind, with the tokenizer of another folder."""
    import transformers

    torch.manual_seed(0)
    maker = getattr(transformers, f"{kind.config}Config")
    usual = {} if kind.config == "GPT2" else SIZES
    if kind.config in ("GPTNeoX", "Phi3", "Lfm2", "Phi", "Starcoder2"):
        usual = {name: value for name, value in usual.items() if name != "head_dim"}
    config = maker(**{**GIVEN, **usual, **kind.options})
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        model.get_input_embeddings().weight.mul_(kind.embeddings)
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(std=0.1)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json") if tokenizer else ():
        shutil.copy(tokenizer / name, folder / name)  # type: ignore[operator]
    return folder


def plain(folder: Path) -> Any:
    """The model as transformers loads it by itself, with eager attention."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()


def with_adapter(adapted: Any) -> Any:
    """Give both LoRA matrices weights, the same each time."""
    generator = torch.Generator().manual_seed(7)
    for _, parameter in sorted(adapted.named_parameters()):
        if parameter.requires_grad:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.1
    return adapted.eval()


def spec(family: ModelFamily, **fields: Any) -> Tune:
    """Tuning of all linear layers of a family."""
    return Tune.model_validate(
        {
            "target_modules": ",".join(family.targets),
            "epoch": 2,
            "learning_rate": 0.01,
            "lora_dropout": 0.1,
            "validation_split_ratio": 0.3,
            "per_device_train_batch_size": 2,
            "gradient_accumulation_steps": 1,
            "local": {"layout": "rows", "loss": "completion"},
            **fields,
        }
    )


def rows() -> list[Sample]:
    """Three rows of other lengths, the first tokens of which are not learnt."""
    generator = torch.Generator().manual_seed(3)
    found = []
    for length in (11, 6, 14):
        ids = torch.randint(3, VOCABULARY, (length,), generator=generator).tolist()
        found.append(Sample(ids, [IGNORED] * 3 + ids[3:]))
    return found


def gradients(adapted: Any, loss: torch.Tensor) -> list[torch.Tensor]:
    """Those of the trained weights, by their names' order."""
    trained = [p for _, p in sorted(adapted.named_parameters()) if p.requires_grad]
    return [
        torch.zeros_like(p) if g is None else g
        for p, g in zip(trained, torch.autograd.grad(loss, trained, allow_unused=True), strict=True)
    ]


def _row_by_row(model: Any) -> torch.Tensor:
    """The summed loss of transformers' logits, each row read alone."""
    summed = [
        cross_entropy(
            model(torch.tensor([row.ids])).logits[0, :-1],
            torch.tensor(row.labels[1:]),
            reduction="sum",
        )
        for row in rows()
    ]
    return torch.stack(summed).sum()


@dataclass(frozen=True)
class Losses:
    """How far a batch's loss and its gradients are from those of the rows one by one."""

    loss: float
    gradient: float
    again: float
    """The loss with activations computed twice."""


def losses(folder: Path) -> Losses:
    """Ours, of a batch, against transformers' and PEFT's, row by row."""
    from peft import LoraConfig, get_peft_model

    family = family_at(folder)
    tuned = spec(family, lora_dropout=0.0)
    config = LoraConfig(
        r=tuned.lora_r,
        lora_alpha=tuned.lora_alpha,
        target_modules=tuned.target_modules.split(","),
        fan_in_fan_out=family.name == "gpt2",
        task_type="CAUSAL_LM",
    )
    expected = with_adapter(get_peft_model(plain(folder), config))
    summed = _row_by_row(expected)
    adapted = with_adapter(lora.with_lora(plain(folder), tuned, family))
    batch = collate(rows(), segments=family.segments)
    found = lora.batch_loss(adapted, batch, family)
    both = zip(gradients(adapted, found), gradients(expected, summed), strict=True)
    apart = [
        (mine - theirs).abs().max() / theirs.abs().max().clamp(min=1e-6) for mine, theirs in both
    ]
    adapted.get_base_model().activation_checkpointing_enable({"use_reentrant": False})
    for module in adapted.train().modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # GPT-2's own
    again = lora.batch_loss(adapted, batch, family)
    return Losses(_apart(found, summed), float(max(apart)), _apart(again, summed))


def _apart(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).abs().detach() / expected.abs().detach())


PROMPTS = [
    *([1, *range(20, 37), *tail] for tail in ([40], [41, 42, 43], [44, 45])),
    [1, 9],
    [1, *[60, 61, 62, 63] * 4],
    [1, *range(100, 108)],
]
"""Some begin alike, one repeats itself, and most are longer than the windows."""


@dataclass(frozen=True)
class Texts:
    """What transformers writes after each prompt, and what ours does: batched, and one by one.

    ``loss`` is how far the engine's loss on the rows is from transformers', as a share.
    """

    expected: list[list[int]]
    batched: list[list[int]]
    single: list[list[int]]
    loss: float


def texts(folder: Path, tokenizer: Any) -> Texts:
    """Greedy answers of the base model."""
    model = plain(folder)
    expected = []
    for prompt in PROMPTS:
        ids = torch.tensor([prompt])
        output = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=LIMIT,
            do_sample=False,
            pad_token_id=0,
        )[0, len(prompt) :].tolist()
        expected.append(output[: output.index(END)] if END in output else output)
    engine = TorchEngine(load_base(folder, HARDWARE), tokenizer, family_at(folder), "")
    with torch.no_grad():
        nats = float(_row_by_row(model))
    measured = engine.loss([Row(row.ids, row.labels) for row in rows()]).nats
    asked = [Prompt(ids, "") for ids in PROMPTS]
    return Texts(
        expected,
        [c.ids for c in engine.complete(asked, limit=LIMIT, batch_size=4)],
        [engine.complete([prompt], limit=LIMIT)[0].ids for prompt in asked],
        abs(measured - nats) / nats,
    )


class Killed(Exception):
    """What ends a process, as far as training can tell."""


def samples(tokenizer: Any, tuned: Tune) -> Samples:
    """Rows of the tiny project."""
    names = ("instruction", "context", "response")
    data = [{name: row[name] for name in names} for row in record_rows()[:6]]
    return prepare(data, tuned, InstructFormat(TEMPLATE, tokenizer), 64)


def train(
    base: Path, folder: Path, tokenizer: Any, advance: Callable[[int, int], None] = lambda *_: None
) -> Path:
    """Tune into a folder, or go on there; the adapter's folder."""
    tuned = spec(family_at(base))
    tune(
        tuned,
        base,
        samples(tokenizer, tuned),
        seed=1,
        name="base",
        template_hash=TEMPLATE.hash,
        hardware=HARDWARE,
        folder=folder,
        advance=advance,
    )
    return folder / "adapter"


def resumed(base: Path, folder: Path, tokenizer: Any) -> bool:
    """Whether a run that was killed after its first epoch ends bitwise as one that was not."""
    whole = train(base, folder / "whole", tokenizer)

    def kill(step: int, total: int) -> None:
        if step == total // 2 + 1:
            raise Killed

    try:
        train(base, folder / "killed", tokenizer, kill)
        return False
    except Killed:
        again = train(base, folder / "killed", tokenizer)
    name = "adapter_model.safetensors"
    return (whole / name).read_bytes() == (again / name).read_bytes()


def exported(base: Path, adapter: Path, folder: Path, tokenizer: Any) -> float:
    """How far the exported model's logits, read by plain transformers, are from base + adapter."""
    from peft import PeftModel

    export(
        base,
        adapter,
        folder,
        dtype="float32",
        template_hash=TEMPLATE.hash,
        tokenizer=tokenizer,
        rows=PROMPTS[:1],
    )
    ids = torch.tensor([PROMPTS[0]])
    with torch.no_grad():
        merged = plain(folder)(ids).logits
        expected = PeftModel.from_pretrained(plain(base), str(adapter)).eval()(ids).logits
    return float((merged - expected).abs().max() / expected.abs().max())


def predicted(base: Path, tokenizer: Any) -> float:
    """Minutes of tuning, predicted."""
    tuned = spec(family_at(base))
    return predict(tuned, base, samples(tokenizer, tuned), seed=1, hardware=HARDWARE).minutes


def layout(family: ModelFamily) -> str:
    """How a family's rows are trained on and its prompts answered, for the table."""
    trained = "side by side" if family.segments else "padded"
    return f"{trained} | {'in batches' if family.together else 'one by one'}"


HEAD = [
    "| model | type | rows | answers | loss and gradients | text | resume | export |",
    "|---|---|---|---|---|---|---|---|",
]


def main(tokenizer_folder: Path) -> None:
    """Print the table."""
    from ragtune.models.load import load_tokenizer

    quiet_libraries()
    tokenizer = load_tokenizer(tokenizer_folder)
    print("\n".join(HEAD))
    for name, kind in KINDS.items():
        with tempfile.TemporaryDirectory() as scratch:
            base = write(kind, Path(scratch) / "base")
            family, work = family_at(base), Path(scratch)
            found, said = losses(base), texts(base, tokenizer)
            same = said.batched == said.single == said.expected
            bitwise = resumed(base, work, tokenizer)
            apart = exported(base, work / "whole" / "adapter", work / "merged", tokenizer)
            print(
                f"| {name} | `{family.name}` | {layout(family)} | {found.loss:.0e}, "
                f"{found.gradient:.0e} | {'equal' if same else 'DIFFERS'} | "
                f"{'bitwise' if bitwise else 'DIFFERS'} | {apart:.0e} |"
            )


if __name__ == "__main__":
    from ragtune.core.bundled import builtin_model

    main(builtin_model())
