"""What tuning did to general text."""

from collections.abc import Sequence
from pathlib import Path

from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Adapter
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts


class Forgetting(Stage):
    """The loss on general text, and how it is continued, before and after tuning."""

    name = "forgetting"
    fields = ("template", *parts.ANSWERS)
    materials = ("base", "general_text")

    def __init__(self, adapters: Sequence[Adapter]) -> None:
        self.adapters = tuple(adapters)
        self.after = tuple(f"tune/{name}" for name in adapters)

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file, an entry an adapter."""
        return [folder.forgetting]

    def make(self, work: Work) -> None:
        """Measure base, and each adapter."""
        from ragtune.results import forgetting

        text = forgetting.paragraphs(work.materials.general_text)
        tokenizer = work.materials.tokenizer
        losses, continued = {}, {}
        for side in ("base", *self.adapters):
            engine = parts.engine(work, None if side == "base" else work.run.adapter(side))
            with work.watcher.progress(f"forgetting: {side}") as advance:
                losses[side] = forgetting.text_loss(engine, tokenizer, text, advance)
                continued[side] = forgetting.continuations(engine, tokenizer, text)
        found = {
            name: forgetting.compare(
                [losses["base"], losses[name]], [continued["base"], continued[name]]
            )
            for name in self.adapters
        }
        write_json(work.out.forgetting, found)
