"""Texts → vectors, each text in a computation of its own.

In bf16 a row's numbers depend on the shape of the product that it is in: in a batch of 64 the same
text had a cosine of 0.6951 with a question, where alone it had 0.6953. So an index that was updated
differed from one that was built. Here a text's shape follows from the text: on a CPU it is computed
alone, elsewhere in a batch of always `ROWS` rows, padded to a length that only it decides.

Alone is no slower on a CPU. On one busy core of a Zen 5 in bf16 a text of 100 to 180 words took 42
ms of processor time, one of 5 to 40 words 10; sentence-transformers in batches of 64 took 50 to 55
and 9 to 20. Many texts are dealt out to threads: cut among them operation by operation a text took
1.3 times the processor time, and as long as on one thread.

It is also without the import of sentence-transformers, which takes four seconds.
"""

import functools
import itertools
import json
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch

from ragtune.models.crew import Crew
from ragtune.models.hardware import Hardware
from ragtune.models.load import quiet_libraries
from ragtune.retrieval.bert import Bert, is_bert

if TYPE_CHECKING:
    from tokenizers import Tokenizer

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
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return False
    return kinds == PLAIN and modes == {"pooling_mode_mean_tokens"} and whole


class PlainEncoder(Protocol):
    """A plain embedder; `encoder` makes the one that suits the device."""

    dimension: int

    def tokens(self, text: str) -> list[int]:
        """The text in the embedder's own tokens, special ones left out."""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, of unit length, the same whatever it is embedded with."""


def encoder(folder: Path, hardware: Hardware) -> PlainEncoder:
    """The encoder of a plain embedder's folder."""
    config, settings = _json(folder / "config.json"), _json(folder / "sentence_bert_config.json")
    direct = hardware.device == "cpu" and (folder / "tokenizer.json").is_file() and is_bert(config)
    made: type[DirectEncoder | BatchEncoder] = DirectEncoder if direct else BatchEncoder
    return made(folder, hardware, int(settings["max_seq_length"]), _lower(settings))


class DirectEncoder:
    """A BERT on a CPU, without the import of transformers; each text alone."""

    def __init__(self, folder: Path, hardware: Hardware, longest: int, lower: bool) -> None:
        from tokenizers import Tokenizer

        config = _json(folder / "config.json")
        self.dimension = int(config["hidden_size"])
        self._lower, self._file = lower, str(folder / "tokenizer.json")
        self._cut = Tokenizer.from_file(self._file)
        self._cut.no_padding()
        self._cut.enable_truncation(longest)
        self._bert = Bert(folder, config, half=hardware.train_dtype == "bfloat16")

    @functools.cached_property
    def _whole(self) -> "Tokenizer":
        """Another one that cuts nothing, of use to whoever cuts texts into passages."""
        from tokenizers import Tokenizer

        tokenizer: Tokenizer = Tokenizer.from_file(self._file)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    def tokens(self, text: str) -> list[int]:
        """See `PlainEncoder`."""
        return list(self._whole.encode(text, add_special_tokens=False).ids)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """See `PlainEncoder`; each thread takes texts of its own."""
        asked = [text.strip() for text in texts]
        ids = [self._cut.encode(text.lower() if self._lower else text).ids for text in asked]
        found: list[list[float]] = [[]] * len(ids)

        over = threading.Event()

        def some(_: int, share: Sequence[int]) -> None:
            for number in share:
                if over.is_set():
                    return
                found[number] = self._vector(ids[number])

        with closing(Crew()) as crew:
            try:
                crew.each(some, crew.shares(range(len(ids)), lambda number: len(ids[number])))
            except BaseException:
                over.set()  # the threads are waited for
                raise
        return found

    def _vector(self, ids: list[int]) -> list[float]:
        with torch.inference_mode():
            mean = self._bert.encode(ids).float().mean(0)
            row: list[float] = torch.nn.functional.normalize(mean, p=2, dim=0).tolist()
        return row


class BatchEncoder:
    """A transformer of any kind, on any device."""

    def __init__(
        self, folder: Path, hardware: Hardware, longest: int, lower: bool, rows: int | None = None
    ) -> None:
        """``rows`` of a batch: by itself 1 on a CPU and `ROWS` elsewhere."""
        from transformers import AutoModel, AutoTokenizer

        quiet_libraries()
        self._longest, self._lower, self._device = longest, lower, hardware.device
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        self._model: Any = model.to(hardware.device).eval()
        self.dimension = int(self._model.config.hidden_size)
        self._rows = rows or (1 if hardware.device == "cpu" else ROWS)

    def tokens(self, text: str) -> list[int]:
        """See `PlainEncoder`."""
        return list(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """See `PlainEncoder`."""
        if not texts:
            return []
        encoded = self._tokenizer(
            [text.strip().lower() if self._lower else text.strip() for text in texts],
            truncation=True,
            max_length=self._longest,
        )
        rows = [{key: values[n] for key, values in encoded.items()} for n in range(len(texts))]
        order = sorted(range(len(rows)), key=lambda n: self._length(rows[n]))
        found: list[list[float]] = [[] for _ in rows]
        for _, alike in itertools.groupby(order, key=lambda n: self._length(rows[n])):
            for numbers in _batches(alike, self._rows):
                vectors = self._vectors([rows[n] for n in numbers])
                for n, vector in zip(numbers, vectors, strict=True):
                    found[n] = vector
        return found

    def _length(self, row: dict[str, list[int]]) -> int:
        """Tokens that a text takes in a batch."""
        tokens = len(row["input_ids"])
        return tokens if self._rows == 1 else min(-(-tokens // STEP) * STEP, self._longest)

    def _vectors(self, rows: list[dict[str, list[int]]]) -> list[list[float]]:
        filled = [*rows, *[rows[0]] * (self._rows - len(rows))]
        features = self._tokenizer.pad(
            filled, padding="max_length", max_length=self._length(rows[0]), return_tensors="pt"
        ).to(self._device)
        with torch.inference_mode():
            states = self._model(**features).last_hidden_state
            mask = features["attention_mask"].unsqueeze(-1).expand(states.size()).to(states.dtype)
            mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            vectors = torch.nn.functional.normalize(mean.float(), p=2, dim=1)
        found: list[list[float]] = vectors[: len(rows)].tolist()
        return found


def _lower(settings: dict[str, Any]) -> bool:
    return bool(settings.get("do_lower_case"))


def _batches(numbers: Iterable[int], size: int) -> Iterable[list[int]]:
    left = iter(numbers)
    while batch := list(itertools.islice(left, size)):
        yield batch


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
