"""The checks of a model's files: what Bedrock's import would refuse, or read otherwise."""

from collections.abc import Callable
from typing import Any

from ragtune.core.errors import CloudError
from ragtune_cloud.bedrock import catalog
from ragtune_cloud.bedrock.model import Model
from ragtune_cloud.target import FAILED, OK, WARNING, Finding

AGAIN = "write it with `ragtune export RUN`"
FLOATS = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
"""Types of tensors that are imported, and what configurations call them."""
WITHOUT_ROPE = ("GPTBigCodeForCausalLM",)
"""Architectures that have learnt positions."""


def checks(model: Model) -> dict[str, Finding]:
    """Each check by its name; one that cannot be made fails alone."""
    ask: dict[str, Callable[[Model], Finding]] = {
        "weights": _weights,
        "architecture": _architecture,
        "size": _size,
        "precision": _precision,
        "configuration": _configuration,
        "context": _context,
        "tokenizer": _tokenizer,
        "end tokens": _ends,
    }
    found = {}
    for name, check in ask.items():
        try:
            found[name] = check(model)
        except CloudError as error:
            found[name] = Finding(FAILED, str(error))
    return found


def _weights(model: Model) -> Finding:
    if "adapter_config.json" in model.files.sizes:
        return Finding(FAILED, f"{model.files.place}: an adapter, not a merged model; {AGAIN}")
    found = model.weights
    return Finding(OK, f"{len(found.shapes)} tensors, {found.parameters} parameters, whole")


def _architecture(model: Model) -> Finding:
    known = catalog.importing()["architectures"]
    if model.architecture not in known:
        return Finding(
            FAILED,
            f"{model.architecture or 'none named in config.json'}: Bedrock imports no such model; "
            f"allowed: {', '.join(known)}",
        )
    if "auto_map" in model.config:
        return Finding(FAILED, "auto_map: code beside the weights is not imported; take it out")
    return Finding(OK, f"{model.architecture}, {known[model.architecture]}")


def _size(model: Model) -> Finding:
    most = int(catalog.importing()["max_bytes"])
    size = sum(model.files.sizes.values())
    if size >= most:
        return Finding(
            FAILED, f"{size / 1e9:.1f} GB; allowed: under {most / 1e9:.0f} GB; a smaller model"
        )
    return Finding(OK, f"{size / 1e9:.3f} GB of {most / 1e9:.0f}")


def _precision(model: Model) -> Finding:
    if "quantization_config" in model.config:
        return Finding(FAILED, f"quantized weights are not imported; {AGAIN}")
    if others := sorted(set(model.weights.kinds) - FLOATS.keys()):
        return Finding(
            FAILED, f"{', '.join(others)}; allowed: {', '.join(FLOATS.values())}; {AGAIN}"
        )
    named = model.config.get("torch_dtype")
    reader = catalog.importing()["read_by"]
    if named is None:
        return Finding(
            FAILED, f"config.json has no torch_dtype, which {reader} goes by, only dtype; {AGAIN}"
        )
    kinds = [FLOATS[kind] for kind in model.weights.kinds]
    if named not in kinds:
        return Finding(
            WARNING, f"the weights are {' and '.join(kinds)}, and read as {named} (torch_dtype)"
        )
    return Finding(OK, str(named))


def _configuration(model: Model) -> Finding:
    config, reader = model.config, catalog.importing()["read_by"]
    if model.architecture not in WITHOUT_ROPE:
        missing = [name for name in ("rope_theta", "rope_scaling") if name not in config]
        newer = config.get("rope_parameters")
        told = "rope_parameters alone is not read" if newer else "a default would be taken"
        if missing == ["rope_scaling"] and not newer:
            missing = []  # written by an older version: nothing is scaled
        if missing:
            return Finding(
                FAILED,
                f"config.json has no {' and no '.join(missing)}, which {reader} goes by; {told}; "
                f"{AGAIN}",
            )
        if isinstance(newer, dict) and (other := _disagreement(config, newer)):
            return Finding(FAILED, f"{other}; {AGAIN}")
    rows = _embedding_rows(model)
    if rows is not None and rows != config.get("vocab_size"):
        return Finding(
            FAILED,
            f"config.json: vocab_size is {config.get('vocab_size')}, the embedding has {rows} "
            f"rows; {AGAIN}",
        )
    return Finding(OK, f"as {reader} reads it")


