"""One thread for the models: answers are written in turn, piece by piece, each its own."""

import copy
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from ragtune.arms.answer import Answer, AnswerStream
from ragtune.arms.arm import Arm
from ragtune.recipe.arms import reads_documents
from ragtune.runs.fresh import State
from ragtune.runs.open import OpenRun
from ragtune.serve.job import Declined, Done, Event, Failed, Job, Limits, Piece
from ragtune.sources.records import Record

LOOK = 0.5
"""Seconds between two looks at whether the run's index has changed, while nobody asks."""


class Worker:
    """Answers the questions of a queue with an open run's arms.

    Streamed answers take turns, a piece each, so that none waits for another's end; a batch of
    others is answered between two pieces.
    """

    def __init__(self, opened: OpenRun, limits: Limits) -> None:
        self.opened, self.limits = opened, limits
        self._waiting: deque[Job] = deque()
        self._active: list[_Writing] = []
        self._wake = threading.Condition()
        self._closing, self._said = False, ""
        self._thread = threading.Thread(target=self._work, name="ragtune-models", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Questions that are not begun."""
        return len(self._waiting)

    @property
    def active(self) -> int:
        """Answers that are being written."""
        return len(self._active)

    def submit(self, job: Job) -> None:
        """Put a question into the queue.

        Raises Declined where too many wait already, or the worker ends.
        """
        with self._wake:
            if self._closing:
                raise Declined("closing", "the server is stopping; ask again when it is back")
            if len(self._waiting) >= self.limits.queue:
                raise Declined(
                    "busy", f"{len(self._waiting)} questions are waiting already; ask again later"
                )
            self._waiting.append(job)
            self._wake.notify()

    def close(self, timeout: float = 10.0) -> None:
        """Answer nothing more; whoever waits is told."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _work(self) -> None:
        while not self._closing:
            with self._wake:
                if not self._waiting and not self._active and not self._closing:
                    self._wake.wait(LOOK)
            self._refresh()
            self._begin()
            for writing in list(self._active):
                if not self._closing and not self._go_on(writing):
                    self._active.remove(writing)
        stopped = Declined("closing", "the server was stopped before the answer was whole")
        for job in [*(writing.job for writing in self._active), *self._waiting]:
            _tell(job, Failed(stopped))
        self._active.clear()
        self._waiting.clear()

    def _refresh(self) -> None:
        """Search the index as it is now; where that fails, as it was."""
        try:
            self.opened.refresh()
        except Exception as error:
            if str(error) != self._said:
                self._said = str(error)
                self.opened.watcher.say(f"index: {error}")

    def _begin(self) -> None:
        """Take questions from the queue, oldest first, as far as there is room."""
        while len(self._active) < self.limits.active and (job := self._next()):
            if job.streamed:
                self._active.append(_Writing(job, self.opened))
            else:
                self._answer([job, *self._beside(job)])
                return  # streams go on between two batches

    def _next(self) -> Job | None:
        """The next question that somebody still waits for."""
        while True:
            with self._wake:
                job = self._waiting.popleft() if self._waiting else None
            if job is None or self._wanted(job):
                return job

    def _wanted(self, job: Job) -> bool:
        if job.late:
            why = f"it waited {job.waited:.0f} s and was not begun; ask again later"
            _tell(job, Failed(Declined("late", why)))
        return not job.cancelled and not job.late

    def _beside(self, first: Job) -> list[Job]:
        """Other questions that can be answered in one batch with the first."""
        with self._wake:
            like = [
                job
                for job in self._waiting
                if not job.streamed and (job.arm, job.tokens) == (first.arm, first.tokens)
            ][: self.limits.batch - 1]
            for job in like:
                self._waiting.remove(job)
        return [job for job in like if self._wanted(job)]

    def _answer(self, jobs: Sequence[Job]) -> None:
        """Answer questions to the same arm in one batch."""
        started = time.perf_counter()
        records = [Record(job.question, response="") for job in jobs]
        waited = [job.waited for job in jobs]
        try:
            arm = shortened(self.opened.arm(jobs[0].arm), jobs[0].tokens)
            found, by = arm.retrieve(records), self.opened.state
            answers = arm.ask_all(records, found, batch_size=len(records))
            both = zip(jobs, answers, strict=True)
            summed = [told(self.opened, job, answer, by, arm.limit) for job, answer in both]
        except BaseException as error:  # the engine's panics are not Exceptions
            for job in jobs:
                _tell(job, Failed(_failure(error)))
            return
        seconds = (time.perf_counter() - started) / len(jobs)
        for job, said, wait in zip(jobs, summed, waited, strict=True):
            _tell(job, Done({**said, **_times(seconds, None, wait)}))

    def _go_on(self, writing: "_Writing") -> bool:
        """Write the next piece of an answer; whether more follows."""
        job = writing.job
        if job.cancelled:
            writing.close()
            return False
        if job.late:
            writing.close()
            why = f"the answer was not whole after {job.waited:.0f} s"
            _tell(job, Failed(Declined("late", why)))
            return False
        try:
            event = next(writing)
        except StopIteration:
            return False
        except BaseException as error:  # the engine's panics are not Exceptions
            _tell(job, Failed(_failure(error)))
            return False
        return _tell(job, event) and isinstance(event, Piece)


class _Writing(Iterator[Event]):
    """An answer that is being written: its pieces, and the whole at the end.

    What it takes is counted over its own turns alone.
    """

    def __init__(self, job: Job, opened: OpenRun) -> None:
        self.job, self._opened = job, opened
        self._stream: AnswerStream | None = None
        self._by: State | None = None
        self._arm: Arm | None = None
        self._busy, self._first, self._waited = 0.0, 0.0, job.waited

    def __next__(self) -> Event:
        started = time.perf_counter()
        if self._stream is None:
            self._arm = shortened(self._opened.arm(self.job.arm), self.job.tokens)
            self._stream = self._arm.stream(Record(self.job.question, response=""))
        assert self._arm is not None
        piece = next(self._stream, None)
        self._busy += time.perf_counter() - started
        if not self._first:  # its passages were found in this turn
            self._first, self._by = self._busy, self._opened.state
        if piece is not None:
            return Piece(piece)
        summed = told(self._opened, self.job, self._stream.answer, self._by, self._arm.limit)
        return Done({**summed, **_times(self._busy, self._first, self._waited)})

    def close(self) -> None:
        """Write no further."""
        self._stream = None


def shortened(arm: Arm, tokens: int | None) -> Arm:
    """The arm, with answers of at most so many tokens."""
    if tokens is None or tokens >= arm.limit:
        return arm
    other = copy.copy(arm)
    other.limit = tokens
    return other


def told(opened: OpenRun, job: Job, answer: Answer, by: State | None, limit: int) -> dict[str, Any]:
    """An answer as JSON, with the state of the index that it was given by."""
    said = opened.summary(job.arm, job.question, answer)
    said["index"] = by.to_json() if by and reads_documents(job.arm) else None
    said["full"] = answer.completion_tokens >= limit
    return said


def _times(busy: float, first: float | None, waited: float) -> dict[str, Any]:
    return {
        "milliseconds": round(busy * 1000, 1),
        "first_milliseconds": None if first is None else round(first * 1000, 1),
        "waited_milliseconds": round(waited * 1000, 1),
    }


def _failure(error: BaseException) -> Declined:
    reason = (str(error).splitlines() or [""])[0]
    return Declined("failed", f"{type(error).__name__}: {reason}")


def _tell(job: Job, event: Event) -> bool:
    """Tell who asked; False, and the job is cancelled, where nobody is there any more."""
    try:
        job.tell(event)
    except RuntimeError:  # its event loop is closed
        job.cancel()
        return False
    return True
