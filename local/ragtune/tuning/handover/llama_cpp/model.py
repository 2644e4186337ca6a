"""A model's weights, configuration and tokenizer as one GGUF file, and its weights read back."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ragtune.core.errors import ModelError
from ragtune.tuning.handover.llama_cpp.architecture import (
    Architecture,
    architecture_of,
    factors,
    head_size,
    heads_of,
    library,
    names,
    rope,
    to_halves,
    to_neighbours,
)
from ragtune.tuning.handover.llama_cpp.vocabulary import Vocabulary

KINDS = ("f16", "q8_0")
"""What the weights can be written in; vectors are always 32 bits, as llama.cpp wants them."""


@dataclass(frozen=True)
class About:
    """What a GGUF says beside its weights.

    ``ends`` are the tokens that end an answer, the model's own first: llama.cpp has room for three.
    ``special`` are the ids of ``bos``, ``unk`` and ``pad``. ``chat_template`` is Jinja.
    """

    name: str
    base: str
    licence: str
    ends: tuple[int, ...]
    special: dict[str, int]
    adds_bos: bool
    chat_template: str = ""


def write_model(
    model: Any, vocabulary: Vocabulary, about: About, path: Path, kind: str = "f16"
) -> None:
    """Write a model in fp32 to ``path``, its matrices as ``kind`` says.

    Raises ModelError for a model that llama.cpp would read otherwise, and for weights that 16 bits
    do not hold.
    """
    gguf, config = library(), model.config
    arch = architecture_of(config)
    writer = gguf.GGUFWriter(path, arch.name)
    try:
        _describe(writer, about, gguf.LlamaFileType["MOSTLY_" + kind.upper()])
        _configure(writer, config, len(vocabulary.tokens))
        _tokenize(writer, vocabulary, about)
        for name, weight in _named(model, arch):
            shaped = _in_order(name[0], weight, config, arch)
            data, dtype = _packed(name[0], shaped, kind)
            writer.add_tensor(name[1], data, raw_dtype=dtype)
        if (divisors := factors(config)) is not None:
            writer.add_tensor("rope_freqs.weight", divisors)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


@torch.no_grad()
def read_into(model: Any, path: Path) -> None:
    """Put the weights of a GGUF that was written of ``model`` into it, in fp32.

    Raises ModelError where it lacks one.
    """
    gguf, config = library(), model.config
    arch = architecture_of(config)
    found = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    for name, weight in _named(model, arch):
        tensor = found.get(name[1])
        if tensor is None:
            raise ModelError(f"{path}: {name[1]} is missing")
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        values = values.reshape(weight.shape)
        heads = heads_of(name[0], config) if arch.neighbours else None
        values = values if heads is None else to_halves(values, heads)
        weight.copy_(torch.from_numpy(values))


def _describe(writer: Any, about: About, file_type: int) -> None:
    writer.add_type("model")
    writer.add_name(about.name)
    if about.licence:
        writer.add_license(about.licence)
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, about.base)
    writer.add_file_type(int(file_type))
    writer.add_quantization_version(2)


def _configure(writer: Any, config: Any, size: int) -> None:
    gguf = library()
    writer.add_vocab_size(size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head_size(config))
    writer.add_value_length(head_size(config))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(head_size(config))
    said = rope(config)
    writer.add_rope_freq_base(float(said.get("rope_theta", 10000.0)))
    if said.get("rope_type") == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(float(said["factor"]))


def _tokenize(writer: Any, vocabulary: Vocabulary, about: About) -> None:
    writer.add_tokenizer_model(vocabulary.kind)
    writer.add_tokenizer_pre(vocabulary.cut)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    if vocabulary.merges:
        writer.add_token_merges(vocabulary.merges)
    if vocabulary.kind == "llama":
        writer.add_token_scores(vocabulary.scores)
        writer.add_add_space_prefix(vocabulary.adds_space)
    for name, number in about.special.items():
        getattr(writer, f"add_{name}_token_id")(number)
    for name, number in zip(("eos", "eot", "eom"), about.ends, strict=False):
        getattr(writer, f"add_{name}_token_id")(number)
    writer.add_add_bos_token(about.adds_bos)
    writer.add_add_eos_token(False)
    if about.chat_template:
        writer.add_chat_template(about.chat_template)


def _named(model: Any, arch: Architecture) -> Iterator[tuple[tuple[str, str], torch.Tensor]]:
    """Each weight with its name in transformers and in llama.cpp; a head that is tied is left out.

    Raises ModelError for a weight that llama.cpp has no place for.
    """
    theirs = names(arch, model.config.num_hidden_layers)
    embedding = model.get_input_embeddings().weight
    for name, weight in model.state_dict(keep_vars=True).items():
        if name == "lm_head.weight" and weight is embedding:
            continue
        known = theirs(name)
        if known is None:
            raise ModelError(f"GGUF: llama.cpp has no place for the weight {name}")
        yield (name, known), weight.detach()


def _in_order(name: str, weight: torch.Tensor, config: Any, arch: Architecture) -> Any:
    heads = heads_of(name, config) if arch.neighbours else None
    values = weight.float().cpu().numpy()
    return values if heads is None else to_neighbours(values, heads)


def _packed(name: str, values: Any, kind: str) -> tuple[Any, Any]:
    gguf = library()
    types = gguf.GGMLQuantizationType
    if values.ndim == 1:
        return values, types.F32
    if kind == "q8_0" and values.shape[-1] % 32 == 0:
        return gguf.quants.quantize(values, types.Q8_0), types.Q8_0
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    if not np.isfinite(half).all():
        raise ModelError(f"GGUF: {name} has values that 16 bits do not hold")
    return half, types.F16
