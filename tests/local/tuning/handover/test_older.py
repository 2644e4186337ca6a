"""What transformers 4, vLLM and Bedrock find in an exported folder, without any of them here."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig

from ragtune.models.load import load_tokenizer
from ragtune.tuning.handover.older import older_config, older_tokenizer, rewrite


def as_transformers_4(config: dict[str, Any]) -> tuple[float, Any]:
    """Theta and scaling as `LlamaConfig` of transformers 4.51 reads them."""
    return config.get("rope_theta", 10000.0), config.get("rope_scaling")


@pytest.fixture
def exported(tiny_llama: Path, tmp_path: Path) -> Path:
    """The tiny model with SmolLM2's theta, as transformers 5 writes it and then rewritten."""
    config = AutoConfig.from_pretrained(tiny_llama)
    config.rope_parameters = {"rope_type": "default", "rope_theta": 100000.0}
    torch.manual_seed(0)
    folder = tmp_path / "exported"
    AutoModelForCausalLM.from_config(config).to(torch.bfloat16).save_pretrained(folder)
    load_tokenizer(tiny_llama).save_pretrained(folder)
    assert as_transformers_4(json.loads((folder / "config.json").read_text()))[0] == 10000.0
    rewrite(folder, ties=True, stops=(1, 2), chat_template="{{ messages[0]['content'] }}")
    return folder


def test_theta_is_where_transformers_4_looks_for_it(exported: Path) -> None:
    config = json.loads((exported / "config.json").read_text())
    assert as_transformers_4(config) == (100000.0, None)
    assert (config["torch_dtype"], config["tie_word_embeddings"]) == ("bfloat16", True)
    again = AutoConfig.from_pretrained(exported)
    assert again.rope_parameters == {"rope_type": "default", "rope_theta": 100000.0}


def test_an_answer_ends_at_all_stops_and_is_greedy(exported: Path) -> None:
    generation = json.loads((exported / "generation_config.json").read_text())
    assert (generation["eos_token_id"], generation["do_sample"]) == ([1, 2], False)


def test_the_tokenizer_is_of_a_class_that_older_versions_have(
    exported: Path, tiny_llama: Path
) -> None:
    config = json.loads((exported / "tokenizer_config.json").read_text())
    assert config["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert config["chat_template"] == "{{ messages[0]['content'] }}"
    assert {"backend", "is_local"}.isdisjoint(config)
    text = "When does the harbour open? </s> 12"
    ids = load_tokenizer(exported)(text)["input_ids"]
    assert ids == load_tokenizer(tiny_llama)(text)["input_ids"]


def test_extra_tokens_have_the_older_name() -> None:
    found = older_tokenizer({"extra_special_tokens": ["<a>", "<b>"], "backend": "x"}, fast=False)
    assert found == {"additional_special_tokens": ["<a>", "<b>"]}
    named = {"extra_special_tokens": {"image_token": "<image>"}}
    assert older_tokenizer(named, fast=False) == named


def test_the_scaling_of_llama_3_is_in_both_spellings(tmp_path: Path) -> None:
    scaling = {
        "rope_type": "llama3",
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    LlamaConfig(rope_parameters={**scaling, "rope_theta": 500000.0}).save_pretrained(tmp_path)
    config = older_config(json.loads((tmp_path / "config.json").read_text()))
    assert as_transformers_4(config) == (500000.0, scaling)
    (tmp_path / "config.json").write_text(json.dumps(config))
    again = AutoConfig.from_pretrained(tmp_path).rope_parameters
    assert again == {**scaling, "rope_theta": 500000.0}


def test_layers_and_experts_have_the_older_names_as_well() -> None:
    full, sliding = "full_attention", "sliding_attention"
    found = older_config({"num_local_experts": 4, "layer_types": [sliding, full] * 2})
    assert (found["num_experts"], found["sliding_window_pattern"]) == (4, 2)
    for layers in ([full, sliding], [sliding, sliding], [sliding, full, full], [full, full]):
        assert "sliding_window_pattern" not in older_config({"layer_types": layers})


def test_gemma_has_a_theta_of_its_own_in_its_windows(tmp_path: Path) -> None:
    Gemma3TextConfig().save_pretrained(tmp_path)
    before = json.loads((tmp_path / "config.json").read_text())
    config = older_config(before)
    assert as_transformers_4(config) == (1000000.0, None)
    assert (config["rope_local_base_freq"], config["sliding_window_pattern"]) == (10000.0, 6)
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert AutoConfig.from_pretrained(tmp_path).rope_parameters == before["rope_parameters"]
