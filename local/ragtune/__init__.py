"""RAG or fine-tuning? Measured on your own data, on your own machine.

::

    with ragtune.run("recipe.yaml") as run:
        print(run.ask("How many days of paid leave are there?", arm="rag")["text"])
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ragtune.core.errors import RagtuneError

if TYPE_CHECKING:
    from ragtune.runs.open import OpenRun

__version__ = "0.1.0"
__all__ = ["RagtuneError", "__version__", "open", "run"]


def run(recipe: str | Path, overrides: Sequence[str] = (), runs: str | Path = "runs") -> "OpenRun":
    """Make what a recipe's run does not have yet, with progress bars; then open it, as ``open``.

    ``overrides`` are what the command takes as ``--set``: ``["seed=2"]``.

    Raises RagtuneError for whatever in the recipe, its data or its models cannot be used.
    """
    from ragtune.runs import defaults
    from ragtune.runs.bars import Bars
    from ragtune.runs.pipeline import Pipeline

    wanted = defaults.load(Path(recipe), tuple(overrides))
    folder = Path(runs) / wanted.run_name
    Pipeline(wanted, folder, Bars()).execute()
    return open(folder)


def open(run: str | Path) -> "OpenRun":
    """Open a run folder: ``ask``, ``search``, ``figures``, ``recipe``; to be closed after use.

    Others may open it too, and bring its index up to date meanwhile. Models are loaded at the first
    question, an index at the first search. In a notebook the run and its answers are shown as HTML.

    Raises RunError where it is no run folder, another process has it, or a file in it is not as
    ragtune left it.
    """
    from ragtune.runs.open import open_run

    return open_run(run, alone=False)
