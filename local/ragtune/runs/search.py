"""Retrieval alone: what an index holds, how stale it is, and the passages for a question."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragtune.core.errors import RecipeError, RunError
from ragtune.retrieval.filters import conditions
from ragtune.retrieval.stores.base import rebuild
from ragtune.runs.workbench import Workbench

if TYPE_CHECKING:
    from ragtune.runs.pipeline import Pipeline
    from ragtune.runs.stage import Run

MODES = ("dense", "keyword", "hybrid")


def index_status(pipeline: "Pipeline") -> dict[str, Any]:
    """How the index of a run differs from its documents and settings, without changing it.

    Raises RagtuneError for documents that cannot be listed.
    """
    from ragtune.retrieval import index
    from ragtune.retrieval.manifest import Manifest

    bench = pipeline.bench
    bench.check_documents()
    folder = bench.folder / "index"
    wanted = index.settings(bench.recipe.rag, bench.embedder_fingerprint)
    manifest = Manifest.load(folder)
    changes = index.status(bench.corpus, folder)
    settings = manifest.differs(wanted) if manifest else []
    return {
        "run": str(bench.folder),
        "stale": manifest is None or bool(settings or changes.touched),
        "settings": settings,
        **changes.to_json(),
        "skipped": {**bench.corpus.skipped, **(manifest.unreadable if manifest else {})},
    }


def show_status(status: dict[str, Any]) -> str:
    """A line that says whether the index is stale, and one for each reason."""
    run = status["run"]
    lines = [
        f"{kind}: {name}"
        for kind in ("added", "changed", "removed", "unfinished")
        for name in status[kind]
    ]
    if status["settings"]:
        lines += [f"made with other settings: {one}" for one in status["settings"]]
        head = f"{run}: of no use as it is; {rebuild(Path(run))}"
    elif status["stale"]:
        head = f"{run}: stale; {status['unchanged']} documents unchanged"
    else:
        head = f"{run}: up to date; {status['unchanged']} documents"
    left_out = [f"left out {name}: {reason}" for name, reason in status["skipped"].items()]
    return "\n".join([head, *lines, *left_out])


def made_run(pipeline: "Pipeline") -> "Run":
    """The run of a pipeline, to be taken.

    Raises RunError where the recipe has no run folder yet, and makes none.
    """
    folder = pipeline.run.folder
    if not (folder / "lock.json").exists():
        raise RunError(f"{folder}: no index there yet; `ragtune index RECIPE` makes it")
    return pipeline.run


def search(
    bench: Workbench, question: str, top_k: int | None, mode: str, where: Sequence[str]
) -> list[dict[str, Any]]:
    """The best passages for a question, best first; mode and number are the recipe's unless given.

    ``where`` holds conditions such as ``document=fog.md`` or ``page>=10``, all of which hold.

    Raises RecipeError for an empty question, an unknown mode, or a condition that is none;
    RunError where the index cannot be used.
    """
    if not question.strip():
        raise RecipeError("the question is empty")
    if mode and mode not in MODES:
        raise RecipeError(f"--mode {mode}: allowed are {', '.join(MODES)}")
    filters = conditions(where)
    (found,) = bench.retriever.search([question], top_k, filters, mode=mode or None)
    return [asdict(passage) for passage in found]


def show(found: Sequence[dict[str, Any]]) -> str:
    """A headed block of text for each passage: rank, score, document, page or heading."""
    blocks = []
    for rank, passage in enumerate(found, 1):
        place = f"{passage['document']} {passage['locator']}".rstrip()
        blocks.append(f"[{rank}] {passage['score']:.4f}  {place}\n{passage['text']}")
    return "\n\n".join(blocks) or "nothing found"
