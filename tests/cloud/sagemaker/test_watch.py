from collections.abc import Callable
from typing import Any

import pytest

from ragtune.core.errors import CloudError
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.sagemaker import jobs
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.sagemaker.logs import Progress
from ragtune_cloud.sagemaker.record import read_record
from tests.cloud.fake import FakeSageMaker
from tests.cloud.made_up import Ear, watched

Open = Callable[[], Account]


def test_a_lost_connection_is_waited_for(submitted: RunFolder, account: Open) -> None:
    opened = account()
    count = iter(range(100))

    def lost(**_: Any) -> None:
        from botocore.exceptions import EndpointConnectionError

        if 2 <= next(count) < 5:
            raise EndpointConnectionError(endpoint_url="https://api.sagemaker")

    opened.session.events.register("before-call.sagemaker.DescribeTrainingJob", lost)
    ear = Ear()
    assert watched(submitted, opened, ear).status == "Completed"
    assert len([line for line in ear.said if "the job goes on without us" in line]) == 1


def test_an_interruption_leaves_the_job_running_and_watching_goes_on_later(
    submitted: RunFolder, account: Open, fake: FakeSageMaker
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    ear = Ear()
    with pytest.raises(KeyboardInterrupt):
        watched(submitted, account(), ear, sleep=interrupt)
    assert "runs on at $7.09 an hour, until it ends" in ear.said[-1]
    assert "`ragtune cloud stop RUN` stops it" in ear.said[-1]
    assert fake.calls["StopTrainingJob"] == 0
    assert watched(submitted, account(), Ear()).status == "Completed"


def test_a_stopped_job_is_no_success(submitted: RunFolder, account: Open) -> None:
    opened = account()
    jobs.stop(read_record(submitted), opened)
    with pytest.raises(CloudError, match=r"stopped.*, which is no success"):
        watched(submitted, opened, Ear())


def test_the_curve_is_parsed_from_the_log_of_the_published_job() -> None:
    progress = Progress()
    progress.read(
        [
            "Training Epoch0:  15%|#033[34m█▍        #033[0m| 4/27 [00:44<04:00, 10.47s/it]",
            "step 3 is completed and loss is 1.408427119255066",
            " eval_ppl=tensor(3.7398, device='cuda:0') eval_epoch_loss=tensor(1.3190, device='c')",
        ]
    )
    assert (progress.epoch, progress.step, progress.steps) == (0, 4, 27)
    assert progress.epochs == [{"epoch": 1, "eval_loss": 1.3190}]
    progress.read(["Epoch 1: train_perplexity=4.1, train_epoch_loss=1.4238, epoch time 264s"])
    assert progress.epochs == [{"epoch": 1, "train_loss": 1.4238, "eval_loss": 1.3190}]
