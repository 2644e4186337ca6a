"""What each stage of a run is made from: whatever changes its outcome, and nothing else.

Each is a flat mapping of names to values, so that a stage which is made again can say why.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ragtune.core.files import digest, file_hash
from ragtune.models.find import fingerprint
from ragtune.recipe.schema import Arm, Recipe
from ragtune.retrieval.stores.base import EMBEDDED
from ragtune.runs.workbench import Workbench

CODE = 3
"""Part of every stage's inputs; raised when what a stage computes changes."""


class StageInputs:
    """The inputs of a recipe's stages, hashed from the files and models that it names."""

    def __init__(self, recipe: Recipe, bench: Workbench) -> None:
        self.recipe, self.bench = recipe, bench

    def index(self) -> dict[str, Any]:
        """Of the chunks and their vectors, wherever they are kept."""
        rag = self.recipe.rag
        return {
            "code": CODE,
            "documents": self.bench.corpus.hash,
            "embedder": self.bench.embedder_fingerprint,
            "rag.chunk_tokens": rag.chunk_tokens,
            "rag.chunk_overlap": rag.chunk_overlap,
        }

    def kept_index(self) -> dict[str, Any]:
        """Of the index in its place: a server's collection is no other run's to copy."""
        url = self.recipe.rag.qdrant
        place = {} if url == EMBEDDED else {"place": f"{url} {self.bench.folder.name}"}
        return {**self.index(), **place}

    def search(self) -> dict[str, Any]:
        """Of what a search finds."""
        rag = self.recipe.rag
        return {
            "index": digest(self.index()),
            "rag.top_k": rag.top_k,
            "rag.search": rag.search,
            "rag.rerank": fingerprint(self.recipe.path(rag.rerank)) if rag.rerank else None,
        }

    def data(self) -> dict[str, Any]:
        """Of the training rows and the held-out questions."""
        inputs = {
            "code": CODE,
            "records": digest([asdict(r) for r in self.bench.split.train]),
            "questions": self.questions(),
            "template": self.bench.template.hash,
            "records.context": self.recipe.records.context,
            "records.with_passages": self.recipe.records.with_passages,
            "records.without_gold": self.recipe.records.without_gold,
        }
        return {**inputs, **self.search()} if self.bench.passages_in_training else inputs

    def questions(self) -> str:
        """The digest of the held-out questions."""
        return digest([asdict(r) for r in self.bench.split.test])

    def tune(self) -> dict[str, Any]:
        """Of the adapter."""
        spec = {f"tune.{k}": v for k, v in self.recipe.tune.model_dump(mode="json").items()}
        return {
            "code": CODE,
            "data": digest(self.data()),
            "model": self.bench.base_fingerprint,
            "seed": self.recipe.seed,
            **spec,
        }

    def retrieval(self) -> dict[str, Any]:
        """Of the passages found for the questions."""
        return {
            "code": CODE,
            "questions": self.questions(),
            "records.context": self.recipe.records.context,
            **self.search(),
        }

    def refusal(self) -> dict[str, Any]:
        """Of the score that is calibrated on the training questions."""
        return {
            "code": CODE,
            "records": self.data()["records"],
            "records.context": self.recipe.records.context,
            "seed": self.recipe.seed,
            **self.search(),
        }

    def answers(self, name: Arm) -> dict[str, Any]:
        """Of an arm's answers and of the time that they took."""
        from ragtune.arms.ask_all import TIMED

        study = self.recipe.study
        inputs = {
            "code": CODE,
            "questions": self.questions(),
            "template": self.bench.template.hash,
            "records.context": self.recipe.records.context,
            "study.max_new_tokens": study.max_new_tokens,
            "study.batch_size": study.batch_size,
            "study.latency_questions": study.latency_questions,
            "latency": TIMED,
            "model": self.bench.base_fingerprint,
        }
        if "tuned" in name:
            inputs["tune"] = digest(self.tune())
        if "rag" in name:
            inputs |= {"retrieval": digest(self.retrieval()), "rag.qdrant": self.recipe.rag.qdrant}
            if (below := self.recipe.rag.refuse_below) is not None:
                inputs["refusal"] = [below, study.refusal, digest(self.refusal())]
        return inputs

    def heldout(self) -> dict[str, Any]:
        """Of the loss on the reference answers."""
        return {"code": CODE, "questions": self.questions(), "tune": digest(self.tune())}

    def forgetting(self) -> dict[str, Any]:
        """Of what tuning did to general text."""
        text = file_hash(self.bench.general_text)
        return {"code": CODE, "study.general_text": text, "tune": digest(self.tune())}


def outdated(stages: Mapping[str, Mapping[str, Any]], arms: Iterable[str]) -> list[str]:
    """The stages of ``lock.json`` that were made before their data or adapter were made anew."""

    def of(stage: str) -> Mapping[str, Any]:
        inputs: Mapping[str, Any] = stages.get(stage, {}).get("inputs", {})
        return inputs

    found = []
    if "tune" in stages and of("tune").get("data") != digest(of("data")):
        found.append("tune")
    for arm in arms:
        made = of(f"answers/{arm}")
        other_adapter = "tuned" in arm and made.get("tune") != digest(of("tune"))
        if made and (made.get("questions") != of("data").get("questions") or other_adapter):
            found.append(f"answers/{arm}")
    return found
