"""A tuned model that was brought here: checked, and a recipe that studies it."""

import json
from pathlib import Path
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.files import write_text
from ragtune.core.moves import relative
from ragtune.core.run_folder import RunFolder
from ragtune.recipe import file as recipe_file
from ragtune.recipe.schema import Recipe
from ragtune_cloud.folder import CloudFolder


def check_model(folder: Path) -> dict[str, Any]:
    """Look whether a folder holds a whole Llama; how many tensors and bytes of weights it has.

    Raises CloudError where it does not.
    """
    from safetensors import SafetensorError, safe_open

    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CloudError(f"{folder}: what the job left is no model: {error}") from None
    if config.get("model_type") != "llama":
        raise CloudError(f"{folder}: what the job left is a {config.get('model_type')}, no llama")
    if not any((folder / name).exists() for name in ("tokenizer.json", "tokenizer.model")):
        raise CloudError(f"{folder}: what the job left has no tokenizer")
    if (folder / "adapter_config.json").exists():
        raise CloudError(f"{folder}: what the job left is an adapter, not a merged model")
    weights = sorted(folder.glob("*.safetensors"))
    names: set[str] = set()
    for path in weights:
        try:
            with safe_open(path, framework="pt") as file:
                names |= set(file.keys())
        except (SafetensorError, OSError) as error:
            raise CloudError(f"{path}: broken weights: {error}; fetch again") from None
    index = folder / "model.safetensors.index.json"
    if index.exists():
        named = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"])
        if missing := sorted(named - names):
            raise CloudError(f"{folder}: {len(missing)} tensors missing, first {missing[0]}")
    if not names:
        raise CloudError(f"{folder}: what the job left has no weights in safetensors")
    return {"tensors": len(names), "bytes": sum(path.stat().st_size for path in weights)}


def study_recipe(recipe: Recipe, run: RunFolder) -> Path:
    """Write the run's recipe over the fetched model: the same questions, nothing tuned again."""
    content, path = recipe.filled, CloudFolder(run).fetched_recipe

    def from_here(value: str) -> str:
        named = recipe.path(value)
        return relative(named, path.parent) if named.exists() else value

    content["name"] = f"{recipe.name[:34]}-cloud"
    content["model"] = {
        **content["model"],
        "local": CloudFolder(run).fetched_model.name,
        "revision": None,
    }
    content["records"]["source"] = from_here(content["records"]["source"])
    content["records"]["with_passages"] = 0.0
    if content["documents"]:
        content["documents"]["source"] = from_here(content["documents"]["source"])
    content["rag"]["embedder"] = from_here(content["rag"]["embedder"])
    if content["rag"]["rerank"]:
        content["rag"]["rerank"] = from_here(content["rag"]["rerank"])
    content["study"]["questions"] = from_here(str(run.questions.resolve()))
    content["study"]["arms"] = ["base", *(["rag"] if recipe.documents else [])]
    write_text(path, recipe_file.dump(Recipe.model_validate(content)))
    return path
