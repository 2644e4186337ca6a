from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import LlamaForCausalLM

from scripts.pretrain.reader import answers_loss, lengths


@pytest.fixture
def model(tiny_llama: Path) -> PeftModel:
    """A tiny Llama with a fresh adapter."""
    base = LlamaForCausalLM.from_pretrained(tiny_llama)
    return get_peft_model(base, LoraConfig(r=2, task_type="CAUSAL_LM"))


def test_samples_are_found_by_their_first_token() -> None:
    assert lengths(torch.tensor([1, 5, 6, 1, 1, 7]), 1) == [3, 1, 2]


def test_a_sample_costs_the_same_whatever_stands_beside_it(model: PeftModel) -> None:
    bos = model.config.bos_token_id
    loss = answers_loss(model)
    sample = torch.tensor([[bos, 5, 6, 7, 8]])
    targets, weights = sample.roll(-1), torch.tensor([[0.0, 0.25, 4.0, 4.0, 0.0]])
    _, alone = loss(sample, targets, weights)
    other = torch.tensor([[bos, 9, 10]])
    _, beside = loss(
        torch.cat([other, sample], 1),
        torch.cat([other.roll(-1), targets], 1),
        torch.cat([torch.tensor([[0.25, 4.0, 0.0]]), weights], 1),
    )
    assert (alone > 0).tolist() == [False, False, True, True, False]
    torch.testing.assert_close(beside[3:], alone, rtol=2e-2, atol=2e-2)
    assert beside[1] > 0


def test_only_the_adapter_learns(model: PeftModel) -> None:
    sample = torch.tensor([[model.config.bos_token_id, 5, 6, 7]])
    mean, _ = answers_loss(model)(sample, sample.roll(-1), torch.full((1, 4), 4.0))
    torch.autograd.backward(mean)
    learning = {name for name, one in model.named_parameters() if one.grad is not None}
    assert learning
    assert all("lora_" in name for name in learning)
