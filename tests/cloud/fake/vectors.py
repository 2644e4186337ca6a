"""Amazon S3 Vectors in memory: its limits, its cosine distances, and a BM25 of its own."""

import json
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tests.cloud.fake.adapted import Adapted
from tests.cloud.fake.cloud import ACCOUNT, REGION, Refused

PAGE = 40
"""Vectors and buckets a page: few, so that pages are turned."""
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda held, value: held == value,
    "$ne": lambda held, value: held != value,
    "$gt": lambda held, value: held is not None and held > value,
    "$gte": lambda held, value: held is not None and held >= value,
    "$lt": lambda held, value: held is not None and held < value,
    "$lte": lambda held, value: held is not None and held <= value,
    "$in": lambda held, value: held in value,
    "$nin": lambda held, value: held not in value,
}


class FakeVectors(Adapted):
    """The service; ``buckets`` holds what is there, ``mode`` what new buckets search by."""

    names = ("s3vectors",)

    def __init__(self) -> None:
        super().__init__()
        self.buckets: dict[str, dict[str, Any]] = {}
        self.mode = "ENHANCED"

    def tagged(self, region: str) -> Iterator[tuple[str, dict[str, str]]]:
        """ARN and tags of each bucket."""
        for name, bucket in self.buckets.items():
            yield arn(name), bucket["tags"]

    def CreateVectorBucket(
        self, vectorBucketName: str, tags: dict[str, str] | None = None, **more: Any
    ) -> Any:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", vectorBucketName):
            raise Refused("ValidationException", "Invalid vector bucket name")
        if vectorBucketName in self.buckets:
            raise Refused("ConflictException", f"{vectorBucketName} already exists", 409)
        self.buckets[vectorBucketName] = {
            **more,
            "tags": tags or {},
            "indexes": {},
            "created": time.time() - 3600,
            "mode": self.mode,
        }
        return {"vectorBucketArn": arn(vectorBucketName)}

    def GetVectorBucket(self, vectorBucketName: str) -> Any:
        bucket = self._bucket(vectorBucketName)
        return {
            "vectorBucket": {
                **_summary(vectorBucketName, bucket),
                "defaultIndexMode": bucket["mode"],
            }
        }

    def PutVectorBucketDefaultIndexMode(self, vectorBucketName: str, defaultIndexMode: str) -> Any:
        self._bucket(vectorBucketName)["mode"] = defaultIndexMode
        return {}

    def ListVectorBuckets(self, prefix: str = "", nextToken: str = "0", **_: Any) -> Any:
        names = sorted(name for name in self.buckets if name.startswith(prefix))
        page, token = _page(names, nextToken)
        return {"vectorBuckets": [_summary(n, self.buckets[n]) for n in page], **token}

    def DeleteVectorBucket(self, vectorBucketName: str) -> Any:
        if self._bucket(vectorBucketName)["indexes"]:
            raise Refused("ConflictException", "The vector bucket is not empty", 409)
        del self.buckets[vectorBucketName]
        return {}

    def ListTagsForResource(self, resourceArn: str) -> Any:
        return {"tags": self._bucket(resourceArn.rpartition("/")[2])["tags"]}

    def CreateIndex(self, vectorBucketName: str, indexName: str, **shape: Any) -> Any:
        bucket = self._bucket(vectorBucketName)
        if indexName in bucket["indexes"]:
            raise Refused("ConflictException", f"{indexName} already exists", 409)
        searched = shape.get("metadataConfiguration", {}).get("textSearchConfigurations")
        if searched and bucket["mode"] != "ENHANCED":
            raise Refused("ValidationException", "Full-text search needs an ENHANCED index")
        bucket["indexes"][indexName] = {**shape, "vectors": {}}
        return {"indexArn": f"{arn(vectorBucketName)}/index/{indexName}"}

    def GetIndex(self, vectorBucketName: str, indexName: str) -> Any:
        held = self.index(vectorBucketName, indexName)
        shape = {k: v for k, v in held.items() if k not in {"vectors", "tags"}}
        named = {"vectorBucketName": vectorBucketName, "indexName": indexName}
        where = {"indexArn": f"{arn(vectorBucketName)}/index/{indexName}", "creationTime": 0}
        return {"index": {**shape, **named, **where}}

    def ListIndexes(self, vectorBucketName: str, **_: Any) -> Any:
        names = self._bucket(vectorBucketName)["indexes"]
        return {
            "indexes": [
                {
                    "vectorBucketName": vectorBucketName,
                    "indexName": name,
                    "indexArn": f"{arn(vectorBucketName)}/index/{name}",
                    "creationTime": 0,
                }
                for name in names
            ]
        }

    def DeleteIndex(self, vectorBucketName: str, indexName: str) -> Any:
        self.index(vectorBucketName, indexName)
        del self._bucket(vectorBucketName)["indexes"][indexName]
        return {}

    def PutVectors(self, vectorBucketName: str, indexName: str, vectors: list[Any]) -> Any:
        index = self.index(vectorBucketName, indexName)
        for vector in vectors:
            _check(vector, index)
        for vector in vectors:
            data = np.asarray(vector["data"]["float32"], dtype=np.float32)
            index["vectors"][vector["key"]] = {"data": data, "metadata": vector["metadata"]}
        return {}

    def ListVectors(
        self, vectorBucketName: str, indexName: str, nextToken: str = "0", **_: Any
    ) -> Any:
        keys = sorted(self.index(vectorBucketName, indexName)["vectors"])
        page, token = _page(keys, nextToken)
        return {"vectors": [{"key": key} for key in page], **token}

    def GetVectors(self, vectorBucketName: str, indexName: str, keys: list[str], **_: Any) -> Any:
        held = self.index(vectorBucketName, indexName)["vectors"]
        found = [{"key": k, "metadata": held[k]["metadata"]} for k in keys if k in held]
        return {"vectors": found[::-1]}  # in no order that the request has

    def DeleteVectors(self, vectorBucketName: str, indexName: str, keys: list[str]) -> Any:
        for key in keys:
            self.index(vectorBucketName, indexName)["vectors"].pop(key, None)
        return {}

    def QueryVectors(
        self,
        vectorBucketName: str,
        indexName: str,
        *,
        topK: int,
        queryVector: dict[str, list[float]] | None = None,
        queryTexts: list[dict[str, str]] | None = None,
        filter: dict[str, Any] | None = None,
        returnMetadata: bool = False,
        **_: Any,
    ) -> Any:
        index = self.index(vectorBucketName, indexName)
        if topK > 100:
            raise Refused("ValidationException", "topK must be at most 100")
        hidden = index["metadataConfiguration"]["nonFilterableMetadataKeys"]
        held = {
            key: vector
            for key, vector in index["vectors"].items()
            if filter is None or passes(vector["metadata"], filter, hidden)
        }
        if queryTexts:
            keys = [
                c["metadataKey"]
                for c in index["metadataConfiguration"].get("textSearchConfigurations", ())
            ]
            (asked,) = queryTexts
            if asked["metadataKey"] not in keys:
                raise Refused("ValidationException", f"{asked['metadataKey']} is not searchable")
            scores = _bm25(asked, held)
            best = sorted(scores.items(), key=lambda hit: -hit[1])[:topK]
            return {
                "distanceMetric": "cosine",
                "vectors": [
                    {
                        "key": k,
                        "scores": {
                            "bm25Scores": [{"metadataKey": asked["metadataKey"], "score": s}]
                        },
                    }
                    for k, s in best
                ],
            }
        asked_for = np.asarray((queryVector or {})["float32"], dtype=np.float32)
        if len(asked_for) != index["dimension"] or not asked_for.any():
            raise Refused("ValidationException", "Invalid query vector")
        near = nearest(asked_for, held)[:topK]
        shown = [
            {
                "key": key,
                "distance": distance,
                **({"metadata": held[key]["metadata"]} if returnMetadata else {}),
            }
            for key, distance in near
        ]
        return {"distanceMetric": "cosine", "vectors": shown}

    def index(self, bucket: str, name: str) -> dict[str, Any]:
        """An index, with its vectors."""
        found = self._bucket(bucket)["indexes"].get(name)
        if found is None:
            raise Refused("NotFoundException", f"The index {name} could not be found", 404)
        held: dict[str, Any] = found
        return held

    def _bucket(self, name: str) -> dict[str, Any]:
        if name not in self.buckets:
            raise Refused("NotFoundException", f"The vector bucket {name} could not be found", 404)
        return self.buckets[name]


