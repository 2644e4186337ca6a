"""What tuning did to general text."""

from collections.abc import Sequence
from pathlib import Path

from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts


class Forgetting(Stage):
    """The loss on general text, and how it is continued, before and after tuning."""

    name = "forgetting"
    fields = ("template",)
    materials = ("base", "general_text")
    after = ("tune",)

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file."""
        return [folder.forgetting]

    def make(self, work: Work) -> None:
        """Measure both."""
        from ragtune.results import forgetting

        text = forgetting.paragraphs(work.materials.general_text)
        tokenizer = work.materials.tokenizer
        losses, continued = [], []
        for side, adapter in (("base", None), ("tuned", work.run.adapter)):
            engine = parts.engine(work, adapter)
            with work.watcher.progress(f"forgetting: {side}") as advance:
                losses.append(forgetting.text_loss(engine, tokenizer, text, advance))
                continued.append(forgetting.continuations(engine, tokenizer, text))
        write_json(work.out.forgetting, forgetting.compare(losses, continued))
