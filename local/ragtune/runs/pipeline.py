"""The stages of a run, in order: index, data, tune, retrieval, answers, evidence, figures, report.

Models are loaded when the first stage needs them, so a run whose stages all stand costs nothing.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ragtune.core.errors import RecipeError, RunError
from ragtune.core.files import (
    digest,
    file_hash,
    read_json,
    read_jsonl,
    write_json,
    write_jsonl,
    write_text,
)
from ragtune.core.progress import Silent, Watcher
from ragtune.recipe import file as recipe_file
from ragtune.recipe.schema import Arm, Recipe
from ragtune.retrieval.stores.base import EMBEDDED
from ragtune.runs import environment, evidence
from ragtune.runs.inputs import StageInputs, outdated
from ragtune.runs.stage import Run
from ragtune.runs.workbench import Workbench
from ragtune.runs.worker import tune_together
from ragtune.tuning.samples import Samples

Measure = Callable[[Workbench, Watcher], dict[str, Any]]
SUMS = "sha256.json"
"""In ``data/``: the hash of each file there as the run made it; promotion compares."""


class Pipeline:
    """The stages that make a run folder from a recipe."""

    def __init__(self, recipe: Recipe, run: Run, watcher: Watcher | None = None) -> None:
        self.recipe, self.run, self.watcher = recipe, run, watcher or Silent()
        self.bench = Workbench(recipe, run.folder)
        self.inputs = StageInputs(recipe, self.bench)

    def execute(self) -> dict[str, Any]:
        """Make every stage that does not stand already; return the figures.

        Raises RagtuneError for whatever in the recipe's data or models cannot be used: all of it
        is checked before the folder is made.
        """
        bench = self.bench
        bench.check()
        with self.run:
            self._begin()
            if bench.retrieves:
                self._index()
            self._data()
            if bench.tunes:
                self._tune()
            if bench.retrieves:
                self._retrieval()
            if bench.retrieves and self.recipe.rag.refuse_below == "calibrated":
                self._measured("refusal", self.inputs.refusal(), evidence.refusal)
            for arm in self.recipe.arms:
                self._answers(arm)
            if bench.tunes:
                self._measured("heldout", self.inputs.heldout(), evidence.heldout_loss)
                self._measured("forgetting", self.inputs.forgetting(), evidence.forgetting)
                self._learning_curve()
            self._freshness()
            return self.figures()

    def tune(self, processes: int = 1) -> dict[str, Any]:
        """Make the adapter and what it needs, and nothing else; what training came to.

        Several processes share the samples of each step.

        Raises RagtuneError as ``execute`` does.
        """
        bench = self.bench
        bench.check()
        if not bench.tunes:
            raise RecipeError("study.arms: none of them is tuned; add tuned or tuned+rag")
        with self.run:
            self._begin()
            if bench.passages_in_training:
                self._index()
            self._data()
            self._tune(processes)
        return dict(read_json(self.run.folder / "adapter" / "training.json"))

    def index(self, *, rebuild: bool = False) -> dict[str, Any]:
        """Bring the index alone up to date with its documents; return what it holds then.

        ``rebuild`` makes it from nothing, whatever is there.

        Raises RagtuneError as ``execute`` does.
        """
        from ragtune.retrieval.manifest import Manifest

        self.bench.check_documents()
        with self.run:
            self._sign()
            changes = self._index(rebuild=rebuild)
            held = Manifest.load(self.run.folder / "index")
        assert held is not None
        return {
            "run": str(self.run.folder),
            **({"changes": changes} if changes else {}),
            "documents": len(held.documents),
            "chunks": held.points,
            "skipped": held.skipped,
        }

    def _sign(self) -> None:
        """Write what says of the folder which recipe it belongs to."""
        write_text(self.run.folder / "recipe.yaml", recipe_file.dump(self.recipe))
        self.run.note(
            identity=self.recipe.identity,
            recipe_folder=os.path.relpath(
                self.recipe.path(".").resolve(), self.run.folder.resolve()
            ),
        )

    def _begin(self) -> None:
        split = self.bench.split
        self._sign()
        self.run.note(
            data={
                "train": len(split.train),
                "test": len(split.test),
                "bad_lines": [str(b) for b in split.bad],
                "questions_also_in_training": len(split.leaked),
            },
        )
        for bad in split.bad[:5]:
            self.watcher.say(f"records: left out {bad}")

    def _index(self, *, rebuild: bool = False) -> dict[str, Any]:
        """Bring the index up to date; return what was different, empty where it stood."""
        from ragtune.retrieval import index
        from ragtune.retrieval.manifest import Manifest

        changes: dict[str, Any] = {}

        def make(folder: Path) -> None:
            with self.watcher.progress("index") as advance:
                found = index.update(
                    self.bench.corpus,
                    self.recipe.rag,
                    self.bench.embedder,
                    fingerprint=self.bench.embedder_fingerprint,
                    folder=folder / "index",
                    rebuild=rebuild,
                    advance=advance,
                )
            changes.update(found.to_json())
            self.watcher.say(f"documents: {found}")

        inputs = self.inputs.kept_index()
        self._stage("index", inputs, ["index"], make, in_place=True, anew=rebuild)
        manifest = Manifest.load(self.run.folder / "index")
        for name, reason in (manifest.skipped if manifest else {}).items():
            self.watcher.say(f"documents: left out {name}: {reason}")
        return changes

    def _data(self) -> None:
        def make(work: Path) -> None:
            training = self.bench.training_rows(self.bench.split.train)
            write_jsonl(work / "data" / "train.jsonl", training)
            write_jsonl(work / "data" / "test.jsonl", [asdict(r) for r in self.bench.split.test])
            write_json(work / "data" / "template.json", self.bench.template.jumpstart)
            written = sorted((work / "data").iterdir())
            write_json(work / "data" / SUMS, {p.name: file_hash(p) for p in written})

        self._stage("data", self.inputs.data(), ["data"], make)

    def _tune(self, processes: int = 1) -> None:
        from ragtune.tuning import tensorboard as curves

        def make(work: Path) -> None:
            rows = read_jsonl(self.run.folder / "data" / "train.jsonl")
            prepared = self.bench.samples(rows)
            census = prepared.census
            self.watcher.say(
                f"tune: {census.rows} rows, {census.tokens} tokens → {census.train_samples} + "
                f"{census.validation_samples} samples, {census.steps_an_epoch} steps an "
                f"epoch; longest row {census.longest}, {census.rows_cut} cut"
            )
            for warning in census.warnings:
                self.watcher.say(f"tune: warning: {warning}")
            if processes == 1:
                tuned = self._trained(prepared, work)
            else:
                tuned = tune_together(self.run.folder, work, processes)
            write_json(work / "adapter" / "training.json", {"census": census.to_json(), **tuned})
            curves.write(work / "adapter" / "tensorboard", tuned)

        self._stage("tune", self.inputs.tune(), ["adapter"], make)

    def _trained(self, samples: Samples, work: Path) -> dict[str, Any]:
        from ragtune.tuning import trainer as train

        with self.watcher.progress("tune") as advance:
            return train.tune(
                self.recipe.tune,
                self.bench.base,
                samples,
                seed=self.recipe.seed,
                name=self.recipe.model.local,
                template_hash=self.bench.template.hash,
                hardware=self.bench.hardware,
                folder=work,
                watcher=self.watcher,
                advance=advance,
            ).to_json()

    def _retrieval(self) -> None:
        def make(work: Path) -> None:
            asked = [q.query(with_context=self.bench.show_context) for q in self.bench.split.test]
            found = self.bench.retriever.search(asked)
            rows = [
                {"question": q.id, "passages": [asdict(p) for p in passages]}
                for q, passages in zip(self.bench.split.test, found, strict=True)
            ]
            write_jsonl(work / "retrieval.jsonl", rows)

        self._stage("retrieval", self.inputs.retrieval(), ["retrieval.jsonl"], make)

    def _answers(self, name: Arm) -> None:
        from ragtune.arms.ask_all import ask

        def make(work: Path) -> None:
            with self.watcher.progress(f"answers: {name}") as advance:
                arm, asked = self.bench.arm(name), self.bench.split.test
                answers, latencies = ask(arm, asked, self._found(name), self.recipe.study, advance)
            write_jsonl(work / "answers" / f"{name}.jsonl", [a.to_json() for a in answers])
            write_jsonl(work / "latency" / f"{name}.jsonl", [asdict(t) for t in latencies])

        files = [f"answers/{name}.jsonl", f"latency/{name}.jsonl"]
        self._stage(f"answers/{name}", self.inputs.answers(name), files, make)

    def _found(self, name: Arm) -> Sequence[Sequence[Any]]:
        """The passages of the retrieval stage for each question; none in an arm without."""
        if "rag" not in name:
            return [[] for _ in self.bench.split.test]
        from ragtune.retrieval.passages import Passage

        rows = read_jsonl(self.run.folder / "retrieval.jsonl")
        return [[Passage(**p) for p in row["passages"]] for row in rows]

    def _freshness(self) -> None:
        """Measure freshness on an embedded index; a server's collection is not copied."""
        name = next((arm for arm in self.recipe.arms if "rag" in arm), None)
        if name is None or self.recipe.rag.qdrant != EMBEDDED:
            return

        def make(work: Path) -> None:
            answers = read_jsonl(self.run.folder / "answers" / f"{name}.jsonl")
            texts = [answer["text"] for answer in answers]
            fresh = evidence.freshness(self.bench, name, texts, work, self.watcher)
            write_json(work / "freshness.json", fresh)

        inputs = {"arm": name, **self.inputs.answers(name)}
        self._stage("freshness", inputs, ["freshness.json"], make)

    def _learning_curve(self) -> None:
        arms = [arm for arm in self.recipe.arms if "tuned" in arm]
        for share in self.recipe.study.learning_curve:
            if share == 1:
                continue

            def make(work: Path, share: float = share) -> None:
                found = {arm: self._found(arm) for arm in arms}
                evidence.learn(self.bench, share, found, work, self.watcher)

            answers = {str(arm): digest(self.inputs.answers(arm)) for arm in arms}
            inputs = {"share": share, **answers}
            self._stage(f"curve/{share:g}", inputs, [f"curve/{share:g}"], make)

    def figures(self) -> dict[str, Any]:
        """Compute every figure from what the stages left; write ``results.json`` and the report.

        Raises RunError where a stage is missing, or older than the data that it has to do with.
        """
        from ragtune.results import collect as results
        from ragtune.results.page import page

        if older := outdated(self.run.lock["stages"], self.recipe.arms):
            raise RunError(
                f"{self.run.folder}: {', '.join(older)} older than the run's data or adapter; "
                "go on with `ragtune run`"
            )
        figures = results.collect(self.recipe, self.run.folder, self.run.lock)
        write_json(self.run.folder / "results.json", figures)
        write_text(self.run.folder / "report.html", page.render(self.run.folder, figures))
        return figures

    def _measured(self, name: str, inputs: dict[str, Any], measure: Measure) -> None:
        """A stage whose outcome is one JSON file of its name."""

        def make(work: Path) -> None:
            write_json(work / f"{name}.json", measure(self.bench, self.watcher))

        self._stage(name, inputs, [f"{name}.json"], make)

    def _stage(
        self,
        name: str,
        inputs: dict[str, Any],
        outputs: list[str],
        make: Any,
        *,
        in_place: bool = False,
        anew: bool = False,
    ) -> None:
        made = self.run.stage(name, inputs, outputs, make, in_place=in_place, anew=anew)
        if made.how == "made" and "environment" not in self.run.lock:
            self.run.note(environment=environment.describe(self.bench.hardware))
        self.watcher.say(f"{name}: {made.how}, {made.seconds:.1f} s")


def open_run(folder: Path, watcher: Watcher | None = None) -> Pipeline:
    """The pipeline of a run folder that a recipe has made; the folder is not yet taken.

    Raises RunError where it is no run folder.
    """
    lock = read_json(folder / "lock.json")
    recipe = recipe_file.load(folder / "recipe.yaml").at(folder / lock["recipe_folder"])
    run = Run(folder, watcher.say if watcher else lambda line: None)
    return Pipeline(recipe, run, watcher)
