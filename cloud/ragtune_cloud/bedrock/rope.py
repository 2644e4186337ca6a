"""What Bedrock's own scaling of positions does to a model: its held-out loss, measured here.

Bedrock reads Llama 3 with a rope scaling factor of 8, whatever its configuration says. Llama 3.2
1B and 3B were trained with 32. The model is loaded twice, with its own factor and with Bedrock's,
and both are asked how surprised they are by the reference answers.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ragtune.arms.ask_all import spread
from ragtune.core.errors import CloudError
from ragtune.core.files import read_json, read_jsonl, write_json
from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.sources.records import Record
from ragtune_cloud.bedrock.folder import BedrockFolder
from ragtune_cloud.bedrock.model import Model
from ragtune_cloud.bedrock.source import LocalFiles
from ragtune_cloud.gate import promoted

QUESTIONS = 40
"""Held-out questions whose references are looked at, spread evenly over all."""
BOUND = 0.05
"""Nats a token by which the loss may rise: as much as `ragtune export` lets a model drift."""


@dataclass(frozen=True)
class RopeLoss:
    """The held-out loss in nats a token, with the model's own factor and with Bedrock's.

    ``own`` is None where the model scales nothing by itself.
    """

    model: str
    own: float | None
    forced: float
    loss_own: float
    loss_forced: float
    tokens: int

    @property
    def rise(self) -> float:
        """By how much the loss rises."""
        return self.loss_forced - self.loss_own

    def __str__(self) -> str:
        own = "no scaling" if self.own is None else f"factor {self.own:g}"
        return (
            f"held-out loss {self.loss_own:.4f} nats a token with {own}, {self.loss_forced:.4f} "
            f"with Bedrock's {self.forced:g} ({self.tokens} tokens)"
        )


def known(run: RunFolder, model: Model) -> RopeLoss | None:
    """What was measured of these very files before; None where nothing was."""
    path = BedrockFolder(run).rope
    if not path.exists():
        return None
    found = RopeLoss(**read_json(path))
    return found if found.model == model.files.hash else None


def measure(recipe: Recipe, run: RunFolder, model: Model, watcher: Watcher) -> RopeLoss:
    """Measure, and keep it in the run folder.

    Raises CloudError where the model does not lie on this machine, ModelError where it cannot be
    loaded.
    """
    forced = model.forced_rope
    if forced is None or not isinstance(model.files, LocalFiles):
        raise CloudError(
            f"{model.files.place}: the model has to be here to be measured; "
            "`ragtune cloud fetch RUN` first"
        )
    own = model.rope_scaling
    before, tokens = _loss(recipe, run, model.files.folder, watcher, "with its own rope")
    with _with_rope(model.files.folder, forced) as folder:
        after, _ = _loss(recipe, run, folder, watcher, "with Bedrock's rope")
    found = RopeLoss(
        model=model.files.hash,
        own=None if own is None else float(own.get("factor") or 1.0),
        forced=float(forced["factor"]),
        loss_own=before,
        loss_forced=after,
        tokens=tokens,
    )
    write_json(BedrockFolder(run).rope, asdict(found))
    return found


@contextmanager
def _with_rope(folder: Path, rope: dict[str, Any]) -> Iterator[Path]:
    """The same model with another scaling: links to its files, and a configuration of its own."""
    with tempfile.TemporaryDirectory(prefix="ragtune-rope-") as made:
        scratch = Path(made)
        for path in folder.iterdir():
            if path.is_file() and path.name != "config.json":
                _link(path.resolve(), scratch / path.name)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        theta = config.get("rope_theta") or config.get("rope_parameters", {}).get("rope_theta")
        config["rope_scaling"] = rope
        config["rope_parameters"] = {**rope, **({"rope_theta": theta} if theta else {})}
        write_json(scratch / "config.json", config)
        yield scratch


def _link(path: Path, to: Path) -> None:
    try:
        to.symlink_to(path)
    except OSError:  # a file system without links
        shutil.copyfile(path, to)


def _loss(
    recipe: Recipe, run: RunFolder, folder: Path, watcher: Watcher, what: str
) -> tuple[float, int]:
    from ragtune.models.engines.torch import TorchEngine
    from ragtune.models.folder import family_at
    from ragtune.models.hardware import probe
    from ragtune.models.load import load_base, load_tokenizer
    from ragtune.prompts.registry import format_of
    from ragtune.results.heldout import completion_loss

    tokenizer = load_tokenizer(folder)
    engine = TorchEngine(
        load_base(folder, probe(recipe.model.precision)), tokenizer, family_at(folder), ""
    )
    asked = spread(_asked(recipe, run), QUESTIONS)
    with watcher.progress(f"held-out loss {what}") as advance:
        found = completion_loss(
            engine,
            format_of(recipe.template.build(), tokenizer),
            [question for question, _ in asked],
            [passages for _, passages in asked],
            show_context=recipe.records.context == "input",
            advance=advance,
        )
    return found.mean, found.tokens


def _asked(recipe: Recipe, run: RunFolder) -> list[tuple[Record, list[str]]]:
    """The held-out questions with the passages that the promoted arm is asked with."""
    questions = [Record.from_json(row) for row in read_jsonl(run.questions)]
    if promoted(recipe, run) != "tuned+rag" or not run.retrieval.exists():
        return [(question, []) for question in questions]
    found = [[str(p["text"]) for p in row["passages"]] for row in read_jsonl(run.retrieval)]
    return list(zip(questions, found, strict=True))
