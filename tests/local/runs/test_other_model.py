"""From a recipe to an exported model, with a model that is no Llama and brings a chat template."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ragtune.core.files import read_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.runs import defaults
from ragtune.runs.pipeline import Pipeline
from tests.local.models.families import zoo

TEMPLATE = (
    "{% for m in messages %}{{ '<s>' + m.role + ' ' + m.content + '</s>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<s>assistant ' }}{% endif %}"
)


def test_a_model_with_fused_layers_and_a_chat_template_is_tuned_asked_and_exported(
    project: Callable[..., Path],
    called: Callable[..., tuple[int, str, str]],
    tiny_llama: Path,
    tmp_path: Path,
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = zoo.write(zoo.KINDS["Phi-3"], tmp_path / "phi", tiny_llama)
    (base / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    sections: dict[str, Any] = {
        "tune": {"epoch": 1},
        "study": {"arms": ["base", "tuned"], "max_new_tokens": 4, "latency_questions": 1},
    }
    recipe = defaults.load(project(**sections), (f"model.local={base}",))
    assert recipe.template.format == "chat"
    assert recipe.tune.target_modules == "qkv_proj,o_proj,gate_up_proj,down_proj"
    run = RunFolder(tmp_path / "run")
    Pipeline(recipe, run.path).execute()
    assert len(read_jsonl(run.answers("tuned"))) == len(read_jsonl(run.answers("base"))) > 0
    adapter = json.loads((run.adapter("tuned") / "adapter_config.json").read_text())
    assert adapter["target_modules"] == sorted(recipe.tune.target_modules.split(","))
    code, _, said = called("export", run.path, "--to", tmp_path / "merged")
    assert code == 0, said
    exported: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert exported.config.model_type == "phi3"
    assert "<s>assistant " in AutoTokenizer.from_pretrained(tmp_path / "merged").chat_template
