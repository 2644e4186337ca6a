from collections.abc import Callable
from pathlib import Path
from shutil import copytree

from ragtune.models.load import load_tokenizer
from ragtune.recipe import file as recipe_file
from ragtune.recipe.schema import Recipe
from ragtune.runs.preview import BLOCK_END, preview_rows, show
from ragtune.runs.stages import parts
from tests.local.prompts.test_chat import CHATML, with_template
from tests.local.runs.working import working


def load(path: Path, *overrides: str) -> Recipe:
    return recipe_file.load(path, overrides)


def test_blocks_end_where_packing_cuts(project: Callable[..., Path], tmp_path: Path) -> None:
    recipe = load(project())
    work = working(recipe, tmp_path)
    shown = preview_rows(recipe, 4)
    samples = parts.samples(work, parts.training_rows(work, work.materials.train, None), "tuned")
    blocks = samples.train + samples.validation
    starts = {tuple(work.materials.tokenizer.convert_ids_to_tokens(b.ids[:6])) for b in blocks}
    joined = [token for row in shown for token in row["tokens"]]
    offset, begins = 0, []
    for row in shown:
        begins += [offset + n for n in row["blocks_begin"]]
        offset += len(row["tokens"])
    assert begins == list(range(64, len(joined), 64))
    assert all(tuple(joined[n : n + 6]) in starts for n in begins if n + 6 <= len(joined))
    assert show(shown).count(f"{BLOCK_END} ") == len(begins) + len(shown)
    assert all(len(row["trained_on"]) == len(row["tokens"]) for row in shown)


def test_only_completions_are_trained_on_where_the_recipe_says_so(
    project: Callable[..., Path],
) -> None:
    (row,) = preview_rows(
        load(project(), "tune.local={layout: rows, loss: completion}", "tune.max_input_length=512"),
        1,
    )
    assert row["blocks_begin"] == []
    assert len(row["trained_on"]) == row["completion_tokens"] > 0
    assert row["tokens"][row["trained_on"][-1]] == "</s>"


def test_a_chats_row_shows_its_turns_and_trains_on_the_assistants(
    project: Callable[..., Path], tiny_llama: Path, tmp_path: Path
) -> None:
    model = copytree(tiny_llama, tmp_path / "chatty")
    tokenizer = with_template(load_tokenizer(model), CHATML)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.save_pretrained(model)
    chat = ("template=chat", f"model.local={model}", "tune.max_input_length=512")
    (row,) = preview_rows(load(project(), *chat, "tune.local={layout: rows, loss: completion}"), 1)
    assert row["prompt"].startswith("<s><|im_start|>user\n")
    assert row["prompt"].endswith("<|im_end|>\n<|im_start|>assistant\n")
    assert row["completion"].endswith("<|im_end|>")
    trained = [row["tokens"][n] for n in row["trained_on"]]
    said = tokenizer.convert_tokens_to_string(trained)
    assert said == row["completion"]
    assert trained[-1] == "<|im_end|>"
    assert f"{row['prompt']}{row['completion']}\n--- trained on" in show([row])
