"""What a home of an index is; implementations are its siblings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from ragtune.core.errors import CloudError
from ragtune.core.progress import Watcher
from ragtune.recipe.schema import Recipe
from ragtune.retrieval.searcher import Searcher
from ragtune.runs.materials import Materials
from ragtune_cloud.index.prices import IndexCost
from ragtune_cloud.index.stock import Measures, Stock
from ragtune_cloud.ledger import Delete, Ledger
from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of
from ragtune_cloud.sagemaker.names import IDENTITY_TAG, masked
from ragtune_cloud.target import Finding, Term

HomeName = Literal["qdrant", "s3-vectors", "knowledge-base"]
Opened = Callable[[], Account]
"""Opens the account in the recipe's region, when it is needed."""
STEM = 30
"""Letters of a recipe's name in the names of what is made; S3's may have 63 in all."""


class Refused(CloudError):
    """One question that a service would not answer; the others may be asked."""


class Home(Protocol):
    """Where a run's index can live. Every method may raise CloudError or RunError."""

    name: HomeName
    own_chunks: bool
    """Whether the chunks there are the run's own, of the same ids."""

    def terms(self) -> Sequence[Term]:
        """How each field that shapes what is found is done there."""

    def offline(self, measures: Measures) -> Mapping[str, Finding]:
        """Checks that need no account."""

    def online(self) -> Mapping[str, Finding]:
        """Checks that only the account or the server can answer; nothing is created."""

    def cost(self, measures: Measures) -> IndexCost:
        """What it costs there."""

    def request(self, measures: Measures) -> dict[str, Any]:
        """What would be created, as it would be sent, without account numbers."""

    def build(self, stock: Stock, ledger: Ledger, watcher: Watcher) -> dict[str, Any]:
        """Make it hold exactly the stock; what was done, in numbers.

        Whatever is created is noted in the ledger before. A build that broke off is gone on with.
        """

    def searcher(self, materials: Materials) -> Searcher:
        """The index there, behind the local retriever's own protocol."""

    def deleters(self) -> Mapping[str, Delete]:
        """What deletes each kind of thing that `build` notes."""


def stem(recipe: Recipe) -> str:
    """What the names of all that is made begin with; where it lives is no part of it."""
    return f"ragtune-{recipe.name[:STEM].strip('-')}-{recipe.identity[:8]}"


def tags(recipe: Recipe) -> dict[str, str]:
    """The tags of everything that is made."""
    return {**recipe.cloud.tags, IDENTITY_TAG: recipe.identity, "ragtune:part": "index"}


def foreign(what: str) -> CloudError:
    """The error for a thing that has our name and not our tag."""
    return CloudError(
        f"{what}: is there already and was not made by this run (no tag {IDENTITY_TAG} of it); "
        "it is left as it is; delete or rename it, or rename the recipe"
    )


@contextmanager
def asking(account: Account) -> Iterator[None]:
    """One question to a service: Refused where it is not answered for what it is."""
    from botocore.exceptions import ClientError

    with aws_errors(account.known_id):
        try:
            yield
        except ClientError as error:
            if code_of(error) != "ValidationException":
                raise
            message = str(error.response.get("Error", {}).get("Message", ""))
            raise Refused(masked(" ".join(message.split()), account.known_id)) from None
