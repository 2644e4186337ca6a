"""How much of the disk a run takes, before anything of it is made."""

from ragtune.core.files import allocated
from ragtune.core.run_folder import RunFolder
from ragtune.core.system import require
from ragtune.models.folder import read_config, shape
from ragtune.recipe.schema import Recipe
from ragtune.retrieval.stores.base import EMBEDDED
from ragtune.runs.materials import Materials
from ragtune.sources.documents import CONTEXTS

REST = 12_000_000
"""Bytes of answers, figures and report, and of what the index's engine wants to be free."""
TEXT = 10
"""Bytes of an index for each of its documents' text: 8.4 to 8.5 were measured over 1 and 4 MB."""
LAYERS = 7
"""Linear layers of a block that LoRA may be put on, taken as square."""
COPIES = 4
"""Of an adapter: itself, and a checkpoint of its weights and of AdamW's two moments."""


def require_room(recipe: Recipe, materials: Materials, folder: RunFolder, *, index: bool) -> None:
    """Look for the room that a run in ``folder`` still needs, or with ``index`` its index alone.

    Raises RunError where it is not free.
    """
    needed = REST + _documents(recipe, materials) * TEXT
    if not index:
        needed += _adapters(recipe, materials)
    there = allocated(folder.path) if folder.path.is_dir() else 0
    if needed > there:
        require(folder.path, needed - there, "the index" if index else "the run")


def _documents(recipe: Recipe, materials: Materials) -> int:
    """Bytes of what is indexed on this machine."""
    if not recipe.retrieves or recipe.documents is None or recipe.rag.qdrant != EMBEDDED:
        return 0
    if recipe.documents.source == CONTEXTS:
        records = [*materials.train, *materials.questions]
        return sum(len(text.encode()) for text in {record.context for record in records})
    place = recipe.path(recipe.documents.source)
    found = 0
    for name in materials.corpus.hashes:
        path = place / name if place.is_dir() else place
        found += path.stat().st_size if path.is_file() else 0
    return found


def _adapters(recipe: Recipe, materials: Materials) -> int:
    """Bytes of the adapters that are tuned here, in 32 bits, about."""
    if recipe.model.remote or not recipe.adapters:
        return 0
    layers = read_config(materials.base).get("num_hidden_layers")
    count = layers if isinstance(layers, int) else 32
    one = count * LAYERS * 2 * recipe.tune.lora_r * shape(materials.base).hidden * 4
    return len(recipe.adapters) * one * COPIES
