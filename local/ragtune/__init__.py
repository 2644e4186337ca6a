"""RAG or fine-tuning? Measured on your own data, on your own machine.

::

    with ragtune.open("runs/handbook-3f9a1c02") as run:
        print(run.ask("How many days of paid leave are there?", arm="rag")["text"])
"""

from pathlib import Path
from typing import TYPE_CHECKING

from ragtune.core.errors import RagtuneError

if TYPE_CHECKING:
    from ragtune.runs.open import OpenRun

__version__ = "0.1.0"
__all__ = ["RagtuneError", "__version__", "open"]


def open(run: str | Path) -> "OpenRun":
    """Open a run folder: ``ask``, ``search``, ``figures``, ``recipe``; to be closed after use.

    Others may open it too, and bring its index up to date meanwhile. Models are loaded at the first
    question, an index at the first search. In a notebook the run and its answers are shown as HTML.

    Raises RunError where it is no run folder, another process has it, or a file in it is not as
    ragtune left it.
    """
    from ragtune.runs.open import open_run

    return open_run(run, alone=False)
