"""What a recipe points at outside the run folder: found, checked and loaded at first use.

Each kind has a fingerprint, so a stage that declares it is made again when its content changes.
Nothing here writes: a recipe can be checked and previewed with no run folder in sight.
"""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ragtune.core import bundled
from ragtune.core.errors import DocumentsError, ModelError, RecipeError
from ragtune.core.files import digest, file_hash
from ragtune.core.ordinary import other_than_a_file
from ragtune.models.adapter import check_adapter
from ragtune.models.find import (
    check_chunks,
    context_length,
    embedder_folder,
    fingerprint,
    model_card,
    model_folder,
    tokenizer_folder,
)
from ragtune.models.folder import check_encoder
from ragtune.models.hardware import Hardware, probe
from ragtune.models.languages import card_languages, embedder_languages
from ragtune.models.load import load_tokenizer
from ragtune.models.tokenizer import PlainTokenizer
from ragtune.recipe.model import TORCH
from ragtune.recipe.schema import Recipe
from ragtune.runs.view import UndeclaredRead
from ragtune.sources.records import Record

if TYPE_CHECKING:  # slow to import, and of no use to who only asks
    from ragtune.models.engines.local import LocalEngine
    from ragtune.sources import documents
    from ragtune.sources.split import Split


def prepare_records(recipe: Recipe) -> "Split":
    """The training records and questions that a recipe names, as `sources.split` splits them."""
    from ragtune.sources.split import prepare

    return prepare(
        recipe.records,
        seed=recipe.seed,
        path=recipe.path,
        questions=recipe.study.questions,
        max_questions=recipe.study.max_questions,
        refusal=recipe.study.refusal,
    )


