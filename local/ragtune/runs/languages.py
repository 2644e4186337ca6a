"""The languages of a recipe's documents and questions, and what of it does not know them."""

from collections.abc import Mapping, Sequence
from typing import Any

from ragtune.core.text.language import ENGLISH, language_of, languages_of
from ragtune.models.languages import embedder_languages, not_known, unread
from ragtune.recipe.arms import Arm, reads_documents, searches_records
from ragtune.recipe.schema import Recipe
from ragtune.results.faults import UnknownLanguage
from ragtune.sources.documents import CONTEXTS
from ragtune.sources.records import Record
from ragtune.sources.sample import of_folder, spread

MANY = 0.2
"""The share of the questions from which a language is worth a warning."""


def of_documents(recipe: Recipe, records: Sequence[Record]) -> list[str]:
    """The languages of what is searched, by a sample; none where too little can be read."""
    if recipe.documents is None or not recipe.retrieves:
        return languages_of(spread([f"{r.instruction} {r.response}" for r in records]))
    if recipe.documents.source == CONTEXTS:
        return languages_of(spread([r.context for r in records if r.context.strip()]))
    return languages_of(of_folder(recipe.path(recipe.documents.source)))


def chosen_search(recipe: Recipe, languages: Sequence[str]) -> dict[str, Any]:
    """By words alone, where the embedder does not know what most documents are written in."""
    known = embedder_languages(recipe.rag.embedder, recipe.path(""))
    return {"rag.search": "keyword"} if not_known(languages[:1], known) else {}


def unknown(
    asked: Sequence[Record],
    *,
    documents: Sequence[str],
    search: str,
    arms: Sequence[Arm],
    embedder: frozenset[str] | None,
    model: frozenset[str] | None,
    tokenizer: Any,
) -> list[UnknownLanguage]:
    """The languages of documents and questions that the embedder or the model does not know.

    ``documents`` are the languages of what is searched, ``embedder`` and ``model`` those that they
    know, where that is said.
    """
    texts = spread([record.instruction for record in asked], 200)
    questions = languages_of(texts, MANY)
    searching = tuple(a for a in arms if reads_documents(a) or searches_records(a))
    found: list[UnknownLanguage] = []

    def add(reader: Any, kind: Any, languages: Sequence[str], of: Sequence[Arm]) -> None:
        if languages and of:
            found.append(
                UnknownLanguage(
                    severity="weakens",
                    arms=tuple(of),
                    reader=reader,
                    texts=kind,
                    languages=tuple(languages),
                    keyword=search == "keyword",
                )
            )

    add("embedder", "documents", not_known(documents, embedder), searching)
    if not found and search != "keyword":
        add("embedder", "questions", not_known(questions, embedder), searching)
    by_language = {code: [t for t in texts if language_of(t) == code] for code in questions}
    strange = _strange(tokenizer, by_language) if model is None else not_known(questions, model)
    add("model", "questions", strange, tuple(arms))
    return found


def _strange(tokenizer: Any, texts: Mapping[str, Sequence[str]]) -> list[str]:
    if tokenizer is None:  # a server has the only one
        return []
    return [code for code, of in texts.items() if code != ENGLISH and unread(tokenizer, of, code)]