def arn(bucket: str) -> str:
    """A bucket's ARN."""
    return f"arn:aws:s3vectors:{REGION}:{ACCOUNT}:bucket/{bucket}"


def nearest(asked: Any, held: dict[str, Any]) -> list[tuple[str, float]]:
    """Keys and cosine distances, the nearest first."""
    if not held:
        return []
    rows = np.stack([vector["data"] for vector in held.values()])
    cosines = rows @ asked / (np.linalg.norm(rows, axis=1) * np.linalg.norm(asked))
    return sorted(zip(held, (1 - cosines).tolist(), strict=True), key=lambda hit: hit[1])


def passes(metadata: dict[str, Any], filter: dict[str, Any], hidden: Sequence[str]) -> bool:
    """Whether metadata passes a filter of S3 Vectors."""
    for key, value in filter.items():
        if key in ("$and", "$or"):
            each = [passes(metadata, part, hidden) for part in value]
            if not (all(each) if key == "$and" else any(each)):
                return False
            continue
        if key in hidden:
            raise Refused("ValidationException", f"Invalid use of non-filterable metadata {key}")
        for operator, wanted in value.items():
            if not COMPARED[operator](metadata.get(key), wanted):
                return False
    return True


def _check(vector: dict[str, Any], index: dict[str, Any]) -> None:
    key, data, metadata = vector["key"], vector["data"]["float32"], vector.get("metadata", {})
    hidden = index["metadataConfiguration"]["nonFilterableMetadataKeys"]
    shown = {name: value for name, value in metadata.items() if name not in hidden}
    faults = {
        f"Invalid number of dimensions {len(data)}": len(data) != index["dimension"],
        "Zero vectors are not allowed": not any(data),
        "Invalid float": not all(map(math.isfinite, data)),
        "Metadata must have at most 40960 bytes": _bytes(metadata) > 40_960,
        "Filterable metadata must have at most 2048 bytes": _bytes(shown) > 2048,
        "Metadata must have at most 50 keys": len(metadata) > 50,
    }
    for fault, there in faults.items():
        if there:
            raise Refused("ValidationException", f"Invalid record for key '{key}': {fault}")


