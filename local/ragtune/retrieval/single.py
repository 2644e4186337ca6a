"""One question → its vector, without the import of sentence-transformers.

That import takes four seconds, more than everything else between a question and its answer. For
models of the plain kind (a transformer, the mean over its tokens, unit length) the few lines here
give the same vector; others are left to sentence-transformers.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch

from ragtune.models.hardware import Hardware
from ragtune.retrieval.bert import Bert, is_bert

PLAIN = ("Transformer", "Pooling", "Normalize")


def is_plain(folder: Path) -> bool:
    """Whether an embedder in sentence-transformers' layout is of the plain kind."""
    try:
        modules = _json(folder / "modules.json")
        kinds = tuple(module["type"].rpartition(".")[2] for module in modules)
        pooling = _json(folder / modules[1]["path"] / "config.json")
        modes = {name for name, on in pooling.items() if name.startswith("pooling_mode_") and on}
        whole = "max_seq_length" in _json(folder / "sentence_bert_config.json")
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return False
    return kinds == PLAIN and modes == {"pooling_mode_mean_tokens"} and whole


class SingleEncoder:
    """The transformer of a plain embedder and its tokenizer."""

    def __init__(self, folder: Path, hardware: Hardware) -> None:
        settings = _json(folder / "sentence_bert_config.json")
        self._lower = bool(settings.get("do_lower_case"))
        longest, config = int(settings["max_seq_length"]), _json(folder / "config.json")
        self._states: Callable[[str], torch.Tensor]
        if hardware.device == "cpu" and is_bert(config) and (folder / "tokenizer.json").is_file():
            self._states = _direct(folder, config, longest)
        else:
            self._states = _by_transformers(folder, hardware, longest)

    def embed(self, text: str) -> list[float]:
        """The vector of one text, of unit length."""
        stripped = text.strip()
        with torch.inference_mode():
            mean = self._states(stripped.lower() if self._lower else stripped).mean(0)
            unit = torch.nn.functional.normalize(mean.float(), p=2, dim=0)
        row: list[float] = unit.tolist()
        return row


def _direct(folder: Path, config: dict[str, Any], longest: int) -> "Callable[[str], torch.Tensor]":
    """States of a text's tokens, (tokens, width), without the import of transformers."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    encoder = Bert(folder, config)
    return lambda text: encoder.encode(tokenizer.encode(text).ids)


def _by_transformers(
    folder: Path, hardware: Hardware, longest: int
) -> "Callable[[str], torch.Tensor]":
    """The same by transformers' modules, for other encoders and other devices."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    model = model.to(hardware.device).eval()

    def states(text: str) -> torch.Tensor:
        features = tokenizer(text, truncation=True, max_length=longest, return_tensors="pt")
        (found,) = model(**features.to(hardware.device)).last_hidden_state
        return cast(torch.Tensor, found)

    return states


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
