"""Forgetting: what tuning did to a model on general text, which no record is about."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.core.errors import RecipeError
from ragtune.core.progress import Advance
from ragtune.models.engines.base import Engine, unwatched
from ragtune.prompts.base import Prompt, Row, Tokenizer

CONTINUED = 24
"""Paragraphs that are continued, spread evenly over the text."""
NEW_TOKENS = 16
"""Tokens that each continuation may have."""
BATCH = 8
SHORT = 512
"""Tokens up to which all beginnings are continued together, for a step costs little more."""

Paragraphs = Sequence[str]


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
    engine: Engine, tokenizer: Tokenizer, text: Paragraphs, advance: Advance = unwatched
) -> dict[str, float | int]:
    """The loss on every token of the paragraphs, each read alone.

    ``nats_per_token``, and ``bits_per_byte`` of their UTF-8, which models of different tokenizers
    can be compared by. A paragraph of more tokens than the engine's context is read in parts. Where
    the tokenizer has no BOS, the first token of a part is given and not counted.
    """
    limit = engine.context_length
    rows = [part for paragraph in text for part in _parts(tokenizer, paragraph, limit)]
    loss = engine.loss(rows, batch_size=BATCH, advance=advance)
    size = sum(len(p.encode()) for p in text)
    return {
        "nats_per_token": loss.mean,
        "bits_per_byte": loss.nats / math.log(2) / size,
        "tokens": loss.tokens,
        "bytes": size,
    }


def continuations(engine: Engine, tokenizer: Any, text: Paragraphs) -> list[list[int]]:
    """How a model goes on, greedily, after the first half of some of the paragraphs: token ids."""
    count = min(CONTINUED, len(text))
    chosen = [text[n * len(text) // count] for n in range(count)]
    begun = [_bos(tokenizer) + _ids(tokenizer, paragraph) for paragraph in chosen]
    most = engine.context_length - NEW_TOKENS
    halves = [ids[: max(1, min(len(ids) // 2, most))] for ids in begun]
    prompts = [Prompt(ids, tokenizer.decode(ids, skip_special_tokens=True)) for ids in halves]
    size = count if max(map(len, halves)) <= SHORT else BATCH
    done = engine.complete(prompts, limit=NEW_TOKENS, batch_size=size)
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


def _parts(tokenizer: Tokenizer, paragraph: str, limit: int) -> list[Row]:
    bos, ids = _bos(tokenizer), _ids(tokenizer, paragraph)
    step = limit - len(bos)
    parts = [bos + ids[start : start + step] for start in range(0, len(ids), step)]
    return [Row(part, part) for part in parts if len(part) > 1]


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def _bos(tokenizer: Tokenizer) -> list[int]:
    return [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
