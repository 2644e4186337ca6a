"""First weights that a short training need not find for itself: what words mean, and copying.

* An entry of the vocabulary begins as all-MiniLM-L6-v2's embedding of the same word piece (Apache
  2.0, the embedder that ragtune installs), so that words of like meaning lie close together before
  the first step.
* Three heads of the first layer look one, two and three tokens back, and three of the second find
  the earlier place whose last token was the present one and bring forward what stood there: an
  induction head (Olsson et al. 2022, arXiv 2209.11895). Left to itself, such a model spends
  millions of tokens before it copies anything.

All embeddings share one direction. Queries and keys of the first kind read it alone, turned against
each other so that the rotary score is highest at the wanted distance; those of the second kind
compare contents in the slowest rotary pairs, which distance hardly turns.
"""

from __future__ import annotations

import math

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import normalize
from transformers import AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerBase

from ragtune.core.bundled import builtin_embedder

SPREAD = 0.06
"""Standard deviation of the first embeddings: MiniLM's own."""
NOISE = 0.2
"""Share of noise in the first embeddings, so that entries with one word piece differ."""
SHARED = 0.6
"""The part of an embedding of length 1 that lies in the direction common to all."""
DISTANCES = (1, 2, 3)
SHARPNESS = 6.0
"""By how much the wanted distance's score exceeds its neighbour's, in nats."""
LIKENESS = 12.0
"""About how much the score of equal contents exceeds that of others, in nats."""
STRENGTH = 2.0
"""Length of what is brought forward, in lengths of an embedding."""


def word_embeddings(tokenizer: PreTrainedTokenizerBase) -> Tensor:
    """MiniLM's embedding of every entry, `(entries, 384)`; of several pieces the mean."""
    folder = builtin_embedder()
    table = load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"].float()
    pieces = AutoTokenizer.from_pretrained(folder)
    known = pieces.get_vocab()
    rows = torch.empty(len(tokenizer), table.shape[1])
    for entry, number in tokenizer.get_vocab().items():
        word = entry.replace("Ġ", "").lower()
        whole = word if entry.startswith("Ġ") or f"##{word}" not in known else f"##{word}"
        ids = [known[whole]] if whole in known else pieces(word, add_special_tokens=False).input_ids
        rows[number] = table[ids or [known["[PAD]"]]].mean(0)
    return rows


def know_words(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, seed: int) -> Tensor:
    """Give the model MiniLM's embeddings; returns the direction that all of them share.

    Raises ValueError for a model of another width.
    """
    random = torch.Generator().manual_seed(seed)
    rows, weight = word_embeddings(tokenizer), model.get_input_embeddings().weight.data
    if weight.shape != rows.shape:
        raise ValueError(f"embeddings of width {rows.shape[1]} do not fit width {weight.shape[1]}")
    rows = (rows - rows.mean(0)) / rows.std() + NOISE * torch.randn(rows.shape, generator=random)
    shared = normalize(torch.randn(rows.shape[1], generator=random), dim=0)
    own = normalize(_without(rows, shared), dim=1)
    length = SPREAD * math.sqrt(rows.shape[1])
    weight.copy_(length * (math.sqrt(1 - SHARED**2) * own + SHARED * shared))
    return shared


def know_copying(model: LlamaForCausalLM, shared: Tensor, seed: int) -> None:
    """Make heads of the first two layers induction heads; the embeddings share `shared`.

    Head n of the second layer compares what stands n tokens back with what stands n + 1 tokens
    back of an earlier token, and brings that token forward.
    """
    random = torch.Generator().manual_seed(seed)
    config = model.config
    width, wide = config.hidden_size // config.num_attention_heads, config.hidden_size
    base = float(config.rope_parameters["rope_theta"])
    length = SPREAD * math.sqrt(wide)
    own = math.sqrt(1 - SHARED**2)
    first, second = (layer.self_attn for layer in model.model.layers[:2])
    read = _without(torch.randn(width, wide, generator=random) / math.sqrt(wide), shared)
    contents = [read]
    for head, distance in enumerate(DISTANCES):
        rows = slice(head * width, (head + 1) * width)
        query, key = _looking_back(distance, width, base)
        first.q_proj.weight.data[rows] = torch.outer(query, shared) / (SHARED * math.sqrt(wide))
        first.k_proj.weight.data[rows] = torch.outer(key, shared) / (SHARED * math.sqrt(wide))
        first.v_proj.weight.data[rows] = read
        write = torch.linalg.qr(torch.randn(wide, width, generator=random))[0]
        first.o_proj.weight.data[:, rows] = write * length / (math.sqrt(width) * own)
        contents.append(write.T / len(DISTANCES))
    slow = torch.arange(width // 2 * 5 // 8, width // 2)
    slow = torch.cat([slow, slow + width // 2])
    share = own / math.sqrt(1 + len(DISTANCES))
    size = math.sqrt(LIKENESS * math.sqrt(width) / (len(slow) * share**2))
    for head in range(len(DISTANCES)):
        rows = slice(head * width, (head + 1) * width)
        compared = (torch.arange(len(slow)) + 20 * head) % width
        for projection, content in (
            (second.q_proj, contents[head]),
            (second.k_proj, contents[head + 1]),
        ):
            weight = torch.zeros(width, wide)
            weight[slow] = size * content[compared]
            projection.weight.data[rows] = weight
        basis = torch.linalg.qr(torch.randn(wide, width, generator=random))[0].T
        basis = normalize(_without(basis, shared), dim=1)
        brought = share * math.sqrt(width * len(DISTANCES))
        second.v_proj.weight.data[rows] = basis
        second.o_proj.weight.data[:, rows] = basis.T * 2 * STRENGTH * length / brought


def _looking_back(distance: int, width: int, base: float) -> tuple[Tensor, Tensor]:
    """A query and a key, of `width` each, whose rotary score is highest `distance` tokens apart."""
    turns = base ** (-torch.arange(width // 2) / (width // 2))
    fast = (torch.arange(width // 2) < width // 4).float()
    size = math.sqrt(SHARPNESS * math.sqrt(width) / float((fast * (1 - turns.cos())).sum()))
    angle = turns * distance
    query = torch.cat([fast, torch.zeros_like(fast)])
    return size * query, size * torch.cat([fast * angle.cos(), fast * angle.sin()])


def _without(rows: Tensor, direction: Tensor) -> Tensor:
    """The rows less their part along the direction, which has length 1."""
    return rows - torch.outer(rows @ direction, direction)
