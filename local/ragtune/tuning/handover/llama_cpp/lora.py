"""A LoRA adapter as GGUF: what llama.cpp adds to a base model while it runs."""

import math
import re
from pathlib import Path
from typing import Any

from ragtune.core.errors import ModelError
from ragtune.tuning.handover.llama_cpp.architecture import (
    architecture_of,
    heads_of,
    library,
    names,
    to_neighbours,
)
from ragtune.tuning.handover.older import read

KEY = re.compile(r"base_model\.model\.(?P<name>.+)\.lora_(?P<side>[AB])\.weight")


def write_adapter(adapter: Path, config: Any, path: Path, *, name: str, base: str) -> None:
    """Write the adapter in a folder of PEFT's to ``path``, in 32 bits; ``config`` is its base's.

    Raises ModelError for an adapter that llama.cpp cannot apply.
    """
    from safetensors.numpy import load_file

    gguf, arch = library(), architecture_of(config)
    said = read(adapter / "adapter_config.json")
    if said.get("use_dora"):
        raise ModelError(f"{adapter}: llama.cpp has no DoRA; export the merged model: --gguf f16")
    # llama.cpp scales by alpha / rank, and rank-stabilised LoRA by alpha / sqrt(rank).
    alpha = said["lora_alpha"] * (math.sqrt(said["r"]) if said.get("use_rslora") else 1.0)
    theirs = names(arch, config.num_hidden_layers)
    writer = gguf.GGUFWriter(path, arch.name)
    try:
        writer.add_type("adapter")
        writer.add_name(name)
        writer.add_base_model_count(1)
        writer.add_base_model_name(0, base)
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", float(alpha))
        for key, values in sorted(load_file(adapter / "adapter_model.safetensors").items()):
            match = KEY.fullmatch(key)
            known = match and theirs(match["name"] + ".weight")
            if match is None or known is None:
                raise ModelError(f"{adapter}: llama.cpp has no place for the weight {key}")
            heads = heads_of(match["name"] + ".", config) if arch.neighbours else None
            plain = heads is None or match["side"] == "A"
            data = values if plain else to_neighbours(values, heads or 1)
            writer.add_tensor(f"{known}.lora_{match['side'].lower()}", data.astype("float32"))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()
