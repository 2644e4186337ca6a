"""Models, tokenizers and adapters as GGUF, read back, and read by llama.cpp where it is here."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from ragtune.core.errors import ModelError
from ragtune.models.load import load_tokenizer
from ragtune.tuning.handover.llama_cpp.architecture import (
    architecture_of,
    factors,
    to_halves,
    to_neighbours,
)
from ragtune.tuning.handover.llama_cpp.lora import write_adapter
from ragtune.tuning.handover.llama_cpp.model import About, read_into, write_model
from ragtune.tuning.handover.llama_cpp.vocabulary import LLAMA3, QWEN2, vocabulary_of
from tests.llama_cpp import serving

TEXT = "When does the harbour open? At 6:30, or 12 o'clock;\n\n  "
TEXT += "it's \u00a3120 \u2013 caf\u00e9 \u6e2f\u53e3!"
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
SHAPE = {
    "vocab_size": 320,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 256,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 2,
    "initializer_range": 0.2,
}
KINDS: dict[str, dict[str, Any]] = {
    "llama": {"model_type": "llama", "rope_theta": 100000.0, "tie_word_embeddings": True},
    "llama 3": {"model_type": "llama", "rope_parameters": LLAMA3_ROPE, "attention_bias": True},
    "mistral": {"model_type": "mistral", "sliding_window": None},
    "qwen2": {"model_type": "qwen2"},
    "qwen3": {"model_type": "qwen3", "tie_word_embeddings": True},
}


def model_of(kind: str) -> Any:
    """A model of random weights that 16 bits hold exactly."""
    settings = {**SHAPE, **KINDS[kind]}
    torch.manual_seed(0)
    config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(".bias"):
                weight.normal_(std=0.2)
            weight.copy_(weight.half().float())
    return model


@pytest.fixture
def write(tiny_llama: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write a model with the tiny tokenizer."""

    def go(model: Any, kind: str = "f16", folder: Path = tiny_llama) -> Path:
        made = vocabulary_of(folder, model.config.vocab_size)
        # Bytes that are no letters would be held back by the server until a letter is whole.
        tokens = [t if t.isascii() else f"w{n}" for n, t in enumerate(made.tokens)]
        vocabulary = replace(made, tokens=tokens, merges=made.merges[:1])
        about = About("ferry", "acme/boat", "mit", (1,), {"bos": 0, "pad": 2}, True, "{{ 'x' }}")
        path = tmp_path / f"model-{kind}.gguf"
        write_model(model, vocabulary, about, path, kind)
        return path

    return go


def fields(path: Path) -> dict[str, Any]:
    return {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()}


def test_a_gguf_has_the_names_shapes_and_settings_that_llama_cpp_reads(
    write: Callable[..., Path],
) -> None:
    model = model_of("llama 3")
    path = write(model)
    said = fields(path)
    assert said["general.architecture"] == "llama"
    assert (said["general.license"], said["general.base_model.0.name"]) == ("mit", "acme/boat")
    assert (said["llama.block_count"], said["llama.context_length"]) == (2, 256)
    assert (said["llama.attention.head_count"], said["llama.attention.head_count_kv"]) == (4, 2)
    assert (said["llama.rope.dimension_count"], said["llama.rope.freq_base"]) == (16, 10000.0)
    assert (said["tokenizer.ggml.model"], said["tokenizer.ggml.pre"]) == ("gpt2", "gpt-2")
    assert len(said["tokenizer.ggml.tokens"]) == 320
    assert said["tokenizer.ggml.token_type"][:4] == [3, 3, 3, 1]
    assert (said["tokenizer.ggml.eos_token_id"], said["tokenizer.ggml.add_bos_token"]) == (1, True)
    assert said["tokenizer.chat_template"] == "{{ 'x' }}"

    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    assert tensors["token_embd.weight"].shape.tolist() == [64, 320]
    assert tensors["blk.1.attn_k.weight"].shape.tolist() == [64, 32]
    assert tensors["blk.1.attn_k.weight"].tensor_type == gguf.GGMLQuantizationType.F16
    assert tensors["blk.1.attn_k.bias"].tensor_type == gguf.GGMLQuantizationType.F32
    assert tensors["output.weight"].shape.tolist() == [64, 320]
    divisors = tensors["rope_freqs.weight"].data
    assert (divisors[0], divisors[-1]) == (1.0, 8.0)
    plain = model.model.layers[0].self_attn.q_proj.weight.detach().numpy()
    turned = tensors["blk.0.attn_q.weight"].data
    assert (turned[1] == plain[8]).all()  # the second row is the first of the other half
    assert (turned == to_neighbours(plain, 4)).all()
    assert (to_halves(to_neighbours(plain, 4), 4) == plain).all()


