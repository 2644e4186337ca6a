"""An open run, kept warm: asked, searched and brought up to date by many at once."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ragtune.core.errors import RecipeError, RunError
from ragtune.core.files import digest
from ragtune.core.progress import Silent, Watcher
from ragtune.recipe.arms import Arm as ArmName
from ragtune.results.schema import Results
from ragtune.retrieval.passages import Passage
from ragtune.runs.fresh import FreshIndex, State, state
from ragtune.runs.open import OpenRun
from ragtune.serve import about, place
from ragtune.serve.job import Done, Event, Failed, Job, Limits, Tell
from ragtune.serve.updates import Updates
from ragtune.serve.worker import Worker

SHOWN = 4096
"""Passages that were shown lately, and so can be looked at in their documents."""
TEXTS, LETTERS = 64, 8000
"""Texts that are embedded together, and characters of each."""
TOP_K = 50
"""Passages that a search gives at most."""


class Session:
    """A run that is served; all of it may be called from any thread.

    An answer is a JSON object: that of ``OpenRun.ask``, with a ``key`` in each source, by which
    `passage` shows it, and the milliseconds that it took (``first_…`` to its first piece,
    ``waited_…`` before it was begun).
    """

    def __init__(
        self,
        folder: Path,
        *,
        arms: Sequence[str] = (),
        limits: Limits | None = None,
        watch: float = 0.0,
        watcher: Watcher | None = None,
    ) -> None:
        """Open a run; ``arms`` are those that can be asked, all where none is named.

        ``watch``: seconds between two looks at the documents; 0 looks only when asked.

        Raises RagtuneError as `OpenRun` does.
        """
        self.limits, self.watcher = limits or Limits(), watcher or Silent()
        self.opened = OpenRun(folder, self.watcher, alone=False)
        try:
            self.arms: tuple[ArmName, ...] = tuple(
                self.opened.arm_name(name) for name in arms or self.opened.recipe.arms
            )
            self.recommended = self._recommended()
            self.default = self.recommended or self.arms[-1]
        except BaseException:
            self.opened.close()
            raise
        self._worker = Worker(self.opened, self.limits)
        self._shown: OrderedDict[str, Passage] = OrderedDict()
        self._guard = threading.Lock()
        self.updates = Updates(self.opened, watch, self.watcher)

    def start(self) -> None:
        """Load what answers, then begin to answer.

        Raises RagtuneError where a model or the index cannot be used.
        """
        materials = self.opened.materials
        materials.embedder = OneAtATime(materials.embedder)
        for name in self.arms:
            self.opened.settle(name)
        if self.has_index:
            _ = self.opened.index
        self._worker.start()
        self.updates.start()

    def close(self) -> None:
        """Stop: what is being answered is told so."""
        self.updates.close()
        self._worker.close()
        self.opened.close()

    @property
    def has_index(self) -> bool:
        """Whether the run has documents that can be searched."""
        return self.opened.folder.manifest.exists()

    @property
    def state(self) -> State | None:
        """The state of the index that the next question is answered by."""
        if not self.has_index:
            return None
        return state(self.opened.folder.index) or self.opened.index.state  # while it is updated

    def submit(
        self,
        question: str,
        arm: str,
        tell: Tell,
        *,
        streamed: bool = True,
        tokens: int | None = None,
    ) -> Job:
        """Ask; ``tell`` is told the pieces, and last the answer or why there is none.

        ``tokens`` is the most that the answer may have, where the study allows more.

        Raises RecipeError for what cannot be asked, Declined where too many wait.
        """
        self.refuse_question(question)
        name = self.arm(arm)

        def seen(event: Event) -> None:
            tell(Done(self._with_keys(event.answer)) if isinstance(event, Done) else event)

        deadline = time.monotonic() + self.limits.seconds
        job = Job(question, name, seen, streamed, tokens, deadline)
        self._worker.submit(job)
        return job

    def ask(self, question: str, arm: str = "", tokens: int | None = None) -> dict[str, Any]:
        """The answer, waited for.

        Raises RagtuneError as `submit` does, and Declined where it is not given.
        """
        events: list[Event] = []
        ready = threading.Event()

        def tell(event: Event) -> None:
            events.append(event)
            ready.set()

        self.submit(question, arm, tell, streamed=False, tokens=tokens)
        ready.wait()
        (event,) = events
        if isinstance(event, Failed):
            raise event.error
        assert isinstance(event, Done)
        return event.answer

    def arm(self, name: str) -> ArmName:
        """The arm of that name; without one the default: the recommended, or else the last.

        Raises RecipeError for one that is not served.
        """
        if not name:
            return self.default
        for arm in self.arms:
            if arm == name:
                return arm
        raise RecipeError(f"model {name}: this server has {', '.join(self.arms)}")

    def refuse_question(self, question: str) -> None:
        """Raise RecipeError for a question that is empty or too long."""
        if not question.strip():
            raise RecipeError("the question is empty")
        if len(question) > self.limits.question:
            raise RecipeError(
                f"the question has {len(question)} characters; allowed are {self.limits.question}"
            )

    def search(
        self, question: str, top_k: int | None = None, mode: str = "", where: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Passages without an answer, and the state of the index in which they were found.

        Raises RecipeError for what cannot be searched for, RunError where there is no index.
        """
        from ragtune.retrieval.filters import conditions
        from ragtune.runs.search import MODES

        self.refuse_question(question)
        if mode and mode not in MODES:
            raise RecipeError(f"mode {mode}: allowed are {', '.join(MODES)}")
        if top_k is not None and not 1 <= top_k <= TOP_K:
            raise RecipeError(f"top_k {top_k}: allowed are 1 to {TOP_K}")
        index = self._index()
        started = time.perf_counter()
        kind: Any = mode or None
        index.refresh()
        (found,), by = index.found([question], top_k, conditions(where), mode=kind)
        seconds = time.perf_counter() - started
        sources = [asdict(passage) for passage in found]
        return {
            "question": question,
            "passages": self._keyed(sources),
            "index": by.to_json() if by else None,
            "milliseconds": round(seconds * 1000, 1),
        }

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of unit length, by the run's embedder.

        Raises RecipeError for no text, too many or too long ones; RunError without an index.
        """
        if not 1 <= len(texts) <= TEXTS:
            raise RecipeError(f"input: {len(texts)} texts; allowed are 1 to {TEXTS}")
        if any(not text.strip() or len(text) > LETTERS for text in texts):
            raise RecipeError(f"input: a text is empty or longer than {LETTERS} characters")
        return self._index().embed(texts)

    def passage(self, key: str, sentences: Sequence[str] = ()) -> dict[str, Any]:
        """A passage that was shown, in its document, with what of each sentence it holds.

        Raises RunError for one that was not shown, or long ago.
        """
        with self._guard:
            found = self._shown.get(key)
        if found is None:
            raise RunError("this passage was shown too long ago; ask again")
        return place.place(found, sentences, self.updates.documents())

    def about(self) -> dict[str, Any]:
        """What is served: the run, its arms, example questions, the state of its index."""
        return {**about.about(self.opened, self.arms, self.recommended), **self.status()}

    def status(self) -> dict[str, Any]:
        """How the server is doing: who waits, and how far the index is behind its documents."""
        by = self.state
        return {
            "waiting": self._worker.waiting,
            "active": self._worker.active,
            "queue": self.limits.queue,
            "index": by.to_json() if by else None,
            "behind": self.updates.behind(),
            "watching": self.updates.watching,
        }

    def _index(self) -> FreshIndex:
        if not self.has_index:
            raise RunError(f"{self.opened.folder}: this run has no index of documents")
        return self.opened.index

    def _recommended(self) -> ArmName | None:
        """The arm that the study recommends; None where it recommends none, or it is not served."""
        try:
            named = Results.load(self.opened.folder.results).recommendation.arm
        except RunError:  # nothing was compared yet, or by an older ragtune
            return None
        return named if named in self.arms else None

    def _with_keys(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "sources": self._keyed(answer["sources"])}

    def _keyed(self, sources: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        keyed = []
        with self._guard:
            for source in sources:
                key = digest([source["document"], source["locator"], source["text"]])[:16]
                self._shown[key] = Passage(**source)
                self._shown.move_to_end(key)
                keyed.append({**source, "key": key})
            while len(self._shown) > SHOWN:
                self._shown.popitem(last=False)
        return keyed


class OneAtATime:
    """An embedder for several threads: its tokenizer serves one at a time."""

    def __init__(self, embedder: Any) -> None:
        self._embedder, self._lock = embedder, threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text."""
        with self._lock:
            vectors: list[list[float]] = self._embedder.embed(texts)
            return vectors

    def embed_questions(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a question."""
        with self._lock:
            vectors: list[list[float]] = self._embedder.embed_questions(texts)
            return vectors