def _disagreement(config: Any, newer: dict[str, Any]) -> str:
    """Where the older and the newer names say different things."""
    theta = newer.get("rope_theta", config.get("rope_theta"))
    if theta != config.get("rope_theta"):
        return f"config.json: rope_theta is {config.get('rope_theta')}, in rope_parameters {theta}"
    scaling = config.get("rope_scaling") or {}
    kind = newer.get("rope_type", "default")
    if (kind != "default") != bool(scaling) or scaling.get("factor") != newer.get("factor"):
        return "config.json: rope_scaling and rope_parameters scale differently"
    return ""


def _embedding_rows(model: Model) -> int | None:
    for name, shape in model.weights.shapes.items():
        if name.endswith(("embed_tokens.weight", "wte.weight")):
            return shape[0]
    return None


def _context(model: Model) -> Finding:
    most = int(catalog.importing()["max_context"])
    reads = model.context
    if reads is None:
        return Finding(FAILED, f"config.json has no max_position_embeddings; {AGAIN}")
    if reads > most:
        return Finding(
            FAILED,
            f"max_position_embeddings is {reads}; allowed: up to {most}; a smaller one in "
            "config.json",
        )
    return Finding(OK, f"{reads} tokens")


def _tokenizer(model: Model) -> Finding:
    sizes = model.files.sizes
    if missing := [n for n in ("tokenizer.json", "tokenizer_config.json") if n not in sizes]:
        return Finding(FAILED, f"{' and '.join(missing)} missing; {AGAIN}")
    reader, config = catalog.importing()["read_by"], model.tokenizer_config
    name = str(config.get("tokenizer_class", ""))
    if not name.removesuffix("Fast").endswith("Tokenizer"):
        return Finding(
            FAILED,
            f"tokenizer_class {name or 'is missing'}: {reader} has no such class; {AGAIN}",
        )
    extra = config.get("extra_special_tokens")
    if extra is not None and not isinstance(extra, dict):
        return Finding(FAILED, f"extra_special_tokens is a list, which {reader} refuses; {AGAIN}")
    most = _last_token(model)
    if most >= int(model.config.get("vocab_size", 0)):
        return Finding(
            FAILED,
            f"tokenizer.json has a token {most}, the model {model.config.get('vocab_size')} of "
            "them; it is another model's tokenizer",
        )
    return Finding(OK, f"{name}, {most + 1} tokens")


def _last_token(model: Model) -> int:
    content = model.json("tokenizer.json")
    try:
        vocabulary = content["model"]["vocab"]
        known = vocabulary.values() if isinstance(vocabulary, dict) else range(len(vocabulary))
        added = [int(token["id"]) for token in content.get("added_tokens") or ()]
        return max([*map(int, known), *added])
    except (KeyError, TypeError, ValueError):
        raise CloudError(f"tokenizer.json is not a tokenizer's; {AGAIN}") from None


def _ends(model: Model) -> Finding:
    """Answers end by what ``generation_config.json`` names, or ``config.json``."""
    generation = {}
    if "generation_config.json" in model.files.sizes:
        generation = dict(model.json("generation_config.json"))
    named = generation.get("eos_token_id", model.config.get("eos_token_id"))
    ends = named if isinstance(named, list) else [named]
    if not all(isinstance(end, int) for end in ends):
        return Finding(FAILED, f"no eos_token_id in config.json: answers would not end; {AGAIN}")
    if generation.get("do_sample"):
        return Finding(
            WARNING, "generation_config.json samples; each request says temperature 0 all the same"
        )
    return Finding(OK, f"{', '.join(map(str, ends))}, and the prompt's own with each request")