def test_the_divisors_of_llama_3_are_those_of_transformers() -> None:
    config = model_of("llama 3").config
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")
    plain = 10000.0 ** (-np.arange(0, 16, 2) / 16)
    divisors = factors(config)
    assert divisors is not None
    np.testing.assert_allclose(plain / divisors, scaled.numpy(), rtol=1e-6)
    assert factors(model_of("llama").config) is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_written_is_read_back(kind: str, write: Callable[..., Path]) -> None:
    model = model_of(kind)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    path = write(model)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    read_into(model, path)
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())


def test_eight_bits_are_nearly_the_same(write: Callable[..., Path]) -> None:
    model = model_of("llama")
    before = model.model.layers[0].mlp.up_proj.weight.detach().clone()
    read_into(model, write(model, "q8_0"))
    change = (model.model.layers[0].mlp.up_proj.weight - before).abs().max()
    assert 0 < change < before.abs().max() / 200


@pytest.mark.parametrize("kind", KINDS)
def test_llama_cpp_says_the_same(kind: str, write: Callable[..., Path]) -> None:
    model, prompt = model_of(kind), [0, *range(10, 60)]
    with serving(write(model), context=256) as server:
        theirs = server.complete(prompt, 8, likeliest=5)
    with torch.no_grad():
        row = torch.tensor([[*prompt, *(step.id for step in theirs)]])
        ours = model(row).logits[0, len(prompt) - 1 :].log_softmax(-1)
    assert theirs
    for mine, step in zip(ours, theirs, strict=False):
        assert float(mine.max() - mine[step.id]) < 0.08  # its activations have 16 bits
        for token, chance in step.likeliest.items():
            assert abs(float(mine[token]) - chance) < 0.08


def lora_on(model: Any, folder: Path, **settings: Any) -> None:
    """Write an adapter of random weights on every linear layer."""
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", **settings)
    tuned = get_peft_model(model, config)
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if "lora_" in name:
                weight.normal_(std=0.2)
    tuned.save_pretrained(folder)
    tuned.unload()


@pytest.mark.parametrize("settings", [{}, {"use_rslora": True}])
def test_an_adapter_alone_does_on_the_base_what_the_merged_model_does(
    settings: dict[str, Any], write: Callable[..., Path], tmp_path: Path
) -> None:
    base = model_of("llama 3")
    lora_on(base, tmp_path / "adapter", **settings)
    path = tmp_path / "lora.gguf"
    write_adapter(tmp_path / "adapter", base.config, path, name="ferry", base="acme/boat")
    said = fields(path)
    kind = said["general.type"], said["adapter.type"], said["general.architecture"]
    assert kind == ("adapter", "lora", "llama")
    assert said["adapter.lora.alpha"] == (16.0 if settings else 8.0)
    tensors = {tensor.name: tensor.shape.tolist() for tensor in gguf.GGUFReader(path).tensors}
    assert tensors["blk.0.attn_q.weight.lora_a"] == [64, 4]
    assert tensors["blk.1.ffn_down.weight.lora_b"] == [4, 64]

    untuned, merged = write(base), PeftModel.from_pretrained(base, tmp_path / "adapter")
    prompt = [0, *range(10, 40)]
    with torch.no_grad():
        ours = merged(torch.tensor([prompt])).logits[0, -1].log_softmax(-1)
    with serving(untuned, context=256) as server:
        plain = server.complete(prompt, 1, likeliest=5)[0]
    with serving(untuned, lora=path, context=256) as server:
        tuned = server.complete(prompt, 1, likeliest=5)[0]
    assert all(abs(float(ours[i]) - chance) < 0.08 for i, chance in tuned.likeliest.items())
    assert plain.likeliest != tuned.likeliest


def test_an_adapter_that_llama_cpp_cannot_apply_is_refused(tmp_path: Path) -> None:
    base = model_of("llama")
    lora_on(base, tmp_path / "adapter", use_dora=True)
    with pytest.raises(ModelError, match=r"llama\.cpp has no DoRA; export the merged model"):
        write_adapter(tmp_path / "adapter", base.config, tmp_path / "x.gguf", name="a", base="b")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model_type": "gpt2"}, "a model of type gpt2; allowed: llama, mistral, qwen2, qwen3"),
        ({"model_type": "mistral", "sliding_window": 64}, "a model with a sliding window"),
        ({"model_type": "llama", "hidden_act": "gelu"}, "hidden_act gelu; allowed: silu"),
        (
            {
                "model_type": "llama",
                "rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4},
            },
            "rope_type dynamic; allowed: default, linear, llama3",
        ),
    ],
)
def test_a_model_that_llama_cpp_would_read_otherwise_is_refused(
    settings: dict[str, Any], said: str
) -> None:
    config = AutoConfig.for_model(**settings)
    with pytest.raises(ModelError, match=f"^GGUF: {said}"):
        architecture_of(config)


