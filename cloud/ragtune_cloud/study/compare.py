"""Local and cloud side by side: each place's own results, of the same questions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ragtune.core.files import read_jsonl, write_json
from ragtune.core.run_folder import RunFolder
from ragtune.results.metrics.registry import title
from ragtune.results.schema import Difference, Results
from ragtune.results.verdict.evidence import Evidence
from ragtune_cloud.folder import UNTRAINED, CloudFolder, noted_job

if TYPE_CHECKING:
    from rich.console import RenderableType

TITLES = {
    "local": "local",
    "cloud": "cloud: the models where they are served",
    "fetched": "cloud tuned, fetched: base is the model that the cloud tuned",
}


@dataclass(frozen=True)
class Place:
    """Where the questions were answered, and the results there, those of ``results.json``."""

    name: str
    run: RunFolder
    figures: Results

    @property
    def gain(self) -> Difference | None:
        """Tuned against base, as the verdict there compares them; None where it does not."""
        return Evidence.of(self.figures).between("tuned", "base")


def places(run: RunFolder) -> list[Place]:
    """Every place with results of the very questions that the run has.

    Raises RunError where results are broken, or of another version.
    """
    cloud = CloudFolder(run)
    job = noted_job(run) or UNTRAINED
    folders = [
        ("local", run),
        ("cloud", cloud.study(job)),
        *(("fetched", RunFolder(path)) for path in sorted(cloud.fetched_runs.glob("*/"))),
    ]
    asked = read_jsonl(run.questions)
    return [
        Place(name, folder, Results.load(folder.results))
        for name, folder in folders
        if folder.results.exists() and read_jsonl(folder.questions) == asked
    ]


def compare(run: RunFolder) -> dict[str, Any]:
    """The quality of every arm in every place, and what tuning gained there; written as JSON too.

    ``tuned_minus_base`` is the comparison that the verdict of that place goes by.
    """
    found = places(run)
    comparison = {
        "questions": len(read_jsonl(run.questions)),
        "sides": {
            f"{place.name} {arm}": {name: mean.to_json() for name, mean in of.quality.items()}
            for place in found
            for arm, of in place.figures.arms.items()
        },
        "tuned_minus_base": {p.name: p.gain.to_json() for p in found if p.gain},
        "reports": [str(place.run.report) for place in found],
    }
    write_json(CloudFolder(run).comparison, comparison)
    return comparison


def show(run: RunFolder) -> "RenderableType":
    """The table of every place, one below the other, then what tuning gained in each."""
    from rich.console import Group
    from rich.text import Text

    from ragtune.results.table import render

    found = places(run)
    parts = [part for p in found for part in (Text(TITLES[p.name]), render(p.figures))]
    lines = [line for place in found if (line := _gain(place))]
    return Group(*parts, *map(Text, lines))


def _gain(place: Place) -> str | None:
    if (pair := place.gain) is None:
        return None
    low, high = pair.ci95
    measured = f"{title(pair.metric)} {pair.mean:+.2f} ({low:+.2f} to {high:+.2f})"
    return f"tuned - base, {place.name}: {measured}"
