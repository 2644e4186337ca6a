"""Retrieval alone: what an index holds, how stale it is, and the passages for a question."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.retrieval.passages import Passage
from ragtune.retrieval.stores.base import rebuild
from ragtune.runs import check
from ragtune.runs.materials import Materials

MODES = ("dense", "keyword", "hybrid")


def index_status(recipe: Recipe, materials: Materials, folder: RunFolder) -> dict[str, Any]:
    """How the index of a run differs from its documents and settings, without changing it.

    Raises RagtuneError for documents that cannot be listed.
    """
    from ragtune.retrieval import index
    from ragtune.retrieval.manifest import Manifest

    check.retrieval(recipe, materials)
    wanted = index.settings(recipe.rag, materials.embedder_fingerprint)
    manifest = Manifest.load(folder.index)
    changes = index.status(materials.corpus, folder.index)
    settings = manifest.differs(wanted) if manifest else []
    return {
        "run": str(folder),
        "stale": manifest is None or bool(settings or changes.touched),
        "settings": settings,
        **changes.to_json(),
        "skipped": {**materials.corpus.skipped, **(manifest.unreadable if manifest else {})},
        "parts": manifest.parts if manifest else {},
        "held": len(manifest.documents) if manifest else 0,
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
        head = f"{run}: up to date; {status['held']} documents"
    left_out = [f"left out {name}: {reason}" for name, reason in status["skipped"].items()]
    left_out += [f"left out of {name}: {what}" for name, what in status["parts"].items()]
    return "\n".join([head, *lines, *left_out])


def show(found: Sequence[Passage]) -> str:
    """A headed block of text for each passage: rank, score, document, page or heading."""
    blocks = []
    for rank, passage in enumerate(found, 1):
        place = f"{passage.document} {passage.locator}".rstrip()
        blocks.append(f"[{rank}] {passage.score:.4f}  {place}\n{passage.text}")
    return "\n\n".join(blocks) or "nothing found"
