import pytest
import torch
from torch.nn.functional import cosine_similarity
from transformers import AutoTokenizer, LlamaForCausalLM

from ragtune.core.bundled import builtin_model
from scripts.pretrain.initial import DISTANCES, know_copying, know_words
from scripts.pretrain.model import build

LIST = "green apples at a market while old wooden boats near some harbour sold for forty crowns"


@pytest.fixture(scope="module")
def tokenizer() -> AutoTokenizer:
    return AutoTokenizer.from_pretrained(builtin_model())


@pytest.fixture(scope="module")
def model(tokenizer: AutoTokenizer) -> LlamaForCausalLM:
    """Not trained at all."""
    made = build(tokenizer, 1, num_hidden_layers=2)
    know_copying(made, know_words(made, tokenizer, 1), 1)
    made.config._attn_implementation = "eager"
    return made.eval()


def test_words_of_like_meaning_begin_close_together(
    model: LlamaForCausalLM, tokenizer: AutoTokenizer
) -> None:
    table = model.get_input_embeddings().weight.detach()
    own = table - table.mean(0)

    def alike(one: str, other: str) -> float:
        rows = tokenizer.convert_tokens_to_ids([f"Ġ{one}", f"Ġ{other}"])
        return float(cosine_similarity(own[rows[0]], own[rows[1]], dim=0))

    assert alike("price", "cost") > alike("price", "river") + 0.2
    assert alike("Monday", "Friday") > alike("Monday", "price") + 0.2


def test_heads_of_the_first_layer_look_back_their_distance(
    model: LlamaForCausalLM, tokenizer: AutoTokenizer
) -> None:
    ids = tokenizer(LIST, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        first = model(ids, output_attentions=True).attentions[0][0]
    for head, distance in enumerate(DISTANCES):
        seen = first[head].diagonal(-distance)[5:]
        assert float(seen.mean()) > 0.9


def test_a_repeated_text_is_likelier_the_second_time_with_no_training(
    model: LlamaForCausalLM, tokenizer: AutoTokenizer
) -> None:
    gains = []
    words = LIST.split()
    for start in range(0, len(words), 3):
        text = " ".join(words[start:] + words[:start])
        ids = tokenizer(f"{text}\n{text}", return_tensors="pt")["input_ids"]
        with torch.no_grad():
            logits = model(ids).logits[0, :-1]
        each = torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="none")
        half = len(each) // 2
        gains.append(float(each[:half].mean() - each[half + 2 :].mean()))
    assert min(gains) > 0.3
    assert sum(gains) / len(gains) > 1.0


def test_a_model_of_another_width_is_refused(tokenizer: AutoTokenizer) -> None:
    small = build(tokenizer, 1, hidden_size=32, num_attention_heads=2, num_hidden_layers=1)
    with pytest.raises(ValueError, match="width 384 do not fit width 32"):
        know_words(small, tokenizer, 1)
