"""The code of docs/extending.md: each part is taken from the page, run, and put to its use."""

import re
from pathlib import Path
from typing import Any

import pytest

from ragtune.arms.arm import Arm
from ragtune.core.errors import RunError
from ragtune.core.files import copy_tree, read_json, read_jsonl
from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune.models.engines.base import Engine
from ragtune.models.families import registry as families
from ragtune.models.families.base import ModelFamily
from ragtune.prompts import registry as prompts
from ragtune.prompts.base import Example, PromptFormat
from ragtune.prompts.instruct import InstructFormat, Template
from ragtune.recipe.rag import Rag
from ragtune.recipe.template import Template as TemplateSection
from ragtune.results.metrics import registry as metrics
from ragtune.results.metrics.base import Case, Metric
from ragtune.retrieval import index
from ragtune.retrieval.manifest import Manifest
from ragtune.retrieval.passages import Passage
from ragtune.retrieval.stores import places
from ragtune.retrieval.stores.base import Place
from ragtune.runs.materials import Materials
from ragtune.runs.open import recipe_of
from ragtune.runs.run import Run
from ragtune.runs.stage import Stage
from ragtune.sources.records import Record
from ragtune.tuning import lora
from ragtune_cloud.plan import plan
from ragtune_cloud.target import Choices, Target
from tests.cloud.made_up import make_run
from tests.cloud.made_up import recipe as published
from tests.conftest import ROOT
from tests.local.retrieval.killing import Words, corpus

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
PARTS = {
    heading: re.findall(r"```python\n(.*?)```", part, re.S)
    for heading, part in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M)
}
WRITTEN = "The defaults of a model"
"""The one part that is no code."""
LINES = 80
"""About a printed page."""


def code(heading: str) -> dict[str, Any]:
    """What a part's code defines."""
    (block,) = PARTS[heading]
    found: dict[str, Any] = {"__name__": "extension"}
    exec(compile(block, f"docs/extending.md, {heading}", "exec"), found)
    return found


