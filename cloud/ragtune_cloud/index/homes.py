"""Which homes there are: the one module that knows them all."""

from collections.abc import Callable, Mapping

from pydantic import ValidationError

from ragtune.core.errors import RecipeError
from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.rag import Rag
from ragtune.recipe.schema import Recipe
from ragtune.retrieval.stores.base import EMBEDDED
from ragtune_cloud.index import qdrant
from ragtune_cloud.index.base import Home, Opened
from ragtune_cloud.index.knowledge_base import documents, life
from ragtune_cloud.index.knowledge_base.home import EMBEDDER, Chunks, KnowledgeBase
from ragtune_cloud.index.s3vectors import bucket
from ragtune_cloud.index.s3vectors.home import S3Vectors
from ragtune_cloud.ledger import Delete, Entry
from ragtune_cloud.sagemaker.account import Account

NAMES = ("qdrant", "s3-vectors", "knowledge-base")


def home(
    name: str | None,
    recipe: Recipe,
    run: RunFolder,
    account: Opened,
    *,
    url: str | None = None,
    embedder: str | None = None,
    chunks: str = "service",
) -> Home:
    """The home of that name.

    Raises RecipeError for one that there is not, and for options that it does not have.
    """
    for option, value, of in (("--url", url, "qdrant"), ("--embedder", embedder, "knowledge-base")):
        if value is not None and name != of:
            raise RecipeError(f"{option}: only --home {of} has it")
    if name == "qdrant":
        return qdrant.Qdrant(recipe, run, _url(url, recipe))
    if name == "s3-vectors":
        return S3Vectors(recipe, account)
    if name == "knowledge-base":
        if chunks not in ("service", "own"):
            raise RecipeError(f"--chunks {chunks}: allowed: service, own")
        own: Chunks = "own" if chunks == "own" else "service"
        return KnowledgeBase(recipe, account, embedder=embedder or EMBEDDER, chunks=own)
    raise RecipeError(f"--home {name or 'is missing'}: allowed: {', '.join(NAMES)}")


def deleters(account: Callable[[str], Account], watcher: Watcher) -> Mapping[str, Delete]:
    """What deletes each kind of thing that any home notes; ``account`` opens one by its region."""

    def delete_documents(entry: Entry) -> None:
        documents.delete(entry, account(entry.region), watcher)

    return {
        qdrant.KIND: qdrant.delete,
        bucket.KIND: lambda entry: bucket.delete(entry, account(entry.region)),
        life.KIND: lambda entry: life.delete(entry, account(entry.region)),
        documents.KIND: delete_documents,
    }


def _url(given: str | None, recipe: Recipe) -> str:
    url = given or (recipe.rag.qdrant if recipe.rag.qdrant != EMBEDDED else None)
    if url is None:
        raise RecipeError("--url is missing: name the Qdrant server, its key in QDRANT_API_KEY")
    try:
        if Rag(qdrant=url).qdrant == EMBEDDED:
            raise RecipeError("--url embedded: name a server's http(s) URL")
    except ValidationError as error:
        raise RecipeError(
            f"--url: {error.errors()[0]['msg'].removeprefix('Value error, ')}"
        ) from None
    return url
