"""What `check` says of the split, of near-duplicates and of gold that does not exist."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from ragtune.arms.ask_all import spread
from ragtune.recipe.arms import is_tuned
from ragtune.recipe.schema import Recipe
from ragtune.runs.materials import Materials
from ragtune.runs.plan import tunes
from ragtune.sources import gold, leaks
from ragtune.sources.documents import Document
from ragtune.sources.gold import AbsentEvidence, UnknownName
from ragtune.sources.plain import letters, spellings
from ragtune.sources.split import HELD_OUT, Division

PAIRS = 100_000_000
"""Questions times training records that are compared here; a run compares all of them."""
SHOWN = 5
"""Faults of one kind that are shown, before they are only counted."""


def data_faults(
    recipe: Recipe,
    materials: Materials,
    documents: Sequence[Document],
    left_out: Mapping[str, str],
) -> tuple[dict[str, Any], list[str]]:
    """What is to be known of the data, as values and as sentences.

    ``documents`` are all that can be read, ``left_out`` the others with the reason.
    """
    division = materials.split.division
    values: dict[str, Any] = {"division": asdict(division) if division else None}
    said = [*_of_division(division), *_of_facts(recipe)]
    if tunes(recipe) or recipe.searches_records:
        asked = spread(materials.questions, max(1, PAIRS // max(1, len(materials.train))))
        found = leaks.find(materials.train, asked, with_context=recipe.records.context == "input")
        looked = {"looked_at": len(asked)} if len(asked) < len(materials.questions) else {}
        values["near_duplicates"] = {**found.to_json(materials.train, asked), **looked}
        said += _of_leaks(values["near_duplicates"])
    if recipe.retrieves:
        unknown, absent = _gold(materials, documents, left_out)
        values["unknown_gold"] = [asdict(one) for one in unknown]
        values["absent_evidence"] = [asdict(one) for one in absent]
        said += [*_some([_of_name(one) for one in unknown]), *_some([_of_text(o) for o in absent])]
    return values, said


def _of_division(division: Division | None) -> Iterator[str]:
    if division is None:
        return
    by, held, of = division.by, division.held_out, division.records
    if abs(held - division.asked) > max(1, 0.1 * division.asked):
        yield (
            f"records.split: {by}: {held} of {of} records are held out, where "
            f"records.test_fraction asks for {division.asked}: it is as near as whole units allow; "
            f"{division.largest} records share {division.largest_by}"
        )
    if 2 * division.largest > of and held < division.largest:
        yield (
            f"records.split: {by}: {division.largest} of {of} records share "
            f"{division.largest_by} and are all trained on: no held-out question is about that; "
            "study.questions can name questions of your own"
        )


def _of_facts(recipe: Recipe) -> Iterator[str]:
    """Facts cannot be learnt from documents that no training record is about."""
    by_document = recipe.study.questions == HELD_OUT and recipe.records.split == "document"
    if by_document and recipe.records.context == "passage" and tunes(recipe):
        arms = " and ".join(arm for arm in recipe.arms if is_tuned(arm))
        yield (
            f"records.split: document: {arms} will be asked about documents that no training "
            "record is about, so the records teach how to answer and not these facts; to measure "
            "learnt facts, take records.split: question, or name study.questions"
        )


def _of_leaks(found: Mapping[str, Any]) -> Iterator[str]:
    kinds = {
        "equal": "the same but for case and punctuation",
        "similar": "with a few other words",
        "same_fact": "with the same answer and the same rare words",
    }
    counts = [f"{found[kind]} {told}" for kind, told in kinds.items() if found[kind]]
    if counts:
        first = found["examples"][0]
        total = sum(found[kind] for kind in kinds)
        of = f" of the {found['looked_at']} that were looked at" if "looked_at" in found else ""
        yield (
            f"{total} held-out questions{of} are nearly asked by training records "
            f"({', '.join(counts)}"
            f"; e.g. {first['asked']!r} and {first['trained']!r}), which favours tuned arms; give "
            "records that ask for the same fact one `group`, or remove them"
        )


def _gold(
    materials: Materials, documents: Sequence[Document], left_out: Mapping[str, str]
) -> tuple[list[UnknownName], list[AbsentEvidence]]:
    records = list(dict.fromkeys([*materials.questions, *materials.train]))
    parts: dict[str, list[str]] = defaultdict(list)
    for document in documents:
        parts[document.name].append(document.text)
    texts = {name: "\n".join(pieces) for name, pieces in parts.items()}
    absent = gold.absent_evidence(records, texts.keys(), texts.__getitem__)
    whole = {name: spellings(text) for name, text in texts.items()} if absent else {}
    names = {**texts, **materials.corpus.copies}.keys()
    return gold.unknown_names(records, names, left_out), [
        replace(
            one,
            elsewhere=next((n for n, text in whole.items() if letters(one.evidence) in text), ""),
        )
        for one in absent
    ]


def _of_name(one: UnknownName) -> str:
    many = f"{one.records} record{'s' if one.records > 1 else ''}"
    nearest = f"; the nearest name is {one.nearest}" if one.nearest else ""
    why = f": it is left out: {one.left_out}" if one.left_out else nearest
    return f"gold document {one.name} of {many} does not exist{why}"


def _of_text(one: AbsentEvidence) -> str:
    text = one.evidence if len(one.evidence) <= 80 else f"{one.evidence[:77]}..."
    where = f"; {one.elsewhere} has it" if one.elsewhere else ", nor in any other document"
    return f"evidence {text!r} is not in {one.document}{where}"


def _some(sentences: Iterable[str]) -> list[str]:
    """The first few, and how many more there are."""
    told = list(sentences)
    more = len(told) - SHOWN
    return [*told[:SHOWN], *([f"... and {more} more such faults"] if more > 0 else [])]
