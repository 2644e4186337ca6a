"""The checks of a Knowledge Base before anything is created."""

import json
from collections.abc import Mapping
from urllib.parse import unquote

from ragtune.recipe.schema import Recipe
from ragtune_cloud.index.knowledge_base.store import MAX_RESULTS
from ragtune_cloud.index.prices import Embedder
from ragtune_cloud.index.stock import Measures
from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of
from ragtune_cloud.sagemaker.names import Names
from ragtune_cloud.sagemaker.storage import bucket_of
from ragtune_cloud.target import FAILED, OK, UNCHECKED, WARNING, Finding

SERVICE = "bedrock.amazonaws.com"
LETTERS = 2
"""Letters a token that an embedder of Bedrock may take at least, in prose of any language."""


def size_limits(recipe: Recipe, measures: Measures, model: Embedder, *, own: bool) -> Finding:
    """Whether documents, chunks and questions fit the service and its embedder."""
    rag = recipe.rag
    if rag.top_k > MAX_RESULTS:
        return Finding(FAILED, f"rag.top_k: {rag.top_k}; allowed up to {MAX_RESULTS}")
    if own and measures.longest > LETTERS * model.max_tokens:
        return Finding(
            WARNING,
            f"the longest chunk has {measures.longest} letters; {model.id} reads "
            f"{model.max_tokens} tokens, and what is longer fails to be ingested",
        )
    if not own and rag.chunk_tokens > model.max_tokens:
        return Finding(
            FAILED, f"rag.chunk_tokens: {rag.chunk_tokens}; {model.id} reads {model.max_tokens}"
        )
    return Finding(OK, f"{measures.documents} documents, {measures.chunks} chunks here")


def role_and_bucket(recipe: Recipe, names: Names, account: Account) -> Mapping[str, Finding]:
    """Whether Bedrock may assume the role, and the bucket of the objects is there."""
    with aws_errors(account.id):
        return {"role's trust": _role(recipe, account), "bucket": _bucket(names, account)}


def _role(recipe: Recipe, account: Account) -> Finding:
    from botocore.exceptions import ClientError

    path = recipe.cloud.role
    if path is None:
        return Finding(FAILED, "cloud.role is missing")
    try:
        role = account.client("iam").get_role(RoleName=path.rpartition("/")[2])["Role"]
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return Finding(FAILED, f"cloud.role: {path}: no such role in this account")
        if code_of(error).startswith("AccessDenied"):
            return Finding(UNCHECKED, "these credentials may not read roles (iam:GetRole)")
        raise
    document = role["AssumeRolePolicyDocument"]
    trust = json.loads(unquote(document)) if isinstance(document, str) else document
    if SERVICE not in json.dumps(trust):
        return Finding(
            FAILED, f"cloud.role: {path}: Bedrock may not assume it; add {SERVICE} to its trust"
        )
    return Finding(OK, f"{path} exists and trusts Bedrock; its permissions show at the ingestion")


def _bucket(names: Names, account: Account) -> Finding:
    from botocore.exceptions import ClientError

    try:
        account.client("s3").head_bucket(
            Bucket=bucket_of(names, account), ExpectedBucketOwner=account.id
        )
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchBucket"}:
            return Finding(
                FAILED, f"cloud.bucket: {names.bucket}: no such bucket; make it, or name another"
            )
        if code_of(error) in {"403", "AccessDenied"}:
            return Finding(
                FAILED, f"cloud.bucket: {names.bucket}: these credentials may not use it"
            )
        raise
    return Finding(OK, names.bucket)
