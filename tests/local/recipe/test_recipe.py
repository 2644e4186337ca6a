from collections.abc import Callable
from pathlib import Path

import pytest

from ragtune.core.errors import RecipeError
from ragtune.recipe import file as recipe_file
from ragtune.recipe.schema import Recipe


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path, *overrides: str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        recipe_file.load(path, overrides)
    return str(caught.value).splitlines()


def test_all_faults_are_reported_with_line_field_and_nearest_key(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "name: demo\nsed: 3\nrecords:\n  source: r.jsonl\ntune:\n  epoch: 0\n  lora_rank: 4\n",
    )
    assert faults(path) == [
        f"{path}:2: sed: unknown key; did you mean seed?",
        f"{path}:6: tune.epoch: input should be greater than or equal to 1, got 0",
        f"{path}:7: tune.lora_rank: unknown key; did you mean lora_r?",
    ]


def test_a_missing_field_says_what_belongs_there(tmp_path: Path) -> None:
    found = faults(write(tmp_path, "name: demo\nrecords: {}\n"))
    assert len(found) == 1
    assert "records.source: missing; a file of records, a folder of them, or a hub" in found[0]


def test_a_key_written_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\nname: b\nrecords: {source: r}\n")
    assert faults(path) == [f"{path}:2: name: written twice, first on line 1; keep one"]


def test_yaml_that_does_not_parse_names_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "name: demo\nrecords: [unclosed\n")
    assert faults(path)[0].startswith(f"{path}:3: not valid YAML")


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    assert "ragtune init" in faults(tmp_path / "none.yaml")[0]


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words"])
def test_what_is_no_mapping_is_no_recipe(tmp_path: Path, text: str) -> None:
    assert "a recipe is a mapping" in faults(write(tmp_path, text))[0]


def test_template_fields_are_checked(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'name: a\nrecords: {source: r}\ntemplate: {prompt: "{question}", completion: "fixed"}\n',
    )
    found = faults(path)
    assert "template.prompt: unknown {question}; allowed: {context}, {instruction}" in found[0]
    assert "template.completion: {response} is missing" in found[1]


def test_overrides_are_applied_and_named_when_wrong(project: Callable[..., Path]) -> None:
    path = project()
    assert recipe_file.load(path, ("tune.epoch=7", "needs.cite_sources=true")).tune.epoch == 7
    assert faults(path, "tune.epoc=7") == [
        "--set tune.epoc=7: tune.epoc: unknown key; did you mean epoch?"
    ]
    assert "field=value" in faults(path, "tune.epoch")[0]


def test_the_filled_form_reads_back_as_the_same_recipe(project: Callable[..., Path]) -> None:
    path = project()
    recipe = recipe_file.load(path)
    again = recipe_file.load(write(path.parent, recipe_file.dump(recipe)))
    assert again == recipe
    assert again.identity == recipe.identity


def test_identity_changes_with_what_is_measured_and_only_with_that(
    project: Callable[..., Path],
) -> None:
    path = project()
    identity = recipe_file.load(path).identity
    judged = ("study.metric=rouge_l", 'study.refusals=["ask the desk"]')
    beside = ("name=other", "cloud.instance_count=2", "rag.qdrant=http://127.0.0.1:6333")
    for same in (*beside, "needs.min_quality=0.5", *judged):
        assert recipe_file.load(path, (same,)).identity == identity, same
    for other in ("seed=11", "tune.epoch=3", "rag.top_k=1", "study.max_new_tokens=9"):
        assert recipe_file.load(path, (other,)).identity != identity, other


def test_without_documents_only_the_closed_book_arms_remain() -> None:
    recipe = Recipe.model_validate({"name": "a", "records": {"source": "r"}})
    assert recipe.arms == ["base", "tuned"]


def test_arms_that_read_documents_need_some(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\nrecords: {source: r}\nstudy: {arms: [rag, tuned+rag]}\n")
    assert "need documents" in faults(path)[0]


@pytest.mark.parametrize(
    ("override", "adapters", "with_passages"),
    [
        ("name=a", ["tuned", "tuned+rag"], ["tuned+rag"]),
        ("study.arms=[base,tuned]", ["tuned"], []),
        ("study.arms=[base,tuned+rag]", ["tuned+rag"], ["tuned+rag"]),
        ("study.arms=[base,rag]", [], []),
        ("tune.adapters=shared", ["tuned"], ["tuned"]),
        ("records={source: r, with_passages: 0}", ["tuned"], []),
    ],
)
def test_each_tuned_arm_has_its_own_adapter_unless_they_share_one(
    tmp_path: Path, override: str, adapters: list[str], with_passages: list[str]
) -> None:
    path = write(tmp_path, "name: a\nrecords: {source: r}\ndocuments: {source: d}\n")
    recipe = recipe_file.load(path, (override,))
    assert recipe.adapters == adapters
    assert [name for name in recipe.adapters if recipe.trains_with_passages(name)] == with_passages


def test_a_hub_id_is_told_from_a_path(tmp_path: Path) -> None:
    data = {"name": "a", "records": {"source": "databricks/databricks-dolly-15k"}}
    recipe = Recipe.model_validate(data).at(tmp_path)
    assert recipe.hub_ids == ["databricks/databricks-dolly-15k"]
    (tmp_path / "databricks").mkdir()
    (tmp_path / "databricks" / "databricks-dolly-15k").mkdir()
    assert recipe.hub_ids == []


@pytest.mark.parametrize(
    ("override", "shown"),
    [
        ("study.arms=[base,rag]", "passages"),
        ("records={source: r, context: input}", "the records' contexts"),
    ],
)
def test_a_prompt_without_a_place_for_what_is_shown_is_refused(
    tmp_path: Path, override: str, shown: str
) -> None:
    path = write(
        tmp_path,
        "name: a\nrecords: {source: r, context: passage}\ndocuments: {source: d}\n"
        "study: {arms: [base, tuned]}\n"
        'template: {prompt: "{instruction}"}\n',
    )
    assert recipe_file.load(path).template.prompt == "{instruction}"
    (fault,) = faults(path, override)
    assert fault.endswith(f"template.prompt: {{context}} is missing, where {shown} go")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("tune.target_modules='q_proj, v_proj'", "' v_proj' is no name of a layer; allowed: a "),
        ("tune.target_modules=all-linear", "'all-linear' is no name of a layer"),
        ("tune.target_modules='q_proj,'", "'' is no name of a layer"),
    ],
)
def test_layers_are_named_in_a_comma_list(
    project: Callable[..., Path], override: str, said: str
) -> None:
    assert said in faults(project(), override)[0]


def test_jumpstart_knows_a_llamas_layers_alone(project: Callable[..., Path]) -> None:
    named = ("tune.target_modules=qkv_proj", "model.jumpstart=meta-textgeneration-llama-2-7b")
    assert recipe_file.load(project(), named[:1]).tune.target_modules == "qkv_proj"
    (fault,) = faults(project(), *named)
    assert "tune.target_modules: JumpStart has no qkv_proj; allowed: q_proj, k_proj" in fault


def test_a_phrase_that_refuses_is_not_empty(project: Callable[..., Path]) -> None:
    assert "study.refusals" in faults(project(), 'study.refusals=[" "]')[0]


@pytest.mark.parametrize("given", ["rag: {top_k: yes}", "tune: {learning_rate: true}"])
def test_yes_is_no_number(tmp_path: Path, given: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(
        f"name: tiny\nrecords: {{source: a.jsonl}}\ndocuments: {{source: d}}\n{given}\n"
    )
    with pytest.raises(RecipeError, match="input should be a number"):
        recipe_file.load(path)
