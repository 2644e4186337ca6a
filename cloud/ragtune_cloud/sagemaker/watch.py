"""Watching a job: a bar, the stage, each epoch's losses beside the local run's, what it costs."""

from time import sleep
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.files import read_json, write_json
from ragtune.core.progress import Advance, Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.recipe import file as recipe_file
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.gate import promoted
from ragtune_cloud.sagemaker import jobs
from ragtune_cloud.sagemaker.account import Account, Refusal, Unreachable, aws_errors
from ragtune_cloud.sagemaker.logs import Progress, Tail
from ragtune_cloud.sagemaker.record import Record
from ragtune_cloud.target import Status

POLL = 20.0
"""Seconds between two looks."""


def watch(
    record: Record,
    run: RunFolder,
    account: Account,
    watcher: Watcher,
) -> Status:
    """Look until the job has ended; write its curve to ``cloud/training.json``.

    A lost connection is waited for. An interruption leaves the job running. Raises CloudError
    where the job failed, was stopped, or is not there.
    """
    eye = _Eye(record, run, account, watcher)
    try:
        with watcher.progress(record.job) as advance:
            while (now := eye.look(advance)) is None or now.status in jobs.LIVE:
                sleep(POLL)
    except KeyboardInterrupt:
        watcher.say(f"{_runs_on(record)}; `ragtune cloud stop RUN` stops it")
        raise
    except Refusal as error:
        if eye.ended:
            raise
        raise CloudError(
            f"{error}; {_runs_on(record)}; `ragtune cloud watch RUN` goes on"
        ) from None
    write_json(CloudFolder(run).training, {**now.to_json(), "epochs": eye.progress.epochs})
    jobs.check_ended_well(now, len(eye.progress.epochs))
    return now


def _runs_on(record: Record) -> str:
    """That the job does, and what it costs meanwhile."""
    hourly = record.usd_per_hour
    price = "" if hourly is None else f" at ${hourly:.2f} an hour"
    return f"{record.job} runs on{price}, until it ends or comes to its ceiling"


class _Eye:
    """One look after another; remembers what was told already."""

    def __init__(self, record: Record, run: RunFolder, account: Account, watcher: Watcher) -> None:
        self._record, self._account, self._watcher = record, account, watcher
        self._local = _local_epochs(run)
        self._tail = Tail(account.client("logs"), record.job)
        self.progress = Progress()
        self._stage, self._told, self._lost = "", 0, False
        self.ended = False

    def look(self, advance: Advance) -> Status | None:
        """Tell what is new; None while AWS cannot be reached."""
        try:
            now = jobs.status(self._record, self._account)
            self.ended = now.status not in jobs.LIVE
            with aws_errors(self._account.known_id):
                self.progress.read(self._tail.lines())
        except Unreachable as error:
            if not self._lost:
                self._watcher.say(f"{error}; the job goes on without us, waiting")
            self._lost = True
            return None
        self._lost = False
        if now.stage != self._stage:
            self._watcher.say(str(now))
            self._stage = now.stage
        for epoch in self.progress.epochs[self._told :]:
            self._watcher.say(_line(epoch, self._local, now))
        self._told = len(self.progress.epochs)
        if steps := self.progress.steps:
            advance(self.progress.epoch * steps + self.progress.step, self._record.epochs * steps)
        return now


def _local_epochs(run: RunFolder) -> dict[int, dict[str, Any]]:
    """The epochs of the adapter that was promoted."""
    if not run.recipe.exists():
        return {}
    training = run.training(promoted(recipe_file.load(run.recipe), run))
    if not training.exists():
        return {}
    return {round(e["epoch"]): e for e in read_json(training)["epochs"]}


def _line(epoch: dict[str, float], local: dict[int, dict[str, Any]], now: Status) -> str:
    def losses(values: dict[str, Any]) -> str:
        return "/".join(
            f"{values[name]:.4f}" if name in values else "-" for name in ("train_loss", "eval_loss")
        )

    number = round(epoch["epoch"])
    beside = f", here {losses(local[number])}" if number in local else ""
    spent = "" if now.usd is None else f"; ${now.usd:.2f} so far"
    return f"epoch {number}: train/validation loss {losses(epoch)}{beside}{spent}"
