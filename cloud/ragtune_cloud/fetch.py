"""Bringing the tuned model back: fetched, checked, and ready for ``ragtune run`` to study."""

import json
import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

from ragtune.core.files import read_json, write_json, write_text
from ragtune.core.progress import Watcher
from ragtune.recipe import file as recipe_file
from ragtune.recipe.schema import Recipe
from ragtune_cloud import jobs
from ragtune_cloud.account import Account, aws_errors
from ragtune_cloud.errors import CloudError
from ragtune_cloud.jobs import Record
from ragtune_cloud.names import ACCOUNT

FOLDER = Path("cloud") / "fetched"
NOTE = "fetched.json"


def fetch(
    record: Record, recipe: Recipe, run_folder: Path, account: Account, watcher: Watcher
) -> Path:
    """Fetch the job's merged model and write a recipe that studies it; gives that recipe's path.

    What is there already is kept. Raises CloudError where the job was not completed or what it
    left is no Llama with tokenizer and whole weights.
    """
    now = jobs.status(record, account)
    jobs.check_ended_well(now)
    folder = run_folder / FOLDER
    model = folder / "model"
    if not (folder / NOTE).exists() or read_json(folder / NOTE)["job"] != record.job:
        (folder / NOTE).unlink(missing_ok=True)
        if now.artefact is None:
            raise CloudError(f"{record.job}: completed, but names no artefact; see its log")
        archive = _download(now.artefact.replace(ACCOUNT, account.id), folder, account, watcher)
        shutil.rmtree(model, ignore_errors=True)
        _unpack(archive, model)
        checked = check_model(model)
        archive.unlink()
        write_json(folder / NOTE, {"job": record.job, **checked})
    return _study_recipe(recipe, run_folder, folder)


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


def _download(uri: str, folder: Path, account: Account, watcher: Watcher) -> Path:
    """Fetch the archive to a temporary name, then rename; one that is whole is kept."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    s3, target = account.client("s3"), folder / "model.tar.gz"
    folder.mkdir(parents=True, exist_ok=True)
    with aws_errors(account.id):
        size = int(s3.head_object(Bucket=bucket, Key=key)["ContentLength"])
        if target.exists() and target.stat().st_size == size:
            return target
        free = shutil.disk_usage(folder).free
        if free < 3 * size:
            raise CloudError(
                f"{folder}: {3 * size / 1e9:.1f} GB are needed to fetch and unpack the model, "
                f"{free / 1e9:.1f} are free; make room"
            )
        partial = folder / ".model.tar.gz.new"
        done = 0
        with watcher.progress("fetch") as advance, partial.open("wb") as file:
            for piece in s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(1 << 20):
                file.write(piece)
                done += len(piece)
                advance(done, size)
    if done != size:
        raise CloudError(f"{key}: {done} of {size} bytes came; run the same command again")
    return partial.replace(target)


def _unpack(archive: Path, model: Path) -> None:
    partial = model.with_name(".model.new")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(partial, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        archive.unlink(missing_ok=True)
        raise CloudError(f"{archive}: cannot be unpacked: {error}; fetch again") from None
    partial.replace(model)


def _study_recipe(recipe: Recipe, run_folder: Path, folder: Path) -> Path:
    """The run's recipe over the fetched model: the same questions, nothing tuned again."""
    content = recipe.filled

    def from_here(value: str) -> str:
        path = recipe.path(value)
        return os.path.relpath(path.resolve(), folder.resolve()) if path.exists() else value

    content["name"] = f"{recipe.name[:34]}-cloud"
    content["model"] = {**content["model"], "local": "model", "revision": None}
    content["records"]["source"] = from_here(content["records"]["source"])
    content["records"]["with_passages"] = 0.0
    if content["documents"]:
        content["documents"]["source"] = from_here(content["documents"]["source"])
    content["rag"]["embedder"] = from_here(content["rag"]["embedder"])
    if content["rag"]["rerank"]:
        content["rag"]["rerank"] = from_here(content["rag"]["rerank"])
    content["study"]["questions"] = from_here(str((run_folder / "data" / "test.jsonl").resolve()))
    content["study"]["arms"] = ["base", *(["rag"] if recipe.documents else [])]
    path = folder / "recipe.yaml"
    write_text(path, recipe_file.dump(Recipe.model_validate(content)))
    return path
