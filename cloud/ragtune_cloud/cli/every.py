"""Every target at once: for verbs that are about a run folder, not about one cloud."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ragtune.core.progress import Watcher
    from ragtune.core.run_folder import RunFolder
    from ragtune_cloud.ledger import Delete
    from ragtune_cloud.sagemaker.target import SageMaker
    from ragtune_cloud.target import Item


class Billed(Protocol):
    """What has things in a cloud that cost money."""

    def bill(self, runs: "Sequence[RunFolder]", region: str | None = None) -> "Sequence[Item]":
        """All that still costs money there."""


def targets(profile: str | None, account: str | None) -> "Sequence[Billed]":
    """All of them, by the credentials of a profile, and the indexes that were moved."""
    from ragtune_cloud.bedrock.target import Bedrock
    from ragtune_cloud.index.bill import Indexes
    from ragtune_cloud.sagemaker.target import SageMaker

    target = SageMaker(profile, account)
    return [target, Bedrock(profile, account), Indexes(target.account)]


def deleters(target: "SageMaker", watcher: "Watcher") -> "dict[str, Delete]":
    """What deletes each kind of thing that any target creates, in the target's account."""
    from ragtune_cloud.bedrock.deletion import deleters as of_imports
    from ragtune_cloud.index.bill import Indexes

    return {
        **target.deleters(watcher),
        **of_imports(target.account, watcher),
        **Indexes(target.account).deleters(watcher),
    }
