"""Texts → vectors, each text in a computation of its own.

In bf16 a row's numbers depend on the shape of the product that it is in: in a batch of 64 the same
text had a cosine of 0.6951 with a question, where alone it had 0.6953. So an index that was updated
differed from one that was built. Here a text's shape follows from the text: on a CPU it is computed
alone, elsewhere in a batch of always `ROWS` rows, padded to a length that only it decides.

Alone is no slower on a CPU. On one core of a Zen 5 in bf16 a text of 100 to 180 words took 42 ms,
one of 5 to 40 words 11 ms; sentence-transformers in batches of 64 took 50 and 9 ms.

It is also without the import of sentence-transformers, which takes four seconds.
"""

import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ragtune.models.hardware import Hardware

PLAIN = ("Transformer", "Pooling", "Normalize")
ROWS = 32
"""Rows of a batch where many are computed at once, texts or not."""
STEP = 32
"""Tokens that a text's length is rounded up to there."""


def is_plain(folder: Path) -> bool:
    """Whether an embedder in sentence-transformers' layout is of the plain kind.

    That is a transformer, the mean over its tokens, and unit length.
    """
    try:
        modules = _json(folder / "modules.json")
        kinds = tuple(module["type"].rpartition(".")[2] for module in modules)
        pooling = _json(folder / modules[1]["path"] / "config.json")
        modes = {name for name, on in pooling.items() if name.startswith("pooling_mode_") and on}
        whole = "max_seq_length" in _json(folder / "sentence_bert_config.json")
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return False
    return kinds == PLAIN and modes == {"pooling_mode_mean_tokens"} and whole


class PlainEncoder:
    """The transformer of a plain embedder and its tokenizer."""

    def __init__(self, folder: Path, hardware: Hardware, rows: int | None = None) -> None:
        """``rows`` of a batch: by itself 1 on a CPU and `ROWS` elsewhere."""
        from transformers import AutoModel, AutoTokenizer

        settings = _json(folder / "sentence_bert_config.json")
        self._longest = int(settings["max_seq_length"])
        self._lower = bool(settings.get("do_lower_case"))
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        self._model: Any = model.to(hardware.device).eval()
        self._device = hardware.device
        self._rows = rows or (1 if hardware.device == "cpu" else ROWS)
        if hardware.device == "cpu":
            _pack(self._model, half=hardware.train_dtype == "bfloat16")

    @property
    def dimension(self) -> int:
        """Numbers a vector."""
        return int(self._model.config.hidden_size)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, of unit length, the same whatever it is embedded with."""
        if not texts:
            return []
        encoded = self.tokenizer(
            [text.strip().lower() if self._lower else text.strip() for text in texts],
            truncation=True,
            max_length=self._longest,
        )
        rows = [{key: values[n] for key, values in encoded.items()} for n in range(len(texts))]
        order = sorted(range(len(rows)), key=lambda n: self._length(rows[n]))
        found: list[list[float]] = [[] for _ in rows]
        for _, alike in itertools.groupby(order, key=lambda n: self._length(rows[n])):
            for numbers in _batches(alike, self._rows):
                for n, vector in zip(
                    numbers, self._vectors([rows[n] for n in numbers]), strict=True
                ):
                    found[n] = vector
        return found

    def _length(self, row: dict[str, list[int]]) -> int:
        """Tokens that a text takes in a batch."""
        tokens = len(row["input_ids"])
        return tokens if self._rows == 1 else min(-(-tokens // STEP) * STEP, self._longest)

    def _vectors(self, rows: list[dict[str, list[int]]]) -> list[list[float]]:
        import torch

        filled = [*rows, *[rows[0]] * (self._rows - len(rows))]
        features = self.tokenizer.pad(
            filled, padding="max_length", max_length=self._length(rows[0]), return_tensors="pt"
        ).to(self._device)
        with torch.inference_mode():
            states = self._model(**features).last_hidden_state
            mask = features["attention_mask"].unsqueeze(-1).expand(states.size()).to(states.dtype)
            mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            unit = torch.nn.functional.normalize(mean, p=2, dim=1)
            # Twice, as it is where a model ends in it and unit vectors are asked for: same bits.
            vectors = torch.nn.functional.normalize(unit, p=2, dim=1)
        found: list[list[float]] = vectors[: len(rows)].float().tolist()
        return found


def _pack(model: Any, *, half: bool) -> None:
    """Put the weights into a CPU's order, in bf16 where products are computed in it."""
    import torch

    from ragtune.models.engines.packed import PackedLinear, pack

    class HalfLinear(PackedLinear):
        """A product in bf16, whatever the precision of what it is given: as in autocast."""

        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return super().forward(input.to(torch.bfloat16))

    layers: Any = [layer for layer in model.modules() if type(layer) is torch.nn.Linear]
    for layer in layers if half else ():
        layer.to(torch.bfloat16)
    pack(model)
    for layer in layers if half else ():
        if type(layer) is PackedLinear:
            layer.__class__ = HalfLinear


def _batches(numbers: Iterable[int], size: int) -> Iterable[list[int]]:
    left = iter(numbers)
    while batch := list(itertools.islice(left, size)):
        yield batch


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