class Materials:
    """The records, documents and models of a recipe.

    Of the recipe only fields that say where something is, or how records are split, are read here:
    their effect is in the fingerprints.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._tuned: tuple[str, LocalEngine] | None = None

    def fingerprint(self, name: str) -> str | None:
        """The digest of a material's content; None where the recipe has none of it.

        Raises RagtuneError for a material that is missing or broken.
        """
        return _FINGERPRINTS[name](self)

    @functools.cached_property
    def split(self) -> "Split":
        """Training records and held-out questions, each with its gold document."""
        from ragtune.sources import documents

        split, recipe = prepare_records(self._recipe), self._recipe
        if recipe.documents is None:
            return split
        if recipe.documents.source == documents.CONTEXTS:
            named = documents.with_context_names
        elif recipe.retrieves and self.corpus.copies:
            named = functools.partial(documents.without_copies, copies=self.corpus.copies)
        else:
            return split
        return replace(split, train=named(split.train), test=named(split.test))

    @property
    def train(self) -> list[Record]:
        """The training records."""
        return self.split.train

    @property
    def questions(self) -> list[Record]:
        """The held-out questions."""
        return self.split.test

    @functools.cached_property
    def corpus(self) -> "documents.Corpus":
        """The documents to retrieve from."""
        return self.list_documents()

    def list_documents(self) -> "documents.Corpus":
        """The documents as they are now.

        Raises RecipeError where the recipe names none, DocumentsError where there are none.
        """
        from ragtune.sources import documents

        if self._recipe.documents is None:
            raise RecipeError("documents: the recipe names none; add documents.source")
        source, most = self._recipe.documents.source, self._recipe.documents.max_file_mb
        if source == documents.CONTEXTS:
            return documents.from_contexts([*self.split.train, *self.split.test])
        try:
            return documents.from_folder(self._recipe.path(source), most)
        except DocumentsError as error:
            origin = self._recipe.documents.origin
            raise DocumentsError(f"{error}; get them: {origin}" if origin else error) from None

    @property
    def general_text(self) -> Path:
        """The file on which forgetting is measured."""
        named = self._recipe.study.general_text
        if named == bundled.BUILTIN:
            return bundled.general_text()
        path = self._recipe.path(named)
        if kind := other_than_a_file(path):
            raise RecipeError(f"study.general_text: {path}: is {kind}; name a text file")
        return path

    @functools.cached_property
    def base(self) -> Path:
        """The base model's folder."""
        return model_folder(self._recipe.model, self._recipe.path(""))

    @functools.cached_property
    def base_fingerprint(self) -> str:
        """The hash of the base model's files."""
        return fingerprint(self.base)

    @functools.cached_property
    def context_length(self) -> int:
        """Tokens that the base model reads, here or at its server."""
        if self._recipe.model.remote:
            return int(self.server.engine().context_length)
        return context_length(self.base)

    @functools.cached_property
    def tokenizer(self) -> Any:
        """The base model's tokenizer; None where only a server has it."""
        model = self._recipe.model
        if not model.remote:
            return load_tokenizer(self.base)
        return load_tokenizer(self._tokenizer_folder) if model.here else None

    @property
    def _tokenizer_folder(self) -> Path:
        return tokenizer_folder(self._recipe.model, self._recipe.path(""))

    @functools.cached_property
    def server(self) -> Any:
        """The server that answers, looked at.

        Raises ModelError where there is none, or it has not the models that the recipe names.
        """
        from ragtune.models.engines.server import Server

        model = self._recipe.model
        return Server(model.engine, model.served, model.context_length, self.tokenizer)

    @functools.cached_property
    def tokenizer_fingerprint(self) -> str | None:
        """The hash of the files that the tokenizer beside a server is made of; None without one."""
        if not self._recipe.model.here:
            return None
        files = sorted(self._tokenizer_folder.glob("*token*"))
        files += sorted(self._tokenizer_folder.glob("chat_template*"))
        return digest({file.name: file_hash(file) for file in files if file.is_file()})

    @functools.cached_property
    def runs_here(self) -> bool:
        """Whether the model of a server can be run here as well: weights of a known family."""
        try:
            return self._recipe.model.here and bool(self.base)
        except ModelError:
            return False

    def engine(self, adapter: Path | None, template_hash: str) -> "LocalEngine":
        """The base model, with an adapter merged in where one is given, ready to answer.

        The base model is kept, and so is the adapter's that was asked for last.

        Raises ModelError for an adapter that is missing or was tuned with another template.
        """
        if adapter is None:
            return self._base_engine
        check_adapter(adapter, template_hash)
        key = fingerprint(adapter)
        if self._tuned is None or self._tuned[0] != key:
            self._tuned = None  # its memory is needed for the next
            given = (adapter, template_hash)
            self._tuned = key, self._open(lambda: digest([self.base_fingerprint, key]), given)
        return self._tuned[1]

    @functools.cached_property
    def _base_engine(self) -> "LocalEngine":
        return self._open(lambda: self.base_fingerprint)

    @property
    def loads_beside(self) -> bool:
        """Whether the model can be loaded while another thread opens an index.

        Not where transformers loads it: two threads that import its modules get in each other's
        way.
        """
        from ragtune.models.engines.opened import direct_shape

        model = self._recipe.model
        if model.remote or model.engine != TORCH or not direct_shape(self.base, self.hardware):
            return False
        return type(self.tokenizer) is PlainTokenizer

    def _open(
        self, identity: Callable[[], str], adapter: tuple[Path, str] | None = None
    ) -> "LocalEngine":
        from ragtune.models.engines.opened import open_engine

        return open_engine(self.base, self.tokenizer, self.hardware, identity, adapter)

    @functools.cached_property
    def vllm(self) -> Any:
        """The base model in vLLM, opened for adapters of the ranks that the recipe may tune.

        Raises ModelError where vLLM is not installed or cannot open it.
        """
        from ragtune.models.engines.opened import ends
        from ragtune.models.engines.vllm import Vllm
        from ragtune.tuning.search import RANKS

        tune = self._recipe.tune
        highest = math.ceil(tune.lora_r * max(RANKS)) if tune.search else tune.lora_r
        return Vllm(
            self.base,
            self.tokenizer,
            self.hardware,
            ends=ends(self.base, self.tokenizer),
            fingerprint=self.base_fingerprint,
            rank=highest if self._recipe.adapters else None,
        )

    def vllm_engine(self, adapter: Path | None, template_hash: str) -> Any:
        """The base model in vLLM with an adapter, or without one.

        Raises as ``vllm`` does, and for an adapter that cannot be used.
        """
        return self.vllm.engine(adapter, template_hash, fingerprint)

    @functools.cached_property
    def embedder_folder(self) -> Path:
        """The embedder's folder."""
        return embedder_folder(self._recipe.rag.embedder, self._recipe.path(""))

    @functools.cached_property
    def embedder_fingerprint(self) -> str:
        """The hash of the embedder's files."""
        return fingerprint(self.embedder_folder)

    @functools.cached_property
    def embedder(self) -> Any:
        """The embedder."""
        from ragtune.retrieval.embedder import Embedder

        return Embedder(self.embedder_folder, self.hardware)

    @property
    def embedder_languages(self) -> frozenset[str] | None:
        """The languages that the embedder knows; None where nothing says so."""
        return embedder_languages(self._recipe.rag.embedder, self._recipe.path(""))

    @functools.cached_property
    def model_languages(self) -> frozenset[str] | None:
        """The languages that the base model knows; None where its card does not say."""
        model = self._recipe.model
        return card_languages(model_card(model, self._recipe.path(""))[0]) if model.here else None

    def check_embedder(self, chunk_tokens: int) -> None:
        """Raise RecipeError when chunks of that length would be cut by the embedder, unseen."""
        check_chunks(self.embedder_folder, chunk_tokens)

    @property
    def reranker_folder(self) -> Path | None:
        """The cross-encoder's folder; None where the recipe names none.

        Raises ModelError where it holds no model.
        """
        if (name := self._recipe.rag.rerank) is None:
            return None
        folder = self._recipe.path(name)
        if not (folder / "config.json").is_file():
            raise ModelError(f"rag.rerank: {folder}: no cross-encoder there")
        check_encoder(folder, "rag.rerank")
        return folder

    @functools.cached_property
    def reranker(self) -> Any:
        """The cross-encoder; None where the recipe names none."""
        from ragtune.retrieval.rerank import Reranker

        folder = self.reranker_folder
        return Reranker(folder, self.hardware) if folder else None

    @functools.cached_property
    def reranker_fingerprint(self) -> str | None:
        """The hash of the cross-encoder's files."""
        folder = self.reranker_folder
        return fingerprint(folder) if folder else None

    @functools.cached_property
    def hardware(self) -> Hardware:
        """What this process computes on."""
        return probe(self._recipe.model.precision)


