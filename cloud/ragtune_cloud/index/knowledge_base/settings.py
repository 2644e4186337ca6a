"""What a Knowledge Base is made with, as the requests that make it."""

from dataclasses import dataclass
from typing import Any

from ragtune.recipe.schema import Recipe
from ragtune_cloud.index.base import tags
from ragtune_cloud.index.prices import Embedder
from ragtune_cloud.index.s3vectors.bucket import INDEX
from ragtune_cloud.index.terms import percent
from ragtune_cloud.sagemaker.names import ACCOUNT, Names


@dataclass(frozen=True)
class Settings:
    """What a Knowledge Base is made with; ``base`` is its id once it has one.

    ``account`` is the account's number: the requests are not to be written with it.
    """

    recipe: Recipe
    name: str
    bucket: str
    place: Names
    embedder: Embedder
    own_chunks: bool
    account: str
    base: str | None = None

    @property
    def model(self) -> str:
        """The ARN of the embedder."""
        return f"arn:aws:bedrock:{self.recipe.cloud.region}::foundation-model/{self.embedder.id}"

    @property
    def base_request(self) -> dict[str, Any]:
        """The request of CreateKnowledgeBase."""
        made = {"dimensions": self.embedder.dimension, "embeddingDataType": "FLOAT32"}
        titan = self.embedder.id.startswith("amazon.titan-embed-text-v2")
        # Cohere's models have one dimension, and refuse to be told it.
        model = {"embeddingModelConfiguration": {"bedrockEmbeddingModelConfiguration": made}}
        return {
            "name": self.name,
            "description": f"ragtune: the index of {self.recipe.name}"[:200],
            "roleArn": self._role,
            "knowledgeBaseConfiguration": {
                "type": "VECTOR",
                "vectorKnowledgeBaseConfiguration": {
                    "embeddingModelArn": self.model,
                    **(model if titan else {}),
                },
            },
            "storageConfiguration": {
                "type": "S3_VECTORS",
                "s3VectorsConfiguration": {"indexArn": self._index},
            },
            "tags": tags(self.recipe),
        }

    @property
    def source_request(self) -> dict[str, Any]:
        """The request of CreateDataSource."""
        rag = self.recipe.rag
        chunking: dict[str, Any] = {"chunkingStrategy": "NONE"}
        if not self.own_chunks:
            size = {
                "maxTokens": min(rag.chunk_tokens, 8192),
                "overlapPercentage": percent(rag.chunk_overlap),
            }
            chunking = {
                "chunkingStrategy": "FIXED_SIZE",
                "fixedSizeChunkingConfiguration": size,
            }
        return {
            "knowledgeBaseId": self.base or "",
            "name": self.source,
            "dataSourceConfiguration": {
                "type": "S3",
                "s3Configuration": {
                    "bucketArn": f"arn:aws:s3:::{self._documents}",
                    "inclusionPrefixes": [f"{self.place.home}/"],
                },
            },
            # The vectors go with their bucket; a source that has to empty it first can fail to.
            "dataDeletionPolicy": "RETAIN",
            "vectorIngestionConfiguration": {"chunkingConfiguration": chunking},
        }

    @property
    def source(self) -> str:
        """The data source's name, which says who chunks."""
        return f"{self.name}-{'own' if self.own_chunks else 'service'}-chunks"

    @property
    def policy(self) -> dict[str, Any]:
        """What the role needs, with its trust in ``bedrock.amazonaws.com`` besides."""
        objects = f"arn:aws:s3:::{self._documents}"
        statements = [
            ("bedrock:InvokeModel", self.model),
            ("s3:ListBucket", objects),
            ("s3:GetObject", f"{objects}/{self.place.home}/*"),
            (
                [
                    f"s3vectors:{verb}"
                    for verb in (
                        "GetIndex",
                        "QueryVectors",
                        "PutVectors",
                        "GetVectors",
                        "DeleteVectors",
                    )
                ],
                self._index,
            ),
        ]
        return {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": action, "Resource": resource}
                for action, resource in statements
            ],
        }

    @property
    def _role(self) -> str:
        name = (self.recipe.cloud.role or "").strip("/")
        return f"arn:aws:iam::{self.account}:role/{name}"

    @property
    def _documents(self) -> str:
        return self.place.bucket.replace(ACCOUNT, self.account)

    @property
    def _index(self) -> str:
        region = self.recipe.cloud.region
        return f"arn:aws:s3vectors:{region}:{self.account}:bucket/{self.bucket}/index/{INDEX}"
