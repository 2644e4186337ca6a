"""A decoder computed directly gives what transformers' modules give."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ragtune.core.errors import ModelError
from ragtune.models.direct.decoder import Decoder
from ragtune.models.direct.shape import Shape
from ragtune.models.direct.weights import read
from ragtune.models.engines.direct import DirectEngine
from ragtune.models.engines.groups import batches
from ragtune.models.folder import read_config

COMMON: dict[str, Any] = {
    "vocab_size": 211,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "initializer_range": 0.3,
    "eos_token_id": 2,
    "bos_token_id": 1,
}
STRETCHED = {
    "rope_type": "llama3",
    "rope_theta": 5000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "tied": ("llama", {"tie_word_embeddings": True}),
    "biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "wide heads": ("llama", {"head_dim": 16}),
    "every head its own keys": ("llama", {"num_key_value_heads": 6}),
    "linear": (
        "llama",
        {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 900.0}},
    ),
    "llama 3.1": ("llama", {"rope_parameters": STRETCHED}),
    "qwen2": ("qwen2", {}),
    "qwen3": ("qwen3", {"head_dim": 16}),
    "mistral": ("mistral", {"sliding_window": None}),
}
PROMPTS = [
    [1, *((7 * n + 13 * k) % 200 + 3 for k in range(length))]
    for n, length in enumerate([5, 40, 17, 1, 33, 90, 12, 12])
]


def made(kind: str, folder: Path) -> Any:
    """A model of transformers with random weights, which it saves into ``folder``."""
    from transformers import AutoConfig, AutoModelForCausalLM

    name, own = KINDS[kind]
    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(name, **{**COMMON, **own}))
    for parameter in model.parameters():  # so that norms and biases decide something
        if parameter.dim() == 1:
            parameter.data += 0.2 * torch.randn_like(parameter)
    model.eval().save_pretrained(folder)
    return model


def direct(folder: Path, dtype: torch.dtype = torch.float32) -> Decoder:
    shape = Shape.of(read_config(folder))
    assert shape is not None
    tensors = read(folder, shape, dtype)
    assert tensors is not None
    return Decoder(shape, tensors)


@pytest.mark.parametrize("kind", KINDS)
def test_logits_are_those_of_transformers(kind: str, tmp_path: Path) -> None:
    model, rows = made(kind, tmp_path), [PROMPTS[1], PROMPTS[5], PROMPTS[3]]
    decoder = direct(tmp_path)
    found = torch.split(decoder.logits(decoder.read(rows)), [len(row) for row in rows])
    for row, logits in zip(rows, found, strict=True):
        with torch.no_grad():
            expected = model(torch.tensor([row])).logits[0]
        torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


def test_tied_weights_are_found_under_either_name(tmp_path: Path) -> None:
    made("tied", tmp_path)
    path = tmp_path / "model.safetensors"
    whole = load_file(path)
    expected = direct(tmp_path).read([PROMPTS[1]])
    whole["lm_head.weight"] = whole.pop("model.embed_tokens.weight")
    save_file(whole, path)
    assert torch.equal(direct(tmp_path).read([PROMPTS[1]]), expected)


@pytest.mark.parametrize("kind", ["llama", "qwen3"])
def test_what_is_read_in_parts_is_read_as_a_whole(kind: str, tmp_path: Path) -> None:
    made(kind, tmp_path)
    decoder, rows = direct(tmp_path), [PROMPTS[1], PROMPTS[5], PROMPTS[4]]
    whole = decoder.read(rows)
    cache = decoder.cache(3)
    cuts = [(0, 11, 30), (0, 20, 28), (0, 1, 2)]  # then parts of many tokens and of few
    parts: list[list[torch.Tensor]] = [[], [], []]
    for n in range(3):
        texts = [
            row[cut[n] : ([*cut[1:], len(row)])[n]] for row, cut in zip(rows, cuts, strict=True)
        ]
        hidden = torch.split(decoder.read(texts, cache), [len(text) for text in texts])
        for kept, new in zip(parts, hidden, strict=True):
            kept.append(new)
    found = torch.cat([torch.cat(kept) for kept in parts])
    torch.testing.assert_close(found, whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [1, 3, 8])
def test_answers_of_a_batch_are_plain_greedy_ones(size: int, tmp_path: Path) -> None:
    """The pairs that begin alike, and a text that repeats, which is given drafts."""
    model = made("llama", tmp_path)
    alike = [PROMPTS[1] + [9, 8], PROMPTS[1] + [4], [5, 6, 7, 8] * 6, PROMPTS[1] + [9, 8]]
    prompts = PROMPTS + alike
    engine = DirectEngine(direct(tmp_path), tokenizer=None, ends=frozenset({2}), fingerprint="")
    for groups in batches(prompts, size):
        *_, rows = engine.decode(prompts, groups, 12, frozenset({2}))
        places = [n for group in groups for n in group.places]
        for place, row in zip(places, rows, strict=True):
            assert row == greedy(model, prompts[place])


def greedy(model: Any, prompt: list[int]) -> list[int]:
    output = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=12,
        do_sample=False,
        pad_token_id=0,
    )
    ids: list[int] = output[0, len(prompt) :].tolist()
    return ids[: ids.index(2)] if 2 in ids else ids


@pytest.mark.parametrize(
    "said",
    [
        {"model_type": "gemma"},
        {"sliding_window": 64},
        {"hidden_act": "gelu"},
        {"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 1e4}},
        {"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}},
        {"logit_scale": 0.5},
        {"quantization_config": {"quant_method": "bitsandbytes"}},
        {"num_hidden_layers": None},
    ],
)
def test_a_configuration_that_says_more_is_left_to_transformers(said: dict[str, Any]) -> None:
    from transformers import LlamaConfig

    plain = json.loads(LlamaConfig(**COMMON).to_json_string(use_diff=False))
    kept = {key: value for key, value in plain.items() if value not in (None, False, {}, [])}
    known = {
        key: value for key, value in kept.items() if not key.startswith(("chunk", "id2", "lab"))
    }
    known.pop("problem_type", None)
    assert Shape.of({**known, "tie_word_embeddings": False}) is not None
    assert Shape.of({**known, **said}) is None


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    made("llama", tmp_path)
    shape, path = Shape.of(read_config(tmp_path)), tmp_path / "model.safetensors"
    assert shape is not None
    whole = load_file(path)
    without = {name: value for name, value in whole.items() if "layers.1.mlp" not in name}
    save_file(without, path)
    with pytest.raises(ModelError, match=r"lack model.layers.1.mlp.down_proj.weight and 2 other"):
        read(tmp_path, shape, torch.float32)
    save_file({**whole, "model.norm.weight": torch.ones(3)}, path)
    with pytest.raises(ModelError, match=r"norm.weight is \[3\], by config.json it is \[48\]"):
        read(tmp_path, shape, torch.float32)
    save_file({**whole, "model.layers.0.mlp.experts": torch.ones(3)}, path)
    assert read(tmp_path, shape, torch.float32) is None
