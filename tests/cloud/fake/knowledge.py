"""Knowledge Bases of Amazon Bedrock: states, one reading at a time, and our own code to read with.

What is ingested is cut by our chunker and embedded by our embedder, whose vectors are filled with
zeros up to the dimension of the model that was named; that changes no cosine. The objects are those
of moto's S3, and the vectors go into the fake S3 Vectors with all of its limits.
"""

import json
import re
import time
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import numpy as np

from ragtune.retrieval.chunks import Chunker
from ragtune.sources.readers import Document
from tests.cloud.fake.adapted import Adapted
from tests.cloud.fake.cloud import ACCOUNT, REGION, Refused
from tests.cloud.fake.vectors import COMPARED, FakeVectors, nearest

OPERATORS = {
    "equals": "$eq",
    "notEquals": "$ne",
    "greaterThan": "$gt",
    "greaterThanOrEquals": "$gte",
    "lessThan": "$lt",
    "lessThanOrEquals": "$lte",
    "in": "$in",
    "notIn": "$nin",
}
DIMENSIONS = {"amazon.titan-embed-text-v2:0": 1024, "cohere.embed-english-v3": 1024}
LOOKS = 2
"""Looks at a thing before its state changes."""


class FakeKnowledge(Adapted):
    """``bedrock-agent`` and ``bedrock-agent-runtime``; ``embedder`` reads for all models.

    ``ends_in`` is what ingestions come to.
    """

    names = ("bedrock-agent", "bedrock-agent-runtime")

    def __init__(self, session: boto3.Session, vectors: FakeVectors, embedder: Any) -> None:
        super().__init__()
        self.session, self.vectors, self.embedder = session, vectors, embedder
        self.bases: dict[str, dict[str, Any]] = {}
        self.ends_in = "COMPLETE"
        self.numbers = 0

    def CreateKnowledgeBase(
        self, name: str, roleArn: str, tags: dict[str, str] | None = None, **asked: Any
    ) -> Any:
        asked.pop("clientToken", None)
        if any(base["name"] == name for base in self.bases.values()):
            raise Refused("ConflictException", f"KnowledgeBase with name {name} exists", 409)
        self._assume(roleArn)
        self._index(asked)
        base = self._name()
        self.bases[base] = {
            **asked,
            "name": name,
            "roleArn": roleArn,
            "tags": tags or {},
            "status": "CREATING",
            "looks": 0,
            "sources": {},
        }
        return {"knowledgeBase": self._base(base)}

    def tagged(self, region: str) -> Iterator[tuple[str, dict[str, str]]]:
        """ARN and tags of each Knowledge Base."""
        for key, base in self.bases.items():
            yield f"arn:aws:bedrock:{REGION}:{ACCOUNT}:knowledge-base/{key}", base["tags"]

    def GetKnowledgeBase(self, knowledgeBaseId: str) -> Any:
        base = self._known(knowledgeBaseId)
        if _moved_on(base, "ACTIVE"):
            del self.bases[knowledgeBaseId]
            raise _missing(knowledgeBaseId)
        return {"knowledgeBase": self._base(knowledgeBaseId)}

    def ListKnowledgeBases(self, **_: Any) -> Any:
        return {
            "knowledgeBaseSummaries": [
                {
                    "knowledgeBaseId": key,
                    "name": base["name"],
                    "status": base["status"],
                    "updatedAt": "2026-11-26T20:00:00Z",
                }
                for key, base in self.bases.items()
            ]
        }

    def DeleteKnowledgeBase(self, knowledgeBaseId: str) -> Any:
        base = self._known(knowledgeBaseId)
        if base["status"] in ("CREATING", "UPDATING"):
            raise Refused("ConflictException", f"KnowledgeBase is {base['status']}", 409)
        if base["sources"]:
            raise Refused("ConflictException", "KnowledgeBase has data sources", 409)
        base |= {"status": "DELETING", "looks": 0}
        return {"knowledgeBaseId": knowledgeBaseId, "status": "DELETING"}

    def ListTagsForResource(self, resourceArn: str) -> Any:
        return {"tags": self._known(resourceArn.rpartition("/")[2])["tags"]}

    def CreateDataSource(self, knowledgeBaseId: str, name: str, **asked: Any) -> Any:
        base = self._known(knowledgeBaseId)
        if base["status"] != "ACTIVE":
            raise Refused("ConflictException", f"KnowledgeBase is {base['status']}", 409)
        if any(source["name"] == name for source in base["sources"].values()):
            raise Refused("ConflictException", f"DataSource with name {name} exists", 409)
        key = self._name()
        base["sources"][key] = {
            **asked,
            "name": name,
            "status": "AVAILABLE",
            "looks": 0,
            "jobs": {},
            "read": {},
        }
        return {"dataSource": self._source(knowledgeBaseId, key)}

    def GetDataSource(self, knowledgeBaseId: str, dataSourceId: str) -> Any:
        source = self._of(knowledgeBaseId, dataSourceId)
        if _moved_on(source, "AVAILABLE"):
            del self._known(knowledgeBaseId)["sources"][dataSourceId]
            raise _missing(dataSourceId)
        return {"dataSource": self._source(knowledgeBaseId, dataSourceId)}

    def ListDataSources(self, knowledgeBaseId: str, **_: Any) -> Any:
        keys = self._known(knowledgeBaseId)["sources"]
        return {"dataSourceSummaries": [self._source(knowledgeBaseId, key) for key in keys]}

    def DeleteDataSource(self, knowledgeBaseId: str, dataSourceId: str) -> Any:
        source = self._of(knowledgeBaseId, dataSourceId)
        if any(
            job["status"] in ("STARTING", "IN_PROGRESS", "STOPPING")
            for job in source["jobs"].values()
        ):
            raise Refused("ConflictException", "There is an ongoing ingestion job", 409)
        source |= {"status": "DELETING", "looks": 0}
        where = {"knowledgeBaseId": knowledgeBaseId, "dataSourceId": dataSourceId}
        return {**where, "status": "DELETING"}

    def StartIngestionJob(self, knowledgeBaseId: str, dataSourceId: str, **_: Any) -> Any:
        source = self._of(knowledgeBaseId, dataSourceId)
        if _working(source, "STARTING", "IN_PROGRESS"):
            raise Refused("ConflictException", "There is an ongoing ingestion job", 409)
        key = self._name()
        source["jobs"][key] = {"status": "STARTING", "statistics": {}, "failureReasons": []}
        return {"ingestionJob": self._job(knowledgeBaseId, dataSourceId, key)}

    def GetIngestionJob(self, knowledgeBaseId: str, dataSourceId: str, ingestionJobId: str) -> Any:
        source = self._of(knowledgeBaseId, dataSourceId)
        job = source["jobs"][ingestionJobId]
        following = {"STARTING": "IN_PROGRESS", "IN_PROGRESS": self.ends_in, "STOPPING": "STOPPED"}
        job["status"] = following.get(job["status"], job["status"])
        if job["status"] == "COMPLETE" and not job["statistics"]:
            self._ingest(self._known(knowledgeBaseId), source, job)
        if job["status"] == "FAILED":
            job["failureReasons"] = [f"role of account {ACCOUNT} may not read the bucket"]
        return {"ingestionJob": self._job(knowledgeBaseId, dataSourceId, ingestionJobId)}

    def ListIngestionJobs(self, knowledgeBaseId: str, dataSourceId: str, **_: Any) -> Any:
        keys = self._of(knowledgeBaseId, dataSourceId)["jobs"]
        jobs = [self._job(knowledgeBaseId, dataSourceId, key) for key in keys]
        return {"ingestionJobSummaries": jobs}

    def StopIngestionJob(self, knowledgeBaseId: str, dataSourceId: str, ingestionJobId: str) -> Any:
        job = self._of(knowledgeBaseId, dataSourceId)["jobs"][ingestionJobId]
        if job["status"] not in ("STARTING", "IN_PROGRESS"):
            raise Refused("ConflictException", f"The job is {job['status']}", 409)
        job["status"] = "STOPPING"
        return {"ingestionJob": self._job(knowledgeBaseId, dataSourceId, ingestionJobId)}

    def Retrieve(
        self, knowledgeBaseId: str, retrievalQuery: Any, retrievalConfiguration: Any
    ) -> Any:
        base = self._known(knowledgeBaseId)
        how = retrievalConfiguration["vectorSearchConfiguration"]
        if how.get("overrideSearchType") == "HYBRID":
            raise Refused("ValidationException", "HYBRID search is not supported for S3_VECTORS")
        if not retrievalQuery["text"].strip():
            raise Refused("ValidationException", "The query is empty")
        index = self._index(base)
        (vector,) = self.embedder.embed_questions([retrievalQuery["text"]])
        wanted = how.get("filter")
        held = {
            key: one
            for key, one in index["vectors"].items()
            if wanted is None or _passes(one["metadata"], wanted)
        }
        results = []
        for key, distance in nearest(_filled(vector, index["dimension"]), held)[
            : how["numberOfResults"]
        ]:
            metadata = held[key]["metadata"]
            shown = {k: v for k, v in metadata.items() if not k.startswith("AMAZON_BEDROCK")}
            results.append(
                {
                    "content": {"text": metadata["AMAZON_BEDROCK_TEXT"], "type": "TEXT"},
                    "location": {
                        "type": "S3",
                        "s3Location": {"uri": shown["x-amz-bedrock-kb-source-uri"]},
                    },
                    "metadata": {**shown, "x-amz-bedrock-kb-chunk-id": key},
                    "score": 1 - distance,
                }
            )
        return {"retrievalResults": results}

    def _ingest(self, base: dict[str, Any], source: dict[str, Any], job: dict[str, Any]) -> None:
        """Read what is new or other below the prefix; forget what is not there any more."""
        counts = dict.fromkeys(("Scanned", "NewIndexed", "ModifiedIndexed", "Deleted", "Failed"), 0)
        index, there = self._index(base), dict(self._objects(source))
        held: dict[str, tuple[str, list[str]]] = source["read"]
        for uri in [uri for uri in held if uri not in there]:
            for key in held.pop(uri)[1]:
                index["vectors"].pop(key, None)
            counts["Deleted"] += 1
        for uri, (tag, text, beside) in there.items():
            counts["Scanned"] += 1
            before = held.get(uri)
            if before and before[0] == tag:
                continue
            for key in before[1] if before else ():
                index["vectors"].pop(key, None)
            try:
                keys = self._put(base, source, uri, text, beside)
            except (Refused, ValueError) as error:
                counts["Failed"] += 1
                why = f'["Encountered error: {error}. [Files: {uri}]."]'
                job["failureReasons"].append(why)
                continue
            held[uri] = (tag, keys)
            counts["ModifiedIndexed" if before else "NewIndexed"] += 1
        names = {
            "Scanned": "numberOfDocumentsScanned",
            "NewIndexed": "numberOfNewDocumentsIndexed",
            "ModifiedIndexed": "numberOfModifiedDocumentsIndexed",
            "Deleted": "numberOfDocumentsDeleted",
            "Failed": "numberOfDocumentsFailed",
        }
        job["statistics"] = {names[key]: value for key, value in counts.items()}

    def _put(
        self, base: dict[str, Any], source: dict[str, Any], uri: str, text: str, beside: str
    ) -> list[str]:
        if not text.strip():
            raise ValueError("The document has no content")
        attributes = json.loads(beside)["metadataAttributes"] if beside else {}
        own = {
            k: v["value"].get("stringValue", v["value"].get("numberValue"))
            for k, v in attributes.items()
        }
        if len(json.dumps(own, ensure_ascii=False).encode()) > 1024 + 64:
            raise ValueError("Custom metadata exceeds 1 KB")
        embedded = [own[k] for k, v in attributes.items() if v["includeForEmbedding"]]
        keys, records = [], []
        for number, piece in enumerate(self._pieces(source, text)):
            (vector,) = self.embedder.embed(["\n\n".join([*map(str, embedded), piece])])
            key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{uri}#{number}"))
            metadata = {
                "AMAZON_BEDROCK_TEXT": piece,
                "AMAZON_BEDROCK_METADATA": json.dumps({"source": uri}),
                "x-amz-bedrock-kb-source-uri": uri,
                **own,
            }
            data = _filled(vector, self._index(base)["dimension"]).tolist()
            records.append({"key": key, "data": {"float32": data}, "metadata": metadata})
            keys.append(key)
        self.vectors.PutVectors(*self._place(base), records)
        return keys

    def _pieces(self, source: dict[str, Any], text: str) -> list[str]:
        how = source["vectorIngestionConfiguration"]["chunkingConfiguration"]
        if how["chunkingStrategy"] == "NONE":
            return [text]
        size = how["fixedSizeChunkingConfiguration"]
        rag = SimpleNamespace(
            chunk_tokens=size["maxTokens"], chunk_overlap=size["overlapPercentage"] / 100
        )
        nodes = Chunker(rag, self.embedder).split([Document("document", text)])
        return [node.text for node in nodes]

    def _objects(self, source: dict[str, Any]) -> Iterator[tuple[str, tuple[str, str, str]]]:
        """URI of each document, and a tag, the text and the metadata of it."""
        where = source["dataSourceConfiguration"]["s3Configuration"]
        bucket, (prefix,) = where["bucketArn"].rpartition(":")[2], where["inclusionPrefixes"]
        s3 = self.session.client("s3", region_name=REGION)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        found = {e["Key"]: e["ETag"] for page in pages for e in page.get("Contents", ())}
        for key, tag in found.items():
            if key.endswith(".metadata.json"):
                continue
            beside = f"{key}.metadata.json"
            content = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
            more = ""
            if beside in found:
                more = s3.get_object(Bucket=bucket, Key=beside)["Body"].read().decode()
            yield f"s3://{bucket}/{key}", (tag + found.get(beside, ""), content, more)

    def _assume(self, role: str) -> None:
        iam = self.session.client("iam")
        name = role.rpartition("/")[2]
        try:
            held = iam.get_role(RoleName=name)["Role"]
        except iam.exceptions.NoSuchEntityException:
            held = {}
        if "bedrock.amazonaws.com" not in json.dumps(held.get("AssumeRolePolicyDocument", "")):
            raise Refused("ValidationException", "Bedrock was unable to assume the given role")

    def _place(self, base: dict[str, Any]) -> tuple[str, str]:
        arn = base["storageConfiguration"]["s3VectorsConfiguration"]["indexArn"]
        found = re.search(r":bucket/([^/]+)/index/([^/]+)$", arn)
        assert found
        return found[1], found[2]

    def _index(self, base: dict[str, Any]) -> dict[str, Any]:
        """The vectors' index; a new Knowledge Base may have no other than one that fits."""
        try:
            index = self.vectors.index(*self._place(base))
        except Refused as error:
            raise Refused("ValidationException", f"storage configuration: {error}") from None
        held = base["knowledgeBaseConfiguration"]["vectorKnowledgeBaseConfiguration"]
        model = held["embeddingModelArn"].rpartition("foundation-model/")[2]
        if index["dimension"] != DIMENSIONS[model]:
            raise Refused("ValidationException", f"{model}: vectors of other dimensions")
        return index

    def _known(self, base: str) -> dict[str, Any]:
        if base not in self.bases:
            raise _missing(base)
        return self.bases[base]

    def _of(self, base: str, source: str) -> dict[str, Any]:
        if source not in self._known(base)["sources"]:
            raise _missing(source)
        held: dict[str, Any] = self.bases[base]["sources"][source]
        return held

    def _name(self) -> str:
        self.numbers += 1
        return f"ID{self.numbers:08}"

    def _base(self, key: str) -> dict[str, Any]:
        held = {k: v for k, v in self.bases[key].items() if k not in {"tags", "looks", "sources"}}
        arn = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:knowledge-base/{key}"
        times = {"createdAt": "2026-11-26T20:00:00Z", "updatedAt": "2026-11-26T20:00:00Z"}
        return {**held, **times, "knowledgeBaseId": key, "knowledgeBaseArn": arn}

    def _source(self, base: str, key: str) -> dict[str, Any]:
        held = self.bases[base]["sources"][key]
        shown = {k: v for k, v in held.items() if k not in {"looks", "jobs", "read"}}
        times = {"createdAt": "2026-11-26T20:00:00Z", "updatedAt": "2026-11-26T20:00:00Z"}
        return {**shown, **times, "knowledgeBaseId": base, "dataSourceId": key}

    def _job(self, base: str, source: str, key: str) -> dict[str, Any]:
        job = self.bases[base]["sources"][source]["jobs"][key]
        where = {"knowledgeBaseId": base, "dataSourceId": source, "ingestionJobId": key}
        now = time.time()
        return {**job, **where, "startedAt": now - 60, "updatedAt": now}


