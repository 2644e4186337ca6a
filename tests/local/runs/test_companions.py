"""A finished run's model as it leaves: with its prompt, its README, as a folder and as GGUF."""

import json
from pathlib import Path
from typing import Any

import gguf
import pytest

from ragtune.core.errors import RunError
from ragtune.runs.open import open_run
from ragtune.runs.stages import parts
from tests.llama_cpp import serving


def test_a_folder_is_asked_with_the_runs_own_prompt(finished_run: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    with open_run(finished_run) as opened:
        opened.export(tmp_path / "merged", "bfloat16", "tuned+rag")
        form = parts.form(opened._work)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "merged")
    said = json.loads((tmp_path / "merged" / "tokenizer_config.json").read_text())
    template = (tmp_path / "merged" / "chat_template.jinja").read_text()
    assert said["chat_template"] == template == tokenizer.chat_template
    passages = ["Keys hang in room nine.", "Soup costs three crowns."]
    turn = "Where do keys hang?\n\n### Input:\n" + form.context("", passages)
    asked = [{"role": "user", "content": turn}]
    found = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_dict=False)
    assert found == form.prompt("Where do keys hang?", "", passages).ids

    readme = (tmp_path / "merged" / "README.md").read_text()
    assert "tuned by ragtune: the adapter of `tuned+rag`" in readme
    assert "- Right answers to 4 held-out questions: tuned+rag " in readme
    assert "- Drift over " in readme
    (shown,) = [line for line in readme.split("\n") if line.startswith("turn = ")]
    assert eval(shown.removeprefix("turn = ")).split("\n\n### Input:\n") == [
        "Your question?",
        "[1] The first passage that was found.\n\n[2] The second one.",
    ]


def test_a_gguf_is_asked_as_the_run_asks(finished_run: Path, tmp_path: Path) -> None:
    with open_run(finished_run) as opened:
        drift = opened.export(tmp_path / "gguf", "bfloat16", "tuned", gguf="f16")
        form = parts.form(opened._work)
    assert drift.mean_nats < 0.001
    (file,) = (tmp_path / "gguf").glob("*.gguf")
    assert {p.name for p in (tmp_path / "gguf").iterdir()} == {
        "Modelfile",
        "README.md",
        "ragtune.json",
        "tiny-f16.gguf",
    }
    modelfile = (tmp_path / "gguf" / "Modelfile").read_text().split("\n")
    assert modelfile[0] == "FROM ./tiny-f16.gguf"
    assert modelfile[-5:] == [
        'PARAMETER stop "</s>"',
        "PARAMETER temperature 0",
        "PARAMETER num_ctx 768",
        "PARAMETER num_predict 4",
        "",
    ]
    question = "Where do keys hang?"
    prompt = form.prompt(question)
    with serving(file, context=256) as server:
        asked = [{"role": "user", "content": question}]
        assert server.prompt(asked) == prompt.text
        assert server.tokens(prompt.text) == prompt.ids
        _, size = server.chat(asked, 4)
    assert size == len(prompt.ids)


def test_the_adapter_alone_is_written_too(finished_run: Path, tmp_path: Path) -> None:
    with open_run(finished_run) as opened:
        assert opened.export(tmp_path / "lora", "bfloat16", "tuned", gguf="lora") is None
    (file,) = (tmp_path / "lora").glob("*.gguf")
    fields = gguf.GGUFReader(file).fields
    assert fields["adapter.type"].contents() == "lora"
    modelfile = (tmp_path / "lora" / "Modelfile").read_text()
    assert modelfile.startswith("FROM BASE.gguf\nADAPTER ./tiny-lora.gguf\nTEMPLATE ")
    assert "--lora tiny-lora.gguf" in (tmp_path / "lora" / "README.md").read_text()


@pytest.mark.parametrize("kind", ["f16", "lora"])
def test_nothing_else_in_a_folder_is_overwritten(
    kind: str, finished_run: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("one")
    with (
        open_run(finished_run) as opened,
        pytest.raises(RunError, match="holds something else; name an empty folder with --to"),
    ):
        opened.export(tmp_path, "bfloat16", "tuned", gguf=kind)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_command_says_what_it_wrote(finished_run: Path, tmp_path: Path, called: Any) -> None:
    where = tmp_path / "out"
    code, out, _ = called("export", finished_run, "--gguf", "lora", "--to", where, "--json")
    assert (code, json.loads(out)) == (0, {"folder": str(where)})
    code, out, _ = called("export", finished_run, "--gguf", "q8_0", "--to", where)
    assert code == 0
    assert out.startswith(f"{where} written; drift over ")
    code, _, err = called("export", finished_run, "--gguf", "q4_0")
    assert code == 2
    assert "q4_0" in err
