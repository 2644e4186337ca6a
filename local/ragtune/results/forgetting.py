"""Forgetting: what tuning did to a model on general text, which no record is about."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ragtune.core.errors import RecipeError
from ragtune.models.engines.torch import Generator
from ragtune.results.heldout import batch_loss, collate
from ragtune.tuning.samples import Sample

CONTINUED = 24
"""Paragraphs that are continued, spread evenly over the text."""
NEW_TOKENS = 16
"""Tokens that each continuation may have."""
BATCH = 8

Paragraphs = Sequence[str]
Advance = Callable[[int, int], None]


def paragraphs(path: Path) -> list[str]:
    """The paragraphs of a plain UTF-8 text; empty lines stand between them.

    Raises RecipeError for a file that is missing, not UTF-8, or empty.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecipeError(
            f"study.general_text: {path}: {error.strerror}; name a text file, or `builtin`"
        ) from None
    except UnicodeDecodeError:
        raise RecipeError(f"study.general_text: {path}: not UTF-8; save it as UTF-8") from None
    found = [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]
    if not found:
        raise RecipeError(f"study.general_text: {path}: holds no text; name another file")
    return found


def text_loss(
    model: Any, tokenizer: Any, text: Paragraphs, limit: int, advance: Advance
) -> dict[str, float | int]:
    """The loss on every token of the paragraphs, each read alone.

    ``nats_per_token``, and ``bits_per_byte`` of their UTF-8, which models of different tokenizers
    can be compared by. A paragraph of more than ``limit`` tokens is read in parts. Where the
    tokenizer has no BOS, the first token of a part is given and not counted.
    """
    rows = sorted(
        (part for p in text for part in _parts(tokenizer, p, limit)), key=lambda s: -len(s.ids)
    )
    total, tokens = 0.0, 0
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        loss, count = batch_loss(model, collate(batch, tokenizer.pad_token_id))
        total, tokens = total + loss, tokens + count
        advance(min(start + BATCH, len(rows)), len(rows))
    size = sum(len(p.encode()) for p in text)
    return {
        "nats_per_token": total / tokens,
        "bits_per_byte": total / math.log(2) / size,
        "tokens": tokens,
        "bytes": size,
    }


def continuations(model: Any, tokenizer: Any, text: Paragraphs, limit: int) -> list[list[int]]:
    """How a model goes on, greedily, after the first half of some of the paragraphs: token ids."""
    count = min(CONTINUED, len(text))
    chosen = [text[n * len(text) // count] for n in range(count)]
    begun = [_bos(tokenizer) + _ids(tokenizer, paragraph) for paragraph in chosen]
    halves = [ids[: max(1, min(len(ids) // 2, limit - NEW_TOKENS))] for ids in begun]
    done = Generator(model, tokenizer, NEW_TOKENS).many(halves, BATCH)
    return [completion.ids for completion in done]


def compare(
    losses: Sequence[dict[str, float | int]], continued: Sequence[Sequence[list[int]]]
) -> dict[str, Any]:
    """Both losses and the share of continuations that are the same; base first, then tuned."""
    (base, tuned), (before, after) = losses, continued
    same = sum(a == b for a, b in zip(before, after, strict=True))
    return {
        "base": base,
        "tuned": tuned,
        "continuations": len(before),
        "unchanged": same / len(before),
    }


def _parts(tokenizer: Any, paragraph: str, limit: int) -> list[Sample]:
    bos, ids = _bos(tokenizer), _ids(tokenizer, paragraph)
    step = limit - len(bos)
    parts = [bos + ids[start : start + step] for start in range(0, len(ids), step)]
    return [Sample(part, part) for part in parts if len(part) > 1]


def _ids(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def _bos(tokenizer: Any) -> list[int]:
    return [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
