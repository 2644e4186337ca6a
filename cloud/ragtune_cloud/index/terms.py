"""The contract of an index: how each field that shapes what is found is done in a home."""

from ragtune.recipe.schema import Recipe
from ragtune_cloud.target import NO_EQUIVALENT, Term

WORDS_DIFFER = (
    "differs: BM25 by S3's own words and weights; both rankings are fused as here: "
    "0.8 cosine, 0.2 words"
)


def of_qdrant(recipe: Recipe) -> list[Term]:
    """A server of Qdrant's does what the engine in this process does."""
    return [*_own_chunks(recipe), *_own_search(recipe), *_own_ranking(recipe)]


def of_s3_vectors(recipe: Recipe, language: str | None) -> list[Term]:
    """Our chunks and vectors; words by S3's rules of a ``language``, or of none."""
    rag = recipe.rag
    terms = [*_own_chunks(recipe)]
    if rag.search == "dense":
        terms.append(Term("rag.search", rag.search, "queryVector, cosine"))
    else:
        wire = "queryTexts" if rag.search == "keyword" else "queryVector and queryTexts"
        terms.append(Term("rag.search", rag.search, wire, WORDS_DIFFER))
        analyzer = language or "standard"
        verdict = "differs: S3's analyzer" if language else "differs: S3's analyzer of no language"
        terms.append(Term("rag.language", rag.language, analyzer, verdict))
    return [*terms, *_own_ranking(recipe)]


def of_knowledge_base(recipe: Recipe, embedder: str, *, own_chunks: bool) -> list[Term]:
    """A Knowledge Base embeds by itself, and chunks too unless it is given our chunks."""
    rag = recipe.rag
    if own_chunks:
        chunking = [
            Term("rag.chunk_tokens", rag.chunk_tokens, "chunking NONE, one object a chunk"),
            Term("rag.chunk_overlap", rag.chunk_overlap, "chunking NONE, one object a chunk"),
        ]
    else:
        tokens = "differs: tokens of another tokenizer; sentences, tables and pages are not kept"
        share = "differs: whole percents from 1 to 99, of the service's own chunks"
        chunking = [
            Term("rag.chunk_tokens", rag.chunk_tokens, f"maxTokens {rag.chunk_tokens}", tokens),
            Term(
                "rag.chunk_overlap",
                rag.chunk_overlap,
                f"overlapPercentage {percent(rag.chunk_overlap)}",
                share,
            ),
        ]
    return [
        Term("documents", "read here", "text, as read here"),
        *chunking,
        Term("rag.embedder", rag.embedder, embedder, "differs: another model, so other vectors"),
        _semantic(recipe),
        Term("rag.top_k", rag.top_k, f"numberOfResults {rag.top_k}"),
        Term("rag.rerank", rag.rerank, "here, on what is found there"),
        Term("rag.refuse_below", rag.refuse_below, *_threshold(recipe)),
    ]


def percent(share: float) -> int:
    """A share as the whole percents that a Knowledge Base takes: from 1 to 99."""
    return min(99, max(1, round(100 * share)))


def _semantic(recipe: Recipe) -> Term:
    search = recipe.rag.search
    if search == "dense":
        return Term("rag.search", search, "SEMANTIC")
    if search == "hybrid":
        why = "differs: vectors alone; HYBRID is only on OpenSearch Serverless"
        return Term("rag.search", search, "SEMANTIC", why)
    return Term("rag.search", search, None, NO_EQUIVALENT)


def _threshold(recipe: Recipe) -> tuple[str, str]:
    if recipe.rag.refuse_below is None:
        return "null", "same"
    return "null", "differs: its scores are on another scale, so none is refused by score"


def _written(value: float | str | None) -> str:
    return "null" if value is None else str(value)


def _own_chunks(recipe: Recipe) -> list[Term]:
    rag = recipe.rag
    return [
        Term("documents", "read here", "read here"),
        Term("rag.chunk_tokens", rag.chunk_tokens, "our chunks"),
        Term("rag.chunk_overlap", rag.chunk_overlap, "our chunks"),
        Term("rag.embedder", rag.embedder, "our vectors, float32"),
    ]


def _own_search(recipe: Recipe) -> list[Term]:
    rag = recipe.rag
    return [
        Term("rag.search", rag.search, rag.search),
        Term("rag.language", rag.language, rag.language),
    ]


def _own_ranking(recipe: Recipe) -> list[Term]:
    rag = recipe.rag
    return [
        Term("rag.top_k", rag.top_k, str(rag.top_k)),
        Term("rag.rerank", rag.rerank, "here, on what is found there"),
        Term("rag.refuse_below", rag.refuse_below, _written(rag.refuse_below)),
    ]
