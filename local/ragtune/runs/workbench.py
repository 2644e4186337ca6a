"""What a recipe points at, found, checked and loaded at first use.

Nothing here writes: a recipe can be checked and previewed with no run folder in sight.
"""

import contextlib
import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragtune.arms.answer import ScoreFloor
from ragtune.arms.arm import Arm
from ragtune.core import bundled as builtin
from ragtune.core.errors import DocumentsError, ModelError, RecipeError
from ragtune.core.files import digest, read_json
from ragtune.models.adapter import load_tuned
from ragtune.models.engines.base import Engine
from ragtune.models.find import (
    check_chunks,
    context_length,
    embedder_folder,
    fingerprint,
    model_folder,
)
from ragtune.models.folder import family_at
from ragtune.models.hardware import Hardware, probe
from ragtune.models.load import load_base, load_tokenizer
from ragtune.prompts.instruct import InstructFormat
from ragtune.recipe import schema as recipes
from ragtune.sources import documents
from ragtune.sources.records import Record, Split, prepare

if TYPE_CHECKING:
    from ragtune.tuning.prediction import Prediction
    from ragtune.tuning.samples import Samples, TrainingRow


class Workbench:
    """A recipe's data and models; ``folder`` is the run folder that holds adapter and index."""

    def __init__(self, recipe: recipes.Recipe, folder: Path) -> None:
        self.recipe, self.folder = recipe, folder
        self.template = recipe.template.build()
        self.show_context = recipe.records.context == "input"

    def check(self) -> None:
        """Look at all that the recipe points at.

        Raises RagtuneError for what is missing, broken, or does not fit together.
        """
        from ragtune.results.forgetting import paragraphs

        _ = self.split, self.base
        if self.retrieves:
            self.check_documents()
        if self.tunes:
            paragraphs(self.general_text)
        self._check_lengths()

    def _check_rerank(self) -> None:
        name = self.recipe.rag.rerank
        if name is not None and not (self.recipe.path(name) / "config.json").is_file():
            raise ModelError(f"rag.rerank: {self.recipe.path(name)}: no cross-encoder there")

    def check_documents(self) -> None:
        """Look at the documents and the embedder alone.

        Raises RagtuneError for what is missing, broken, or does not fit together.
        """
        if self.recipe.documents is None:
            raise RecipeError("documents: the recipe names none; add documents.source")
        _ = self.corpus
        check_chunks(self.embedder_folder, self.recipe.rag.chunk_tokens)
        self._check_rerank()

    def _check_lengths(self) -> None:
        """Raise RecipeError where a prompt or a block could not fit the model's context."""
        reads, study = self.context_length, self.recipe.study
        if self.tunes and self.recipe.tune.max_input_length > reads:
            raise RecipeError(
                f"tune.max_input_length: {self.recipe.tune.max_input_length}, but the model reads "
                f"{reads} tokens; allowed: -1, or 1 to {reads}"
            )
        template = len(self.format.prompt("", "").ids)
        if template + study.max_new_tokens >= reads:
            raise RecipeError(
                f"study.max_new_tokens: {study.max_new_tokens}, but the model reads {reads} "
                f"tokens and the template alone takes {template}; allowed: 1 to "
                f"{max(1, reads - template - 1)}"
            )

    @property
    def tunes(self) -> bool:
        """Whether an arm needs the adapter."""
        return any("tuned" in arm for arm in self.recipe.arms)

    @property
    def retrieves(self) -> bool:
        """Whether an arm or a training row needs passages."""
        return any("rag" in arm for arm in self.recipe.arms) or self.passages_in_training

    @property
    def passages_in_training(self) -> bool:
        """Whether training rows are given once more with passages."""
        return self.tunes and self.recipe.records.with_passages > 0

    @functools.cached_property
    def split(self) -> Split:
        """Training records and held-out questions, each with its gold document."""
        split = prepare(self.recipe)
        if self.recipe.documents is None or self.recipe.documents.source != documents.CONTEXTS:
            return split
        named = documents.with_context_names
        return replace(split, train=named(split.train), test=named(split.test))

    @functools.cached_property
    def corpus(self) -> documents.Corpus:
        """The documents to retrieve from."""
        return self.list_documents()

    def list_documents(self) -> documents.Corpus:
        """The documents as they are now.

        Raises DocumentsError where there are none.
        """
        assert self.recipe.documents is not None
        source, most = self.recipe.documents.source, self.recipe.documents.max_file_mb
        if source == documents.CONTEXTS:
            return documents.from_contexts([*self.split.train, *self.split.test])
        return documents.from_folder(self.recipe.path(source), most)

    @property
    def general_text(self) -> Path:
        """The file on which forgetting is measured."""
        named = self.recipe.study.general_text
        return builtin.general_text() if named == builtin.BUILTIN else self.recipe.path(named)

    @functools.cached_property
    def base(self) -> Path:
        """The base model's folder."""
        return model_folder(self.recipe.model, self.recipe.path(""))

    @functools.cached_property
    def embedder_folder(self) -> Path:
        """The embedder's folder."""
        return embedder_folder(self.recipe.rag.embedder, self.recipe.path(""))

    @functools.cached_property
    def base_fingerprint(self) -> str:
        """The hash of the base model's files."""
        return fingerprint(self.base)

    @functools.cached_property
    def embedder_fingerprint(self) -> str:
        """The hash of the embedder's files."""
        return fingerprint(self.embedder_folder)

    @functools.cached_property
    def hardware(self) -> Hardware:
        """What this process computes on."""
        return probe()

    @functools.cached_property
    def tokenizer(self) -> Any:
        """The base model's tokenizer."""
        return load_tokenizer(self.base)

    @functools.cached_property
    def format(self) -> InstructFormat:
        """The template bound to the tokenizer."""
        return InstructFormat(self.template, self.tokenizer)

    @functools.cached_property
    def base_model(self) -> Any:
        """The base model, ready to answer."""
        return load_base(self.base, self.hardware)

    @functools.cached_property
    def tuned_model(self) -> Any:
        """The base model with the run's adapter merged in, ready to answer."""
        adapter = self.folder / "adapter"
        return load_tuned(self.base, adapter, self.template.hash, self.hardware)

    @functools.cached_property
    def embedder(self) -> Any:
        """The embedder."""
        from ragtune.retrieval.embedder import Embedder

        return Embedder(self.embedder_folder, self.hardware)

    @functools.cached_property
    def reranker(self) -> Any:
        """The cross-encoder; None where the recipe names none."""
        from ragtune.retrieval.rerank import Reranker

        name = self.recipe.rag.rerank
        return Reranker(self.recipe.path(name), self.hardware) if name else None

    @functools.cached_property
    def retriever(self) -> Any:
        """The run's index, open for search."""
        return self.open_index(self.folder / "index")

    def open_index(self, folder: Path) -> Any:
        """An index made as the recipe says, open for search."""
        from ragtune.retrieval.index import Retriever

        return Retriever(
            folder, self.recipe.rag, self.embedder, self.embedder_fingerprint, self.reranker
        )

    @property
    def floor(self) -> ScoreFloor | None:
        """When arms that retrieve ask no model; the run's calibration, or the recipe's number."""
        below = self.recipe.rag.refuse_below
        if below is None:
            return None
        if below == "calibrated":
            below = read_json(self.folder / "refusal.json")["below"]
        return ScoreFloor(float(below), self.recipe.study.refusal)

    @property
    def base_engine(self) -> Engine:
        """What runs the base model."""
        return self.engine(self.base_model)

    @property
    def tuned_engine(self) -> Engine:
        """What runs the base model with the run's adapter merged in."""
        return self.engine(self.tuned_model, self.folder / "adapter")

    def engine(self, model: Any, adapter: Path | None = None) -> Engine:
        """What runs a model of the base's family; ``adapter`` is the one that is merged in."""
        from ragtune.models.engines.torch import TorchEngine

        found = self.base_fingerprint
        if adapter is not None:
            found = digest([found, fingerprint(adapter)])
        return TorchEngine(model, self.tokenizer, family_at(self.base), found)

    def arm(self, name: recipes.Arm, *, engine: Engine | None = None, retriever: Any = None) -> Arm:
        """One of the four arms, over the run folder's adapter and index, or over what is given."""
        engine = engine or (self.tuned_engine if "tuned" in name else self.base_engine)
        if "rag" in name:
            retriever = retriever or self.retriever
        return Arm(
            engine,
            self.format,
            self.recipe.study.max_new_tokens,
            retriever=retriever,
            show_context=self.show_context,
            floor=self.floor if "rag" in name else None,
        )

    def training_rows(
        self, records: Sequence[Record], *, passages: bool = True
    ) -> "list[TrainingRow]":
        """Records as training rows, with ``passages`` where the recipe asks for them."""
        from ragtune.tuning.rows import training_rows

        return training_rows(
            records,
            self.recipe.records,
            self.template,
            seed=self.recipe.seed,
            retriever=self.retriever if passages and self.passages_in_training else None,
        )

    def samples(self, rows: "Sequence[TrainingRow]") -> "Samples":
        """Training rows, laid out and split as the recipe says.

        Raises RecordsError where they leave nothing to train on.
        """
        from ragtune.tuning import samples

        return samples.prepare(rows, self.recipe.tune, self.format, self.sample_length)

    @property
    def sample_length(self) -> int:
        """Tokens that a training sample may have."""
        from ragtune.tuning.samples import block_length

        return block_length(self.recipe.tune, self.tokenizer, self.context_length)

    def predict(self) -> "Prediction":
        """What tuning will take, measured on a few of the rows.

        In rows with passages stand chunks of the first documents: only their length counts.
        """
        from ragtune.tuning.prediction import predict
        from ragtune.tuning.rows import stand_in_rows

        chunks = self._first_chunks(64) if self.passages_in_training else [""]
        recipe = self.recipe
        rows = stand_in_rows(
            self.split.train,
            recipe.records,
            self.template,
            seed=recipe.seed,
            chunks=chunks,
            top_k=recipe.rag.top_k,
        )
        samples = self.samples(rows)
        return predict(recipe.tune, self.base, samples, seed=recipe.seed, hardware=self.hardware)

    def _first_chunks(self, count: int) -> list[str]:
        """The texts of about so many chunks, from the first documents that can be read."""
        from ragtune.retrieval.chunks import Chunker

        chunker = Chunker(self.recipe.rag, self.embedder)
        found: list[str] = []
        for name in self.corpus.hashes:
            with contextlib.suppress(DocumentsError):
                found += [n.get_content() for n in chunker.split(self.corpus.read(name))]
            if len(found) >= count:
                break
        return found

    def export(self, folder: Path, dtype: str, questions: int = 16, tokens: int = 512) -> Any:
        """Merge the run's adapter into the base; the drift, over the first held-out questions.

        Raises ModelError and RunError as ``ragtune.tuning.export`` does.
        """
        from ragtune.tuning.export import export

        shown = [r.context if self.show_context else "" for r in self.split.test]
        rows = [
            self.format.row(record.instruction, context, record.response, tokens).ids
            for record, context in zip(self.split.test[:questions], shown, strict=False)
        ]
        return export(
            self.base,
            self.folder / "adapter",
            folder,
            dtype=dtype,
            template_hash=self.template.hash,
            tokenizer=self.tokenizer,
            rows=rows,
        )

    @functools.cached_property
    def context_length(self) -> int:
        """Positions that the base model was made for."""
        return context_length(self.base)
