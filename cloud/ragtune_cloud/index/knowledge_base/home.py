"""A Knowledge Base over S3 Vectors as a home: it embeds and, if wanted, chunks by itself."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ragtune.core.progress import Watcher
from ragtune.recipe.schema import Recipe
from ragtune.retrieval.searcher import Searcher
from ragtune.runs.materials import Materials
from ragtune_cloud.index import prices, terms
from ragtune_cloud.index.base import HomeName, Opened, stem, tags
from ragtune_cloud.index.knowledge_base import documents, ingestion, life
from ragtune_cloud.index.knowledge_base.checks import role_and_bucket, size_limits
from ragtune_cloud.index.knowledge_base.settings import Settings
from ragtune_cloud.index.knowledge_base.store import Asked, BaseStore
from ragtune_cloud.index.prices import IndexCost
from ragtune_cloud.index.s3vectors import bucket
from ragtune_cloud.index.s3vectors.bucket import Shape
from ragtune_cloud.index.s3vectors.keys import key_arn, key_finding
from ragtune_cloud.index.stock import Measures, Stock
from ragtune_cloud.ledger import Delete, Ledger
from ragtune_cloud.target import FAILED, OK, Finding, Term

EMBEDDER = "amazon.titan-embed-text-v2:0"
"""The workshop's, in its second version."""
HIDDEN = ("AMAZON_BEDROCK_TEXT", "AMAZON_BEDROCK_METADATA")
"""Metadata that a Knowledge Base writes and that would not fit what can be filtered by."""
Chunks = Literal["service", "own"]
"""Who cuts the documents: the service, as in the workshop, or this run already did."""


class KnowledgeBase:
    """A Knowledge Base, its data source, its vector bucket and its objects in S3."""

    name: HomeName = "knowledge-base"

    def __init__(
        self,
        recipe: Recipe,
        account: Opened,
        *,
        embedder: str = EMBEDDER,
        chunks: Chunks = "service",
    ) -> None:
        """Raises RecipeError for an embedder whose price and dimension are not known."""
        self.recipe, self._opened, self.chunks = recipe, account, chunks
        self.own_chunks = chunks == "own"
        self.embedder = prices.embedder(embedder)
        self.base = stem(recipe)
        self.bucket = f"{self.base}-kb"
        self.place = documents.place(recipe)

    def terms(self) -> Sequence[Term]:
        """Another embedder, another search, and by choice other chunks."""
        return terms.of_knowledge_base(self.recipe, self.embedder.id, own_chunks=self.own_chunks)

    def offline(self, measures: Measures) -> Mapping[str, Finding]:
        """Whether documents and chunks fit, and a role is named."""
        role = self.recipe.cloud.role
        missing = (
            "cloud.role is missing: name a role that Bedrock may assume, with the policy below"
        )
        return {
            "limits": size_limits(self.recipe, measures, self.embedder, own=self.own_chunks),
            "encryption": key_finding(self.recipe),
            "role": Finding(OK, role) if role else Finding(FAILED, missing),
        }

    def online(self) -> Mapping[str, Finding]:
        """Whether names are free or ours, and role and bucket are there."""
        account, identity = self._opened(), self.recipe.identity
        there = bucket.is_there(self.bucket, account, identity)
        there = life.find(self.base, account, identity) is not None or there
        return {
            "names": Finding(OK, "is there already, ours" if there else "free"),
            **role_and_bucket(self.recipe, self.place, account),
        }

    def cost(self, measures: Measures) -> IndexCost:
        """Embedding, objects, vectors, and embedding the questions."""
        objects = 2 * (measures.chunks if self.own_chunks else measures.documents)
        return prices.knowledge_base(measures, self.embedder, objects, questions=80)

    def request(self, measures: Measures) -> dict[str, Any]:
        """All that is created, in order."""
        made = tags(self.recipe)
        settings = self._settings("<account>", "<knowledge base>")
        return {
            "objects": documents.uri(self.place),
            "CreateVectorBucket": bucket.bucket_request(
                self.bucket, made, key_arn(self.recipe, "<account>")
            ),
            "CreateIndex": self._shape.request(self.bucket, made),
            "CreateKnowledgeBase": settings.base_request,
            "CreateDataSource": settings.source_request,
            "policy of the role": settings.policy,
        }

    def build(self, stock: Stock, ledger: Ledger, watcher: Watcher) -> dict[str, Any]:
        """Upload, create what is missing, ingest; what the service says of it."""
        account, measures = self._opened(), stock.measures()
        hourly = self.cost(measures).usd_per_hour
        if self.own_chunks:
            pieces = documents.of_chunks(stock)
        else:
            pieces = documents.of_documents(stock.corpus(), stock.documents)
        ledger.add(documents.KIND, documents.uri(self.place), account.region)
        uploaded = documents.upload(
            pieces, self.place, account, key=self.recipe.cloud.kms_key, watcher=watcher
        )
        bucket.ensure(
            self.bucket,
            self._shape,
            account,
            ledger,
            tags=tags(self.recipe),
            key=key_arn(self.recipe, account.id),
            hourly_usd=hourly,
        )
        settings = self._settings(account.id, None)
        base = life.ensure_base(settings, account, ledger, watcher)
        source = life.ensure_source(settings, base, account, watcher)
        ingested = ingestion.ingest(base, source, account, watcher)
        return {"uploaded": uploaded, "knowledge_base": base, "ingestion": ingested}

    def searcher(self, materials: Materials) -> Searcher:
        """The Knowledge Base, asked by the question's text.

        Raises CloudError where it is not there.
        """
        account = self._opened()
        base = life.require(self.base, account, self.recipe.identity)
        return Asked(BaseStore(account, base), self.recipe.rag, None, materials.reranker)

    def deleters(self) -> Mapping[str, Delete]:
        """The Knowledge Base with its data sources, the bucket with its index, the objects."""
        from ragtune.core.progress import Silent

        return {
            life.KIND: lambda entry: life.delete(entry, self._opened()),
            bucket.KIND: lambda entry: bucket.delete(entry, self._opened()),
            documents.KIND: lambda entry: documents.delete(entry, self._opened(), Silent()),
        }

    @property
    def _shape(self) -> Shape:
        return Shape(self.embedder.dimension, HIDDEN)

    def _settings(self, account: str, base: str | None) -> Settings:
        return Settings(
            recipe=self.recipe,
            name=self.base,
            bucket=self.bucket,
            place=self.place,
            embedder=self.embedder,
            own_chunks=self.own_chunks,
            account=account,
            base=base,
        )
