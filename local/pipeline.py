"""The stages of a run, in order: index, data, tune, retrieval, answers, losses, figures, report.

Models are loaded when the first stage needs them, so a run whose stages all stand costs nothing.
"""

import functools
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local import environment, models, recipe_file
from local.recipe import Arm, Recipe
from local.records import Split, prepare
from local.runs import Run, digest, read_json, read_jsonl, write_json, write_jsonl, write_text
from local.template import Renderer
from local.watch import Silent, Watcher

CODE = 1
"""Part of every stage's inputs; raised when what a stage computes changes."""


class Pipeline:
    """A recipe's run: its data, its models, and the stages that make its folder."""

    def __init__(self, recipe: Recipe, run: Run, watcher: Watcher | None = None) -> None:
        self.recipe, self.run, self.watcher = recipe, run, watcher or Silent()
        self.template = recipe.template.build()
        self.show_context = recipe.records.context == "input"

    def execute(self) -> dict[str, Any]:
        """Make every stage that does not stand already; return the figures.

        Raises RagtuneError for whatever in the recipe's data or models cannot be used: all of it
        is looked at before the folder is made.
        """
        self.look()
        with self.run:
            self._begin()
            if self.retrieves:
                self._index()
            self._data()
            if self.tunes:
                self._tune()
            if self.retrieves:
                self._retrieval()
            for arm in self.recipe.arms:
                self._answers(arm)
            if self.tunes:
                self._heldout()
            return self.figures()

    def look(self) -> None:
        """Load and check all that the recipe points at, without writing anything."""
        _ = self.split, self.base
        if self.retrieves:
            _ = self.corpus, self.embedder_folder

    @property
    def tunes(self) -> bool:
        """Whether an arm needs the adapter."""
        return any("tuned" in arm for arm in self.recipe.arms)

    @property
    def retrieves(self) -> bool:
        """Whether an arm or a training row needs passages."""
        return any("rag" in arm for arm in self.recipe.arms) or self._passages_in_training

    @property
    def _passages_in_training(self) -> bool:
        return self.tunes and self.recipe.records.with_passages > 0

    # What the stages work with, loaded at first use.

    @functools.cached_property
    def split(self) -> Split:
        """Training records and held-out questions, each with its gold document."""
        split = prepare(self.recipe)
        if self.recipe.documents is None or self.recipe.documents.source != "contexts":
            return split
        from local.rag.documents import with_context_names

        return Split(
            with_context_names(split.train),
            with_context_names(split.test),
            split.bad,
            split.leaked,
        )

    @functools.cached_property
    def corpus(self) -> Any:
        """The documents to retrieve from."""
        from local.rag import documents

        assert self.recipe.documents is not None
        source = self.recipe.documents.source
        if source == documents.CONTEXTS:
            return documents.from_contexts([*self.split.train, *self.split.test])
        return documents.from_folder(self.recipe.path(source))

    @functools.cached_property
    def base(self) -> Path:
        """The base model's folder."""
        return models.model_folder(self.recipe)

    @functools.cached_property
    def embedder_folder(self) -> Path:
        """The embedder's folder."""
        return models.embedder_folder(self.recipe)

    @functools.cached_property
    def base_fingerprint(self) -> str:
        """The hash of the base model's files."""
        return models.fingerprint(self.base)

    @functools.cached_property
    def embedder_fingerprint(self) -> str:
        """The hash of the embedder's files."""
        return models.fingerprint(self.embedder_folder)

    @functools.cached_property
    def hardware(self) -> models.Hardware:
        """What this process computes on; noted in the lock, for a stage is about to be made."""
        hardware = models.probe()
        self.run.note(environment=environment.describe(hardware))
        return hardware

    @functools.cached_property
    def tokenizer(self) -> Any:
        """The base model's tokenizer."""
        return models.load_tokenizer(self.base)

    @functools.cached_property
    def renderer(self) -> Renderer:
        """The template bound to the tokenizer."""
        return Renderer(self.template, self.tokenizer)

    @functools.cached_property
    def base_model(self) -> Any:
        """The base model, ready to answer."""
        return models.load_base(self.base, self.hardware)

    @functools.cached_property
    def tuned_model(self) -> Any:
        """The base model with the run's adapter merged in, ready to answer."""
        adapter = self.run.folder / "adapter"
        return models.load_tuned(self.base, adapter, self.template.hash, self.hardware)

    @functools.cached_property
    def embedder(self) -> Any:
        """The embedder."""
        from local.rag.embed import Embedder

        return Embedder(self.embedder_folder, self.hardware)

    @functools.cached_property
    def retriever(self) -> Any:
        """The run's index, open for search."""
        from local.rag.index import Retriever

        return Retriever(
            self.run.folder / "index", self.recipe.rag, self.embedder, self.embedder_fingerprint
        )

    def arm(self, name: Arm) -> Any:
        """One of the four arms, over this run's adapter and index."""
        from local.arms import Arm as RunningArm
        from local.generate import Generator

        model = self.tuned_model if "tuned" in name else self.base_model
        return RunningArm(
            self.renderer,
            Generator(model, self.tokenizer, self.recipe.study.max_new_tokens),
            self.context_length,
            retriever=self.retriever if "rag" in name else None,
            show_context=self.show_context,
        )

    @functools.cached_property
    def context_length(self) -> int:
        """Positions that the base model was made for."""
        return models.context_length(self.base)

    # The stages.

    def _begin(self) -> None:
        write_text(self.run.folder / "recipe.yaml", recipe_file.dump(self.recipe))
        self.run.note(
            identity=self.recipe.identity,
            recipe_folder=os.path.relpath(self.recipe.path("."), self.run.folder),
        )
        for bad in self.split.bad[:5]:
            self.watcher.say(f"records: left out {bad}")

    def _index_inputs(self) -> dict[str, Any]:
        rag = self.recipe.rag
        return {
            "code": CODE,
            "documents": self.corpus.hash,
            "embedder": self.embedder_fingerprint,
            "rag.chunk_tokens": rag.chunk_tokens,
            "rag.chunk_overlap": rag.chunk_overlap,
        }

    def _index(self) -> None:
        from local.rag import index

        def make(work: Path) -> None:
            with self.watcher.progress("index") as advance:
                folder = index.fresh(work / "index")
                index.build(
                    self.corpus,
                    self.recipe.rag,
                    self.embedder,
                    fingerprint=self.embedder_fingerprint,
                    folder=folder,
                    advance=advance,
                )

        for name, reason in self.corpus.skipped.items():
            self.watcher.say(f"documents: left out {name}: {reason}")
        self._stage("index", self._index_inputs(), ["index"], make)

    def _data_inputs(self) -> dict[str, Any]:
        inputs = {
            "code": CODE,
            "records": digest([asdict(r) for r in self.split.train]),
            "questions": digest([asdict(r) for r in self.split.test]),
            "template": self.template.hash,
            "records.context": self.recipe.records.context,
            "records.with_passages": self.recipe.records.with_passages,
        }
        return {**inputs, **self._search_inputs()} if self._passages_in_training else inputs

    def _search_inputs(self) -> dict[str, Any]:
        rag = self.recipe.rag
        return {
            "index": digest(self._index_inputs()),
            "rag.top_k": rag.top_k,
            "rag.search": rag.search,
        }

    def _data(self) -> None:
        from local.tune import rows

        def make(work: Path) -> None:
            retriever = self.retriever if self._passages_in_training else None
            training = rows.training_rows(self.recipe, self.split.train, retriever)
            write_jsonl(work / "data" / "train.jsonl", training)
            write_jsonl(work / "data" / "test.jsonl", [asdict(r) for r in self.split.test])
            write_json(work / "data" / "template.json", self.template.jumpstart)

        self._stage("data", self._data_inputs(), ["data"], make)

    def _tune_inputs(self) -> dict[str, Any]:
        spec = {f"tune.{k}": v for k, v in self.recipe.tune.model_dump(mode="json").items()}
        return {
            "code": CODE,
            "data": digest(self._data_inputs()),
            "model": self.base_fingerprint,
            "seed": self.recipe.seed,
            **spec,
        }

    def _tune(self) -> None:
        from local.tune import samples, train

        def make(work: Path) -> None:
            rows = read_jsonl(self.run.folder / "data" / "train.jsonl")
            spec = self.recipe.tune
            length = samples.block_length(spec, self.tokenizer, self.context_length)
            prepared = samples.prepare(rows, spec, self.renderer, length)
            census = prepared.census
            self.watcher.say(
                f"tune: {census.rows} rows, {census.tokens} tokens → {census.train_samples} + "
                f"{census.validation_samples} samples of up to {length}, "
                f"{census.steps_an_epoch} steps an epoch"
            )
            with self.watcher.progress("tune") as advance:
                tuned = train.tune(
                    self.recipe,
                    self.base,
                    prepared,
                    pad=self.tokenizer.pad_token_id,
                    hardware=self.hardware,
                    folder=work,
                    advance=advance,
                )
            write_json(
                work / "adapter" / "training.json", {"census": census.to_json(), **tuned.to_json()}
            )

        self._stage("tune", self._tune_inputs(), ["adapter"], make)

    def _retrieval_inputs(self) -> dict[str, Any]:
        return {
            "code": CODE,
            "questions": self._data_inputs()["questions"],
            **self._search_inputs(),
        }

    def _retrieval(self) -> None:
        def make(work: Path) -> None:
            found = self.retriever.search([q.instruction for q in self.split.test])
            rows = [
                {"question": q.id, "passages": [asdict(p) for p in passages]}
                for q, passages in zip(self.split.test, found, strict=True)
            ]
            write_jsonl(work / "retrieval.jsonl", rows)

        self._stage("retrieval", self._retrieval_inputs(), ["retrieval.jsonl"], make)

    def _answers(self, name: Arm) -> None:
        study = self.recipe.study
        inputs = {
            "code": CODE,
            "questions": self._data_inputs()["questions"],
            "template": self.template.hash,
            "records.context": self.recipe.records.context,
            "study.max_new_tokens": study.max_new_tokens,
            "study.latency_questions": study.latency_questions,
            "model": self.base_fingerprint,
        }
        if "tuned" in name:
            inputs["tune"] = digest(self._tune_inputs())
        if "rag" in name:
            inputs["retrieval"] = digest(self._retrieval_inputs())

        def make(work: Path) -> None:
            from local.study.asking import ask

            with self.watcher.progress(f"answers: {name}") as advance:
                answers, latencies = ask(
                    self.arm(name), self.split.test, self._found(name), study, advance
                )
            write_jsonl(work / "answers" / f"{name}.jsonl", [a.to_json() for a in answers])
            write_jsonl(work / "latency" / f"{name}.jsonl", [asdict(t) for t in latencies])

        files = [f"answers/{name}.jsonl", f"latency/{name}.jsonl"]
        self._stage(f"answers/{name}", inputs, files, make)

    def _found(self, name: Arm) -> Sequence[Sequence[Any]]:
        """The passages of the retrieval stage for each question; none in an arm without."""
        if "rag" not in name:
            return [[] for _ in self.split.test]
        from local.rag.index import Passage

        rows = read_jsonl(self.run.folder / "retrieval.jsonl")
        return [[Passage(**p) for p in row["passages"]] for row in rows]

    def _heldout(self) -> None:
        inputs = {
            "code": CODE,
            "questions": self._data_inputs()["questions"],
            "tune": digest(self._tune_inputs()),
        }

        def make(work: Path) -> None:
            from local.study.heldout import completion_loss

            losses: dict[str, Any] = {}
            for side, model in (("base", self.base_model), ("tuned", self.tuned_model)):
                with self.watcher.progress(f"held-out loss: {side}") as advance:
                    measured = completion_loss(
                        model,
                        self.tokenizer,
                        self.renderer,
                        self.split.test,
                        self.context_length,
                        show_context=self.show_context,
                        advance=advance,
                    )
                losses[side] = measured["loss"]
                losses["tokens"] = measured["tokens"]
            write_json(work / "heldout.json", losses)

        self._stage("heldout", inputs, ["heldout.json"], make)

    def figures(self) -> dict[str, Any]:
        """Compute every figure from what the stages left; write ``results.json`` and the report."""
        from local.report import page
        from local.study import results

        figures = results.collect(self.recipe, self.run.folder, self.run.lock, self.split)
        write_json(self.run.folder / "results.json", figures)
        write_text(self.run.folder / "report.html", page.render(self.run.folder, figures))
        return figures

    def _stage(self, name: str, inputs: dict[str, Any], outputs: list[str], make: Any) -> None:
        made = self.run.stage(name, inputs, outputs, make)
        self.watcher.say(f"{name}: {made.how}, {made.seconds:.1f} s")


def open_run(folder: Path, watcher: Watcher | None = None) -> Pipeline:
    """The pipeline of a run folder that a recipe has made; the folder is not yet taken.

    Raises RunError where it is no run folder.
    """
    lock = read_json(folder / "lock.json")
    recipe = recipe_file.load(folder / "recipe.yaml").at(folder / lock["recipe_folder"])
    run = Run(folder, watcher.say if watcher else lambda line: None)
    return Pipeline(recipe, run, watcher)
