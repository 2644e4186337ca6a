"""One question → its vector, without the import of sentence-transformers.

That import takes four seconds, more than everything else between a question and its answer. For
models of the plain kind (a transformer, the mean over its tokens, unit length) the few lines here
give the same vector; others are left to sentence-transformers.
"""

import json
from pathlib import Path
from typing import Any

from ragtune.models.hardware import Hardware

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
        from transformers import AutoModel, AutoTokenizer

        settings = _json(folder / "sentence_bert_config.json")
        self._longest = int(settings["max_seq_length"])
        self._lower = bool(settings.get("do_lower_case"))
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        self._model: Any = model.to(hardware.device).eval()
        self._device = hardware.device

    def embed(self, text: str) -> list[float]:
        """The vector of one text, of unit length."""
        import torch

        stripped = text.strip()
        features = self._tokenizer(
            stripped.lower() if self._lower else stripped,
            truncation=True,
            max_length=self._longest,
            return_tensors="pt",
        ).to(self._device)
        with torch.inference_mode():
            states = self._model(**features).last_hidden_state
            mask = features["attention_mask"].unsqueeze(-1).expand(states.size()).to(states.dtype)
            mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            unit = torch.nn.functional.normalize(mean, p=2, dim=1)
            # Twice, as it is where a model ends in it and unit vectors are asked for: same bits.
            (vector,) = torch.nn.functional.normalize(unit, p=2, dim=1)
        row: list[float] = vector.float().tolist()
        return row


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
