"""An index folder copied whole, or not at all."""

import shutil
from pathlib import Path

from ragtune.core.errors import RunError
from ragtune.core.files import LOCK, OWNER, copy_tree
from ragtune.retrieval.manifest import FILE, Manifest, advice
from ragtune.retrieval.stores.base import EMBEDDED

OWNED = (OWNER, LOCK)
"""Who has the folder; no part of the index."""


def copy_owned(source: Path, target: Path) -> None:
    """Copy an index that this process owns or shares to a folder that does not exist yet.

    Raises RunError where it is unfinished, on a server, or changed meanwhile: a process that does
    not keep to the owner's lock may have written to it. Nothing is left in ``target`` then.
    """
    manifest = Manifest.load(source)
    if manifest is None:
        raise RunError(f"{source}: no index there; {advice(source)}")
    if manifest.unfinished or not manifest.created:
        raise RunError(f"{source}: its last update was stopped; {advice(source)}")
    if manifest.settings.get("qdrant", EMBEDDED) != EMBEDDED:
        raise RunError(f"{source}: its chunks are on a server, where they are not copied")
    manifest.refuse_files(source)
    before = (source / FILE).read_bytes()
    try:
        copy_tree(source, target, leave_out=OWNED)
        if not before == (source / FILE).read_bytes() == (target / FILE).read_bytes():
            raise RunError(f"{source}: changed while it was copied; copy it again")
    except (RunError, shutil.Error) as error:
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, RunError):
            raise
        raise RunError(f"{source}: cannot be copied: {_first(error)}") from None


def _first(error: shutil.Error) -> str:
    """The first of the reasons that `shutil.copytree` collects."""
    reasons = error.args[0] if error.args else error
    return str(reasons[0][2] if isinstance(reasons, list) and reasons else reasons)
