"""A tokenizer as GGUF holds it.

llama.cpp implements tokenizers itself: byte-level BPE, whose way of cutting a text before the
merges it knows by a name, and SentencePiece's. What ``tokenizer.json`` says must be one of those
exactly, or texts would become other tokens there without a word; anything else is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ragtune.core.errors import ModelError
from ragtune.tuning.handover.older import read

QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = QWEN2.replace(r"\p{N}|", r"\p{N}{1,3}|")
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""GGUF's kinds of tokens."""
SPACE = "\u2581"
"""What SentencePiece writes for a space."""
KNOWN = "byte-level BPE cut as by GPT-2, SmolLM, Llama 3 or Qwen2, and SentencePiece's BPE"


@dataclass(frozen=True)
class Vocabulary:
    """``kind`` is GGUF's `tokenizer.ggml.model`, ``cut`` its `tokenizer.ggml.pre`.

    ``scores`` are there for SentencePiece alone, ``merges`` for byte-level BPE alone.
    ``adds_space``: a space is put before a text; also, in llama.cpp, before one that begins with a
    space, where newer tokenizers leave it at that.
    """

    kind: str
    cut: str
    tokens: list[str]
    types: list[int]
    merges: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    adds_space: bool = False


def vocabulary_of(folder: Path, size: int) -> Vocabulary:
    """The tokenizer of a model's folder, filled up to ``size`` entries.

    Raises ModelError for one that llama.cpp does not know, or whose file is missing.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelError(f"{path}: missing; GGUF needs a fast tokenizer")
    said = read(path)
    model = said["model"]
    if model.get("type") != "BPE":
        raise ModelError(f"{path}: a tokenizer of type {model.get('type')}; allowed: {KNOWN}")
    tokens, types = _entries(model["vocab"], said.get("added_tokens", []), size)
    merges = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in model["merges"]]
    if model.get("byte_fallback"):
        adds_space = _adds_space(said)
        if adds_space is None or not _every_way(tokens, types, {*merges}):
            raise ModelError(_refusal(path))
        types = _pieces(tokens, types, model.get("unk_token"))
        return Vocabulary(
            "llama", "default", tokens, types, scores=_scores(tokens, merges), adds_space=adds_space
        )
    cut = _cut(said)
    if cut is None or model.get("ignore_merges", False) != (cut == "llama-bpe"):
        raise ModelError(_refusal(path))
    return Vocabulary("gpt2", cut, tokens, types, merges=[" ".join(pair) for pair in merges])


def _refusal(path: Path) -> str:
    return f"{path}: llama.cpp does not cut texts as this tokenizer does; allowed: {KNOWN}"


def _entries(
    vocabulary: Mapping[str, int], added: Sequence[Mapping[str, Any]], size: int
) -> tuple[list[str], list[int]]:
    names = {number: text for text, number in vocabulary.items()}
    kinds = dict.fromkeys(names, NORMAL)
    for token in added:
        names[token["id"]] = token["content"]
        kinds[token["id"]] = CONTROL if token["special"] else USER_DEFINED
    numbers = range(max(size, 1 + max(names)))
    return (
        [names.get(n, f"[PAD{n}]") for n in numbers],
        [kinds.get(n, UNUSED) for n in numbers],
    )


def _pieces(tokens: Sequence[str], types: Sequence[int], unknown: str | None) -> list[int]:
    """The kinds of SentencePiece's tokens: bytes are such, and the unknown token too."""
    found = list(types)
    for number, text in enumerate(tokens):
        if text == unknown:
            found[number] = UNKNOWN
        elif len(text) == 6 and text.startswith("<0x") and text.endswith(">"):
            found[number] = BYTE
    return found


def _scores(tokens: Sequence[str], merges: Sequence[tuple[str, ...]]) -> list[float]:
    """What SentencePiece orders merges by: the earlier a piece is made, the higher its score."""
    rank: dict[str, int] = {}
    for number, pair in enumerate(merges):
        rank.setdefault("".join(pair), number)
    return [-float(rank.get(text, len(merges))) if len(text) > 1 else 0.0 for text in tokens]


def _every_way(tokens: Sequence[str], types: Sequence[int], merges: set[tuple[str, ...]]) -> bool:
    """Whether each piece is made of any two pieces that spell it, as SentencePiece's are."""
    pieces = {text for text, kind in zip(tokens, types, strict=True) if kind == NORMAL}
    return all(
        (piece[:n], piece[n:]) in merges
        for piece in pieces
        for n in range(1, len(piece))
        if piece[:n] in pieces and piece[n:] in pieces
    )


def _parts(said: Any, name: str) -> list[Any]:
    """A normalizer or pre-tokenizer as a list of its steps."""
    if said is None:
        return []
    return list(said[name]) if said["type"] == "Sequence" else [said]


def _adds_space(said: Mapping[str, Any]) -> bool | None:
    """Whether SentencePiece's tokenizer puts a space before a text; None for other kinds."""
    steps = _parts(said.get("normalizer"), "normalizers")
    before = [s["prepend"] for s in steps if s["type"] == "Prepend"]
    spaces = [s["content"] for s in steps if s["type"] == "Replace" and _pattern(s) == " "]
    cuts = _parts(said.get("pre_tokenizer"), "pretokenizers")
    if len(before) + len(spaces) != len(steps) or len(cuts) > 1:
        return None
    if not cuts:
        return before == [SPACE] if spaces == [SPACE] and before in ([], [SPACE]) else None
    cut = cuts[0]
    if cut["type"] == "Metaspace" and not steps and cut.get("replacement") == SPACE:
        return bool(cut.get("prepend_scheme", "always") != "never") and not cut.get("split")
    if cut["type"] == "Split" and _pattern(cut) == " " and spaces == [SPACE]:
        return before == [SPACE]  # Gemma: the spaces are gone already, so nothing is cut
    return None


def _cut(said: Mapping[str, Any]) -> str | None:
    """llama.cpp's name for how a byte-level tokenizer cuts a text; None where it has none."""
    normal = [step["type"] for step in _parts(said.get("normalizer"), "normalizers")]
    steps = _parts(said.get("pre_tokenizer"), "pretokenizers")
    if not steps or steps[-1]["type"] != "ByteLevel" or steps[-1].get("add_prefix_space"):
        return None
    regex = steps[-1].get("use_regex", True)
    earlier = steps[:-1]
    if regex and not normal:
        if not earlier:
            return "gpt-2"
        if [(s["type"], s.get("individual_digits")) for s in earlier] == [("Digits", True)]:
            return "smollm"
    if not regex and [s["type"] for s in earlier] == ["Split"] and not earlier[0].get("invert"):
        found = _pattern(earlier[0])
        if found == LLAMA3 and not normal:
            return "llama-bpe"
        if found == QWEN2 and normal in ([], ["NFC"]):
            return "qwen2"
    return None


def _pattern(step: Mapping[str, Any]) -> Any:
    pattern = step.get("pattern", {})
    return pattern.get("Regex", pattern.get("String"))
