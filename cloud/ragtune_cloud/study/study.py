"""One study at full size, from a finished run to its report."""

import contextlib

from ragtune.core.errors import CloudError
from ragtune.core.files import own
from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import is_tuned
from ragtune.recipe.schema import Recipe
from ragtune.results.schema import Results
from ragtune.runs.open import open_run
from ragtune.runs.stage import Work
from ragtune.runs.stages.figures import tools
from ragtune_cloud import gate
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.study import figures
from ragtune_cloud.study.arms import ServedArm, side_of
from ragtune_cloud.study.asking import ask
from ragtune_cloud.study.outcomes import Outcomes
from ragtune_cloud.study.serving import Serving


def study(
    serving: Serving, recipe: Recipe, run: RunFolder, watcher: Watcher, *, failed: bool = False
) -> Results:
    """Ask every arm of a finished run of the models that are served; write figures and report.

    ``recipe`` is the run's own, perhaps with other needs. Models are deployed only where something
    has not been answered yet, and for no longer than it takes; what was answered is kept as it
    comes, so that a study that was broken off goes on. ``failed`` asks the questions again that
    the models failed to answer.

    Raises RunError where the run is not finished, was changed, or is studied by another process,
    CloudError where a server answered it, or the target cannot serve.
    """
    if recipe.model.remote:
        raise CloudError(
            f"{run}: {recipe.model.engine} answered this run, so there is no model of it to serve; "
            "run it with model.engine: torch"
        )
    folder = CloudFolder(run).study(serving.key)
    with contextlib.closing(own(folder.path)):
        outcomes = Outcomes(figures.outcomes(folder))
        if failed:
            outcomes.forget_failures()
        with open_run(run.path, watcher, alone=False) as opened:
            here, lock, materials = opened.figures, opened.lock, opened.materials
            work = Work(recipe, materials, run, run, watcher)
            sides = dict.fromkeys(map(side_of, recipe.arms))
            hosting = {side: serving.hosting(side) for side in sides}
            engines = {side: serving.engine(side) for side in sides}
            arms = [
                ServedArm(name, work, engines[side_of(name)], outcomes, serving.end_token)
                for name in recipe.arms
            ]
        left = [r for arm in arms for r in arm.requests if r.key not in outcomes]
        if left:
            needed = [side for side in engines if any(r.side == side for r in left)]
            asked = {side: engines[side] for side in needed}
            watcher.say(f"{serving.name}: {len(left)} questions left to ask, of {len(arms)} arms")
            with serving.deployed(needed), watcher.progress("study") as advance:
                ask(left, asked, outcomes, together=recipe.study.batch_size, advance=advance)
        figures.write_rows(arms, run, folder)
        trained = gate.promoted(recipe, run) if any(map(is_tuned, recipe.arms)) else None
        of = figures.served(recipe, serving, hosting, here, arms=arms, trained=trained)
        found = figures.figures(
            recipe, folder, lock, of, tools(recipe, folder, materials), serving=serving
        )
        serving.clear()
        return found
