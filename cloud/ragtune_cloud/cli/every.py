"""Every target at once: for verbs that are about a run folder, not about one cloud."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragtune.core.progress import Watcher
    from ragtune_cloud.ledger import Delete
    from ragtune_cloud.sagemaker.target import SageMaker
    from ragtune_cloud.target import Target


def targets(profile: str | None, account: str | None) -> "Sequence[Target]":
    """All of them, by the credentials of a profile."""
    from ragtune_cloud.bedrock.target import Bedrock
    from ragtune_cloud.sagemaker.target import SageMaker

    return [SageMaker(profile, account), Bedrock(profile, account)]


def deleters(target: "SageMaker", watcher: "Watcher") -> "dict[str, Delete]":
    """What deletes each kind of thing that any target creates, in the target's account."""
    from ragtune_cloud.bedrock.deletion import deleters as of_bedrock

    return {**target.deleters(watcher), **of_bedrock(target.account, watcher)}
