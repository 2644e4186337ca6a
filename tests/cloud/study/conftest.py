"""A finished run of every arm, and models that serve it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.run_folder import RunFolder
from tests.cloud.study.made_up import MadeUp, make_run, recipe_of_every_arm


@pytest.fixture
def made(tmp_path: Path, tiny_llama: Path) -> Callable[..., RunFolder]:
    """Make a run of every arm: who answers rightly, and sections of its recipe."""

    def make(says: Any = None, **sections: Any) -> RunFolder:
        given = {} if says is None else {"says": says}
        folder = tmp_path / "runs" / "harbour"
        return make_run(folder, recipe_of_every_arm(tiny_llama, **sections), **given)

    return make


@pytest.fixture
def run(made: Callable[..., RunFolder]) -> RunFolder:
    """A run that retrieval won."""
    return made()


@pytest.fixture
def serving() -> MadeUp:
    """Models that answer from the passages in their prompts."""
    return MadeUp()