def _working(source: dict[str, Any], *states: str) -> bool:
    return any(job["status"] in states for job in source["jobs"].values())


def _moved_on(thing: dict[str, Any], ready: str) -> bool:
    """Bring a thing a look further; whether it is gone now."""
    thing["looks"] += 1
    if thing["looks"] >= LOOKS and thing["status"] == "CREATING":
        thing["status"] = ready
    return bool(thing["looks"] >= LOOKS and thing["status"] == "DELETING")


def _missing(what: str) -> Refused:
    return Refused("ResourceNotFoundException", f"{what} could not be found", 404)


def _value(typed: dict[str, Any]) -> Any:
    return typed.get("stringValue", typed.get("numberValue"))


def _filled(vector: Any, dimension: int) -> Any:
    return np.pad(np.asarray(vector, dtype=np.float32), (0, dimension - len(vector)))


def _passes(metadata: dict[str, Any], filter: dict[str, Any]) -> bool:
    ((operator, value),) = filter.items()
    if operator in ("andAll", "orAll"):
        if len(value) < 2:
            raise Refused("ValidationException", f"{operator} needs at least two filters")
        each = [_passes(metadata, part) for part in value]
        return all(each) if operator == "andAll" else any(each)
    return bool(COMPARED[OPERATORS[operator]](metadata.get(value["key"]), value["value"]))
