"""A run that was made, opened: to be asked, searched, reported and exported."""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ragtune.arms.answer import Answer, AnswerStream
from ragtune.arms.arm import Arm
from ragtune.core.errors import RecipeError, RunError
from ragtune.core.files import content_hash, share
from ragtune.core.progress import Silent, Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.models.engines.base import Engine
from ragtune.models.engines.local import LocalEngine
from ragtune.recipe import file as recipe_file
from ragtune.recipe.arms import ARMS, Adapter, is_tuned, reads_documents
from ragtune.recipe.arms import Arm as ArmName
from ragtune.recipe.schema import Recipe
from ragtune.retrieval.passages import Passage
from ragtune.runs.ask import Asked, summary
from ragtune.runs.copies import Copies
from ragtune.runs.fresh import FreshIndex, State
from ragtune.runs.lock import Lock, differing
from ragtune.runs.materials import Materials
from ragtune.runs.run import Run
from ragtune.runs.stage import Work
from ragtune.runs.stages import answers, parts
from ragtune.runs.stages.index import Index
from ragtune.sources.records import Record

if TYPE_CHECKING:  # slow to import, and of no use to who only asks
    from ragtune.results.schema import Results


class OpenRun:
    """A run folder, opened; models are loaded at the first question.

    Nothing is answered from a folder that was edited or damaged since ragtune wrote it. The folder
    is taken while the context lasts, or, not ``alone``, only while something is read from it:
    then many processes ask it, and each searches a copy of the index as it is at the time.
    """

    def __init__(self, folder: Path, watcher: Watcher | None = None, *, alone: bool = True) -> None:
        """Open a run folder.

        Raises RunError where it is no run folder, another process has it, an older version made
        it, or a file in it is not as ragtune left it.
        """
        self.folder, self.watcher = RunFolder(folder), watcher or Silent()
        self.recipe, self.alone = recipe_of(folder), alone
        self.materials = Materials(self.recipe)
        self.run = Run(folder, self.watcher)
        self._copies = Copies(self.folder, f"{id(self):x}")
        self._open = ExitStack()
        self._arms: dict[str, Arm] = {}
        with ExitStack() as stack:
            if alone:
                stack.enter_context(self.run)
                self.lock = self.run.lock
                self._refuse_damaged()
            else:
                with contextlib.closing(share(folder)):
                    self.lock = Lock.load(self.folder)
                    self._refuse_damaged()
                    self._copies.remove_left_over()
                stack.callback(self._copies.remove)
            self._open = stack.pop_all()

    def __enter__(self) -> "OpenRun":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder, its index and its models."""
        self._open.close()
        self._arms.clear()

    def _repr_html_(self) -> str:
        """The run's table and verdict, for a notebook."""
        from ragtune.runs import notebook

        return notebook.run(self.folder.name, self.figures)

    def _refuse_damaged(self) -> None:
        damaged = [
            name for entry in self.lock.stages.values() for name in differing(self.folder, entry)
        ]
        if damaged:
            more = f" and {len(damaged) - 3} more" if len(damaged) > 3 else ""
            raise RunError(
                f"{self.folder}: missing or changed since they were made: "
                f"{', '.join(damaged[:3])}{more}; `ragtune run` with its recipe makes them again"
            )

    @functools.cached_property
    def figures(self) -> "Results":
        """Every figure of the run, as ``results.json`` holds them.

        Raises RunError where a stage is missing or older than what it was made from.
        """
        from ragtune.results.schema import Results
        from ragtune.runs.plan import named, plan, refuse_outdated
        from ragtune.runs.stages.figures import Figures

        stages = plan(self.recipe)
        with self._holding():
            made = Figures(self.recipe, self.lock, named(stages), self.folder)
            refuse_outdated([*stages, made], self.recipe, self.lock, self.folder.path)
            return Results.load(self.folder.results)

    def report(self) -> "Results":
        """Compute the figures again from what the stages left; write the report.

        Raises RunError where a stage is missing or older than what it was made from.
        """
        from ragtune.runs.pipeline import figures
        from ragtune.runs.plan import plan, refuse_outdated

        if not self.alone:
            with OpenRun(self.folder.path, self.watcher) as alone:
                return alone.report()
        stages = plan(self.recipe)
        refuse_outdated(stages, self.recipe, self.lock, self.folder.path)
        return figures(self.recipe, self.materials, self.run, stages)

    def ask(self, question: str, arm: str = "") -> Asked:
        """The answer of an arm, or of the one that the run recommends: text, sources, tokens.

        Raises RecipeError for an arm that the run does not have or an empty question.
        """
        name = self.arm_name(arm)
        stream = self.stream(question, name)
        return self.summary(name, question, stream.answer)

    def summary(self, arm: ArmName, question: str, answer: Answer) -> Asked:
        """An answer that was just given, with its arm and the state of the index that it is by."""
        by = self.state if reads_documents(arm) else None
        return summary(arm, question, answer, self.recipe.study.all_refusals, by)

    @property
    def state(self) -> State | None:
        """The state of the index that this thread searched last; None before the first search."""
        index = vars(self).get("_retriever")
        return index.used if isinstance(index, FreshIndex) else None

    def refresh(self) -> bool:
        """Search the index as it is now, if it is searched at all; whether it has changed."""
        index = vars(self).get("_retriever")
        return isinstance(index, FreshIndex) and index.refresh()

    def stream(self, question: str, arm: str = "") -> AnswerStream:
        """The text of the answer as it is written; afterwards the whole, as its ``answer``.

        Raises RecipeError for an arm that the run does not have or an empty question.
        """
        _refuse_empty(question)
        opened = self.arm(self.arm_name(arm))
        self.refresh()
        return opened.stream(Record(question, response=""))

    def search(
        self, question: str, top_k: int | None = None, mode: str = "", where: Sequence[str] = ()
    ) -> list[Passage]:
        """The best passages for a question, best first; as the recipe says where nothing is given.

        ``where`` holds conditions such as ``document=fog.md`` or ``page>=10``, all of which hold.

        Raises RecipeError for an empty question, an unknown mode, or a condition that is none;
        RunError where the index cannot be used.
        """
        from ragtune.retrieval.filters import conditions
        from ragtune.runs.search import MODES

        _refuse_empty(question)
        if mode and mode not in MODES:
            raise RecipeError(f"--mode {mode}: allowed are {', '.join(MODES)}")
        filters = conditions(where)
        self.refresh()
        found: list[Passage] = self._retriever.search(
            [question], top_k, filters, mode=mode or None
        )[0]
        return found

    def as_llama_index(self) -> Any:
        """The run's index as llama-index's ``VectorStoreIndex``, of use until the run is closed.

        Raises RunError where the index cannot be used.
        """
        index = self._retriever
        return (index.retriever if isinstance(index, FreshIndex) else index).as_llama_index()

    def export(
        self,
        folder: Path,
        dtype: str,
        arm: str = "",
        questions: int = 16,
        tokens: int = 512,
        *,
        gguf: str = "",
    ) -> Any:
        """Write an arm's adapter, merged into the base, to a folder; the drift of what was written.

        It is measured over the first held-out questions. Without an ``arm`` it is the recommended
        one, or the first that is tuned. With ``gguf`` one of ``tuning.export.KINDS`` is written
        instead of a folder for transformers; of the adapter alone there is no drift, and None.

        Raises RecipeError for an arm that the run does not have or that has no adapter;
        ModelError and RunError as ``tuning.export`` does.
        """
        from ragtune.runs.companions import companions
        from ragtune.tuning import export as exporting

        work, name = self._work, self._exported(arm)
        form, shown = parts.form(work), parts.shows_context(work)
        materials, adapter = self.materials, self.folder.adapter(name)
        given: dict[str, Any] = {
            "template_hash": form.hash,
            "tokenizer": materials.tokenizer,
            "about": companions(work, name, form.stops),
        }
        if gguf == exporting.LORA:
            exporting.export_lora(materials.base, adapter, folder, **given)
            return None
        given["rows"] = [
            form.row(q.instruction, q.own(with_context=shown), q.response, tokens).ids
            for q in parts.questions(work)[:questions]
        ]
        if gguf:
            return exporting.export_gguf(materials.base, adapter, folder, kind=gguf, **given)
        return exporting.export(materials.base, adapter, folder, dtype=dtype, **given)

    def arm_name(self, wanted: str = "") -> ArmName:
        """The arm of that name, or the one that the run recommends.

        Where nothing was compared, as after `ragtune index` alone, it is `rag`, or the first arm.

        Raises RecipeError for an arm that the run does not have.
        """
        has = self.recipe.arms
        if not wanted and not self.folder.results.exists():
            return "rag" if "rag" in has else has[0]
        if not wanted:
            return self._recommended or has[-1]
        name = next((a for a in ARMS if a == wanted), None)
        if name is None or name not in has:
            raise RecipeError(f"--arm {wanted}: this run has {', '.join(has)}")
        return name

    def arm(self, name: ArmName) -> Arm:
        """One of the run's arms, its models loaded."""
        if name not in self._arms:
            model = self.recipe.model
            asked = f"asking {model.engine}" if model.remote else f"loading {model.local}"
            self.watcher.say(f"{asked} for {name} …")
            engine, retriever = self._loaded(name)
            with self._holding():
                opened = answers.opened(name, self._looked_up(name), engine, retriever)
                self._arms[name] = self._open.enter_context(opened)
        return self._arms[name]

    def settle(self, name: ArmName) -> None:
        """Get an arm ready to be asked for long: seconds now, for less at each answer."""
        engine = self.arm(name).engine
        if isinstance(engine, LocalEngine):
            engine.settle()

    def _loaded(self, name: ArmName) -> tuple[Engine, Any]:
        """What answers for an arm, and the index that it searches; at the same time if possible."""
        if not (reads_documents(name) and self.materials.loads_beside):
            retriever = self._search(name)
            return self._engine(name), retriever
        with ThreadPoolExecutor(1) as beside:
            engine = beside.submit(self._engine, name)
            retriever = self._search(name)
            return engine.result(), retriever

    def _engine(self, name: ArmName) -> Engine:
        with self._holding():
            return parts.answering(self._work, self.recipe, name)

    @property
    def index(self) -> FreshIndex:
        """The index of a run that is not opened alone.

        Raises RunError where the index cannot be used.
        """
        index = self._retriever
        assert isinstance(index, FreshIndex)
        return index

    @contextlib.contextmanager
    def _holding(self) -> Iterator[None]:
        """The folder, kept from being written to, and the same as when it was opened."""
        if self.alone:
            yield
            return
        with contextlib.closing(share(self.folder.path)):
            was, self.lock = self.lock, Lock.load(self.folder)
            for name, entry in was.stages.items():
                now = self.lock.stages.get(name)
                if name != Index.name and (now is None or now.outcome != entry.outcome):
                    self.lock = was
                    raise RunError(f"{self.folder}: {name} was made again meanwhile; open it again")
            yield

    def _looked_up(self, name: ArmName) -> Work:
        """What an arm is opened with; an index of records that it needs is a copy."""
        run = self.folder if self.alone else self._copies.of_records(name)
        return Work(self.recipe, self.materials, run, run, self.watcher)

    def _search(self, name: ArmName) -> Any:
        return self._retriever if reads_documents(name) else None

    def _exported(self, arm: str) -> Adapter:
        if self.recipe.model.remote:
            raise RecipeError(
                f"model.engine: {self.recipe.model.engine} answered, and nothing was tuned here: "
                "there is no adapter to export"
            )
        if not arm and self.recipe.adapters:
            if not self.folder.results.exists():  # of `ragtune tune`: nothing was compared
                return self.recipe.adapters[0]
            recommended = self._recommended
            if recommended is not None and is_tuned(recommended):
                return self.recipe.adapter(recommended)
            return self.recipe.adapters[0]
        name = self.arm_name(arm)
        if not is_tuned(name):
            raise RecipeError(f"--arm {name}: it has no adapter; only tuned arms are exported")
        return self.recipe.adapter(name)

    @property
    def _recommended(self) -> ArmName | None:
        from ragtune.results.schema import Results

        return Results.load(self.folder.results).recommendation.arm

    @property
    def _work(self) -> Work:
        return Work(self.recipe, self.materials, self.folder, self.folder, self.watcher)

    @functools.cached_property
    def _retriever(self) -> Any:
        if self.alone:
            return self._open.enter_context(parts.retriever(self._work))

        from ragtune.retrieval.retriever import Retriever

        def opened(folder: Path) -> Retriever:
            return Retriever(
                folder,
                self.recipe.rag,
                self.materials.embedder,
                self.materials.embedder_fingerprint,
                self.materials.reranker,
            )

        index = FreshIndex(self.folder.index, self._copies.folder, opened)
        return self._open.enter_context(contextlib.closing(index))


def open_run(folder: str | Path, watcher: Watcher | None = None, *, alone: bool = True) -> OpenRun:
    """Open a run folder; see `OpenRun`."""
    return OpenRun(Path(folder), watcher, alone=alone)


def recipe_of(folder: Path) -> Recipe:
    """The recipe of a run folder.

    Raises RunError where it is no run folder, or its recipe was edited since the run.
    """
    run = RunFolder(folder)
    if not run.lock.is_file():
        raise RunError(f"{folder}: no run folder: lock.json is missing; `ragtune run` makes one")
    lock = Lock.load(run)
    if not run.recipe.is_file() or content_hash(run.recipe) != lock.recipe:
        raise RunError(
            f"{run.recipe}: missing or edited since the run: it is not the recipe that was run; "
            "`ragtune run` with the recipe's own file writes it again"
        )
    return recipe_file.load(run.recipe).at(run.path / lock.recipe_folder)


def _refuse_empty(question: str) -> None:
    if not question.strip():
        raise RecipeError("the question is empty")