def _bytes(metadata: dict[str, Any]) -> int:
    return len(json.dumps(metadata, ensure_ascii=False).encode())


def _bm25(asked: dict[str, str], held: dict[str, Any], k1: float = 1.2, b: float = 0.75) -> Any:
    """Robertson's BM25 over words in lower case: neither the stems nor the weights of ours."""
    texts = {k: _words(v["metadata"].get(asked["metadataKey"], "")) for k, v in held.items()}
    mean = sum(map(len, texts.values())) / max(1, len(texts))
    scores: dict[str, float] = {}
    for word in set(_words(asked["text"])):
        found = {key: Counter(words)[word] for key, words in texts.items() if word in words}
        weight = math.log(1 + (len(texts) - len(found) + 0.5) / (len(found) + 0.5))
        for key, count in found.items():
            length = 1 - b + b * len(texts[key]) / mean
            part = weight * count * (k1 + 1) / (count + k1 * length)
            scores[key] = scores.get(key, 0.0) + part
    return scores


def _scored(key: str, score: float) -> dict[str, Any]:
    return {"bm25Scores": [{"metadataKey": key, "score": score}]}


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _summary(name: str, bucket: dict[str, Any]) -> dict[str, Any]:
    return {
        "vectorBucketName": name,
        "vectorBucketArn": arn(name),
        "creationTime": bucket["created"],
    }


def _page(names: list[str], token: str) -> tuple[list[str], dict[str, str]]:
    start = int(token)
    left = {"nextToken": str(start + PAGE)} if start + PAGE < len(names) else {}
    return names[start : start + PAGE], left