_FINGERPRINTS: Mapping[str, Callable[[Materials], str | None]] = {
    "records": lambda m: digest([r.to_json() for r in m.train]),
    "questions": lambda m: digest([r.to_json() for r in m.questions]),
    "documents": lambda m: m.corpus.hash,
    "base": lambda m: m.base_fingerprint,
    "server": lambda m: m.tokenizer_fingerprint,
    "own": lambda m: m.base_fingerprint if m.runs_here else None,
    "embedder": lambda m: m.embedder_fingerprint,
    "reranker": lambda m: m.reranker_fingerprint,
    "general_text": lambda m: file_hash(m.general_text),
}

_PARTS = {
    "records": {"train"},
    "questions": {"questions"},
    "documents": {"corpus", "list_documents"},
    "base": {
        *("base", "base_fingerprint", "engine", "vllm", "vllm_engine"),
        *("context_length", "tokenizer", "model_languages"),
    },
    "server": {"server", "context_length", "tokenizer", "model_languages"},
    "own": {"runs_here", "base", "base_fingerprint", "engine", "tokenizer"},
    "embedder": {"embedder", "embedder_fingerprint", "embedder_languages"},
    "reranker": {"reranker"},
    "general_text": {"general_text"},
}
"""What of `Materials` can be read by a stage that declares a kind."""
_ALWAYS = {"hardware"}


class _Restricted:
    """Materials of which only the declared kinds can be read."""

    def __init__(self, materials: Materials, kinds: tuple[str, ...]) -> None:
        self._materials = materials
        self._allowed = _ALWAYS.union(*(_PARTS[kind] for kind in kinds))

    def __getattr__(self, name: str) -> Any:
        if name not in self._allowed:
            raise UndeclaredRead(f"reads the material {name}, which it does not declare")
        return getattr(self._materials, name)


def restricted(materials: Materials, kinds: tuple[str, ...]) -> Materials:
    """The materials, of which these kinds can be read; others raise UndeclaredRead."""
    return cast(Materials, _Restricted(materials, kinds))
