"""Seconds from a changed document to a changed answer, measured in a copy of the index."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.core.files import read_jsonl, write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Arm as ArmName
from ragtune.recipe.schema import Recipe
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import answers, parts


class Freshness(Stage):
    """Real changes of a few documents, asked for through an arm that retrieves."""

    name = "freshness"

    def __init__(self, arm: ArmName, recipe: Recipe) -> None:
        self.arm, self.recipe = arm, recipe
        read = answers.reads(arm, recipe)
        self.fields = tuple(dict.fromkeys((*read["fields"], "study.refusal")))
        self.materials = (*read["materials"], "documents")
        self.after = (*read["after"], f"answers/{arm}")

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file; ``null`` in it where no document could be changed."""
        return [folder.freshness]

    def make(self, work: Work) -> None:
        """Change documents whose questions were answered rightly first, one after the other."""
        from ragtune.results import freshness
        from ragtune.retrieval import index
        from ragtune.retrieval.index import Retriever

        materials, rag = work.materials, work.recipe.rag
        questions, refusal = parts.questions(work), work.recipe.study.refusal
        texts = [answer["text"] for answer in read_jsonl(work.run.answers(self.arm))]
        asked = freshness.by_rightness(questions, texts, refusal)
        shown = parts.shows_context(work)
        made = freshness.changes(materials.corpus, asked, with_context=shown)
        if not made:
            write_json(work.out.freshness, None)
            return
        copy = work.out.index
        shutil.rmtree(copy, ignore_errors=True)
        index.copy(work.run.index, copy)
        engine = parts.answering(work, self.recipe, self.arm)

        def opened(corpus: Any) -> Retriever:
            fingerprint, embedder = materials.embedder_fingerprint, materials.embedder
            index.update(corpus, rag, embedder, fingerprint=fingerprint, folder=copy)
            return Retriever(copy, rag, embedder, fingerprint, materials.reranker)

        with work.watcher.progress("freshness") as advance:
            measured = freshness.measure(
                made,
                materials.list_documents,
                opened,
                lambda retriever: parts.arm(work, engine, retriever, floor=parts.floor(work)),
                refusal=refusal,
                advance=advance,
            )
        write_json(work.out.freshness, freshness.summary(measured).to_json())