@pytest.fixture(autouse=True)
def registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a part registers is forgotten after the test."""
    monkeypatch.setattr(families, "_families", [*families._families])
    monkeypatch.setattr(metrics, "_METRICS", {**metrics._METRICS})
    monkeypatch.setattr(prompts, "formats", {**prompts.formats})


def test_each_part_has_one_file_of_a_page_names_its_protocol_and_the_test_to_copy() -> None:
    assert list(PARTS) == [
        *("An engine", "A model family", WRITTEN, "A metric", "A prompt format"),
        *("A store", "A target", "A stage"),
    ]
    for heading, blocks in PARTS.items():
        short = [len(block.splitlines()) <= LINES for block in blocks]
        assert short == ([] if heading == WRITTEN else [True]), heading
    for path in re.findall(r"`(tests/[\w/]+\.py)`", PAGE):
        assert (ROOT / path).is_file(), path
    for path in re.findall(r"`(ragtune\w*/[\w/]+\.py)`", PAGE):
        assert any((ROOT / top / path).is_file() for top in ("local", "cloud")), path


def test_the_engine_answers_as_an_arm(tiny_tokenizer: Any) -> None:
    engine: Engine = code("An engine")["LastLine"]()
    arm = Arm(engine, InstructFormat(Template(), tiny_tokenizer), 3, show_context=True)
    answer = arm.ask(Record("When?", "six", context="The harbour\nIt opens at six."))
    assert (answer.text, answer.completion_tokens) == ("It opens at", 3)


def test_the_family_is_known_and_its_logits_are_the_models(tmp_path: Path) -> None:
    from transformers import CohereConfig, CohereForCausalLM

    from ragtune.recipe.tune import Tune

    family: ModelFamily = code("A model family")["Cohere"]()
    assert type(families.family_of({"model_type": "cohere"})).__name__ == "Cohere"
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "logit_scale": 0.25}
    ids = {"vocab_size": 50, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
    config = CohereConfig(**sizes, **heads, **ids, initializer_range=0.4)
    lora.with_lora(CohereForCausalLM(config), Tune(lora_dropout=0.0), family)


def test_the_metric_is_registered_and_scores() -> None:
    code("A metric")
    metric: Metric = metrics.metrics()["concise"]
    told = [
        Case(Record("When?", "six"), said, ("six", "at six")) for said in ("six", "it is at six")
    ]
    assert metrics.score(metric, told) == [1.0, 0.5]


def test_a_recipe_names_the_format(tiny_tokenizer: Any) -> None:
    made = code("A prompt format")["Plain"]
    named = TemplateSection.model_validate("plain").build()
    form: PromptFormat = prompts.format_of(named, tiny_tokenizer)
    assert isinstance(form, made)
    shown = form.prompt("When?", examples=[Example("Where?", "", "here")])
    assert (shown.text, shown.examples) == ("\nWhere?\nhere\n\nWhen?\n", 1)
    asked = form.prompt("When?", "", ["At six.", "Fog."], limit=20)
    row = form.row("When?", form.context("", ["At six."]), "six")
    assert asked.passages == 1
    assert row.ids[: len(asked.ids)] == asked.ids
    assert tiny_tokenizer.decode(row.ids) == "<s>[1] At six.\nWhen?\nsix</s>"


def test_the_store_is_updated_and_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, words = code("A store"), Words()
    embedder: Any = words
    place: Place = made["MemoryPlace"]("x")
    monkeypatch.setattr(places, "of", lambda rag, folder: place)
    rag = Rag(chunk_tokens=16, top_k=1)
    texts = {"fog.md": "In fog the bell rings.", "soup.md": "Soup costs three crowns."}
    for now in (texts, {**texts, "soup.md": "Soup costs nine crowns."}):
        index.update(corpus(now), rag, embedder, fingerprint="f", folder=tmp_path / "index")
    retriever = index.Retriever(tmp_path / "index", rag, embedder, "f")
    for mode in ("dense", "keyword", "hybrid"):
        found: list[Passage] = retriever.search(["Soup costs nine crowns."], mode=mode)[0]
        assert [p.text for p in found] == ["Soup costs nine crowns."], mode
    manifest = Manifest.load(tmp_path / "index")
    assert manifest is not None
    assert len(place.open(manifest.settings)) == manifest.points == 2
    with pytest.raises(RunError, match="none there"):
        made["MemoryPlace"]("y").open({})


def test_the_target_goes_from_the_plan_to_the_bill(tmp_path: Path) -> None:
    garage: Target = code("A target")["Garage"]()
    run = make_run(tmp_path / "runs" / "published", published())
    planned = plan(garage, published(), run, Choices())
    assert [check.name for check in planned.checks] == ["run", "door", "contract"]
    job = garage.submit(planned, Silent())
    assert [item.name for item in garage.bill([run])] == [job]
    assert garage.watch(run, Silent()).status == "Completed"
    assert garage.bill([run]) == []


def test_the_stage_is_made_once_and_again_when_a_field_that_it_reads_changes(
    finished_run: Path, tmp_path: Path
) -> None:
    stage: Stage = code("A stage")["Lengths"]()
    folder, recipe = tmp_path / "runs" / finished_run.name, recipe_of(finished_run)
    copy_tree(finished_run, folder)
    other = recipe.model_copy(
        update={"study": recipe.study.model_copy(update={"refusal": "none of it"})}
    )
    with Run(folder) as run:
        how = [
            run.make(stage, given, Materials(given), environment=dict).how
            for given in (recipe, recipe, other)
        ]
    assert how == ["made", "reused", "made"]
    written = read_jsonl(RunFolder(folder).answers("base"))
    assert read_json(folder / "lengths.json") == [len(answer["text"]) for answer in written]