# ------------------------------------------------------------------------------------ tokenizers


def byte_level(kind: str) -> Tokenizer:
    steps: dict[str, list[Any]] = {
        "gpt-2": [pre_tokenizers.ByteLevel(add_prefix_space=False)],
        "smollm": [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ],
        "qwen2": [
            pre_tokenizers.Split(Regex(QWEN2), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ],
        "llama-bpe": [
            pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ],
    }
    made = Tokenizer(models.BPE(ignore_merges=kind == "llama-bpe"))
    made.pre_tokenizer = pre_tokenizers.Sequence(steps[kind])
    made.decoder = decoders.ByteLevel()
    if kind == "qwen2":
        made.normalizer = normalizers.NFC()
    return made


def sentencepiece(prepend: bool) -> Tokenizer:
    """As transformers makes one of SentencePiece's: each piece, by any pair that spells it."""
    words = [
        "\u2581the",
        "\u2581harbour",
        "\u2581open",
        "\u2581At",
        "\u2581it",
        "\u2581does",
        "hen",
    ]
    letters = sorted({*TEXT.replace(" ", "\u2581")} - {"\n", "\u6e2f", "\u53e3"})
    pieces = [word[:n] for word in words for n in range(2, len(word) + 1)]
    pieces = [*dict.fromkeys([*pieces, "or", "ou", "ar", "en"])]
    tokens = ["<unk>", "<s>", "</s>", *[f"<0x{n:02X}>" for n in range(256)], *pieces, *letters]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    merges = [
        (piece[:n], piece[n:])
        for piece in pieces
        for n in range(1, len(piece))
        if piece[:n] in vocabulary and piece[n:] in vocabulary
    ]
    made = Tokenizer(
        models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    if prepend:
        steps = [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
        made.normalizer = normalizers.Sequence(steps)
    else:
        made.pre_tokenizer = pre_tokenizers.Metaspace("\u2581", prepend_scheme="first", split=False)
    return made


def saved(made: Tokenizer, folder: Path) -> Any:
    PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>"
    ).save_pretrained(folder)
    return load_tokenizer(folder)


@pytest.mark.parametrize("kind", ["gpt-2", "smollm", "qwen2", "llama-bpe", "legacy", "metaspace"])
def test_llama_cpp_makes_the_same_tokens(
    kind: str, write: Callable[..., Path], tmp_path: Path
) -> None:
    if kind in ("legacy", "metaspace"):
        made = sentencepiece(kind == "legacy")
    else:
        made = byte_level(kind)
        special = ["<s>", "</s>"]
        made.train_from_iterator(
            [TEXT, "the harbour does open 12 120", "it's \u00a312", json.dumps(TEXT)],
            trainers.BpeTrainer(
                vocab_size=360,
                special_tokens=special,
                initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                show_progress=False,
            ),
        )
    tokenizer = saved(made, tmp_path / "tokenizer")
    vocabulary = vocabulary_of(tmp_path / "tokenizer", 320)
    assert vocabulary.cut == (kind if vocabulary.merges else "default")
    model = model_of("llama")
    model.resize_token_embeddings(len(vocabulary.tokens))
    bos = tokenizer.bos_token_id
    about = About("x", "y", "", (tokenizer.eos_token_id,), {"bos": bos}, True)
    write_model(model, vocabulary, about, tmp_path / "x.gguf")
    with serving(tmp_path / "x.gguf", context=256) as server:
        for text in (TEXT, "a  b\n\n1 23  \n", "the harbour</s> open", ""):
            ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
            assert server.tokens(text) == [bos, *ids], text


@pytest.mark.parametrize(
    "change",
    [
        {"normalizer": {"type": "Lowercase"}},
        {"pre_tokenizer": {"type": "Whitespace"}},
        {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}},
    ],
)
def test_a_tokenizer_that_llama_cpp_does_not_have_is_refused(
    change: dict[str, Any], tiny_llama: Path, tmp_path: Path
) -> None:
    said = json.loads((tiny_llama / "tokenizer.json").read_text())
    (tmp_path / "tokenizer.json").write_text(json.dumps({**said, **change}))
    with pytest.raises(ModelError, match=r"llama\.cpp does not cut texts as this tokenizer does"):
        vocabulary_of(tmp_path, 320)


def test_a_piece_that_is_made_in_one_way_only_is_refused(tmp_path: Path) -> None:
    made = sentencepiece(True)
    said = json.loads(made.to_str())
    said["model"]["merges"] = said["model"]["merges"][1:]
    (tmp_path / "tokenizer.json").write_text(json.dumps(said))
    with pytest.raises(ModelError, match="does not cut texts as this tokenizer does"):
        vocabulary_of(tmp_path, 320)
