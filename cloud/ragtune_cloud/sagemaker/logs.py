"""What a training job's log says: how far it is, and the losses of each epoch."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

GROUP = "/aws/sagemaker/TrainingJobs"
FIRST_HOST = "algo-1"
"""Each host of the published job wrote the same; one is enough."""
_TRAIN = re.compile(r"train_epoch_loss=([0-9.]+)")
_EVAL = re.compile(r"eval_epoch_loss=tensor\(([0-9.]+)")
_STEP = re.compile(r"Training Epoch\s*:?\s*(\d+).*?(\d+)/(\d+) \[")


@dataclass
class Progress:
    """How far a job is: ``epoch`` from 0, ``step`` of ``steps`` in it, a loss an epoch (nats)."""

    epoch: int = 0
    step: int = 0
    steps: int = 0
    train_loss: list[float] = field(default_factory=list)
    eval_loss: list[float] = field(default_factory=list)

    def read(self, lines: Iterable[str]) -> None:
        """Take in further lines of the log."""
        for line in lines:
            self.train_loss += [float(value) for value in _TRAIN.findall(line)]
            self.eval_loss += [float(value) for value in _EVAL.findall(line)]
            for epoch, step, steps in _STEP.findall(line):
                if (int(epoch), int(step)) >= (self.epoch, self.step):
                    self.epoch, self.step, self.steps = int(epoch), int(step), int(steps)

    @property
    def epochs(self) -> list[dict[str, float]]:
        """One entry an epoch: its number from 1, the losses that the log has so far."""
        count = max(len(self.train_loss), len(self.eval_loss))
        named = {"train_loss": self.train_loss, "eval_loss": self.eval_loss}
        return [
            {"epoch": n + 1, **{name: v[n] for name, v in named.items() if n < len(v)}}
            for n in range(count)
        ]


class Tail:
    """The log of a job's first host, read a piece at a time."""

    def __init__(self, client: Any, job: str) -> None:
        self._client, self._job = client, job
        self._stream: str | None = None
        self._token: str | None = None

    def lines(self) -> list[str]:
        """What was written since the last call; nothing while there is no log."""
        from botocore.exceptions import ClientError

        try:
            if self._stream is None:
                self._stream = self._find()
            return self._read() if self._stream else []
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                return []
            raise

    def _find(self) -> str | None:
        found = self._client.describe_log_streams(
            logGroupName=GROUP, logStreamNamePrefix=f"{self._job}/{FIRST_HOST}"
        )["logStreams"]
        return found[0]["logStreamName"] if found else None

    def _read(self) -> list[str]:
        lines: list[str] = []
        while True:
            place = {"nextToken": self._token} if self._token else {"startFromHead": True}
            page = self._client.get_log_events(
                logGroupName=GROUP, logStreamName=self._stream, **place
            )
            lines += [event["message"] for event in page["events"]]
            if page["nextForwardToken"] == self._token or not page["events"]:
                self._token = page["nextForwardToken"]
                return lines
            self._token = page["nextForwardToken"]
