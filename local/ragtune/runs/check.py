"""Checking a recipe: what it would be run on, without running anything."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragtune.core.errors import DocumentsError, RecipeError
from ragtune.models.engines import vllm
from ragtune.models.folder import family_at
from ragtune.prompts.registry import format_of
from ragtune.recipe import file as recipe_file
from ragtune.recipe.model import VLLM
from ragtune.recipe.schema import Recipe
from ragtune.runs import defaults
from ragtune.runs.audit import data_faults
from ragtune.runs.materials import Materials
from ragtune.runs.plan import tunes
from ragtune.runs.stages.engine import answering
from ragtune.runs.stages.search import development
from ragtune.sources.documents import left_out

if TYPE_CHECKING:
    from ragtune.recipe.arms import Adapter, Arm
    from ragtune.tuning.prediction import Prediction

SENT = {"messages": "messages", "ids": "the run's own tokens", "text": "the run's own text"}
"""What a prompt is sent to a server as."""


def everything(recipe: Recipe, materials: Materials) -> None:
    """Look at all that the recipe points at.

    Raises RagtuneError for what is missing, broken, or does not fit together.
    """
    from ragtune.results.forgetting import paragraphs
    from ragtune.results.metrics.deciding import known

    known(recipe.study.metric)
    _ = materials.split
    if recipe.model.engine == VLLM:
        vllm.require()
        if recipe.tune.local.dora and tunes(recipe):
            raise RecipeError("tune.local.dora: vLLM takes no DoRA; take model.engine: torch")
    if recipe.model.remote:
        models_of(recipe, materials)
    else:
        _ = materials.base
    if recipe.retrieves:
        retrieval(recipe, materials)
    elif recipe.searches_records:
        materials.check_embedder(recipe.rag.chunk_tokens)
    if tunes(recipe):
        _targets(recipe, materials)
        paragraphs(materials.general_text)
        if recipe.tune.search is not None:
            development(materials.train, recipe.seed, recipe.records.split, recipe.study.questions)
    _lengths(recipe, materials)


def models_of(recipe: Recipe, materials: Materials) -> "dict[Arm, dict[str, Any]]":
    """The models of a server that answer, by arm.

    Raises ModelError where one is missing, or reads no raw prompts and is asked with them.
    """
    form = format_of(recipe.template.build(), materials.tokenizer)
    return answering(materials.server, recipe.arms, form)


def retrieval(recipe: Recipe, materials: Materials) -> None:
    """Look at the documents and the embedder alone.

    Raises RagtuneError for what is missing, broken, or does not fit together.
    """
    _ = materials.corpus
    materials.check_embedder(recipe.rag.chunk_tokens)
    _ = materials.reranker_folder


def _targets(recipe: Recipe, materials: Materials) -> None:
    """Raise RecipeError for layers that the model does not have."""
    from ragtune.tuning.targets import unknown_targets

    if fault := unknown_targets(recipe.tune, family_at(materials.base)):
        raise RecipeError(fault)


def _lengths(recipe: Recipe, materials: Materials) -> None:
    """Raise RecipeError where a prompt or a block could not fit the model's context."""
    reads, study = materials.context_length, recipe.study
    for length in (recipe.tune.of(adapter).max_input_length for adapter in recipe.adapters):
        if length > reads:
            raise RecipeError(
                f"tune.max_input_length: {length}, but the model reads {reads} tokens; "
                f"allowed: -1, or 1 to {reads}"
            )
    form = format_of(recipe.template.build(), materials.tokenizer)
    template = form.prompt("", "").length
    if template + study.max_new_tokens >= reads:
        raise RecipeError(
            f"study.max_new_tokens: {study.max_new_tokens}, but the model reads {reads} "
            f"tokens and the template alone takes {template}; allowed: 1 to "
            f"{max(1, reads - template - 1)}"
        )


def check(recipe: Recipe, *, probe: bool = False) -> tuple[dict[str, Any], str]:
    """What the recipe points at, counted; with ``probe`` what tuning will take, also in words.

    Raises RagtuneError for what is missing, broken, or does not fit together.
    """
    from ragtune.runs.foresight import foresee

    materials = Materials(recipe)
    everything(recipe, materials)
    found, skipped = materials.corpus.read_all() if recipe.retrieves else ([], {})
    faults, said = data_faults(recipe, materials, found, skipped)
    said = [*_other_form(recipe), *said]
    predicted = predict(recipe, materials) if probe else {}
    summary = {
        "recipe": recipe.name,
        "identity": recipe.identity,
        "train": len(materials.train),
        "questions": len(materials.questions),
        **_answers(recipe, materials),
        "read": materials.split.read,
        "bad_lines": [str(b) for b in materials.split.bad],
        "documents": len({document.name for document in found}),
        "skipped": skipped,
        "parts": left_out(found),
        "arms": recipe.arms,
        "answered": models_of(recipe, materials) if recipe.model.remote else {},
        "warnings": [fault.to_json() for fault in foresee(recipe, materials, found)],
        **faults,
        "data_warnings": said,
        "origins": dict(recipe.origins),
        "filled_in": defaults.summary(recipe),
        **({"tuning": {name: p.to_json() for name, p in predicted.items()}} if probe else {}),
    }
    return summary, "\n".join(p.said(name) for name, p in predicted.items())


def _other_form(recipe: Recipe) -> list[str]:
    """That a model is asked in another form than its own, where its own is known."""
    own = defaults.own_form(recipe)
    if not own:
        return []
    asked = {f"template.{name}": value for name, value in recipe.template.model_dump().items()}
    other = [field for field, value in own.items() if asked[field] != value]
    if not other:
        return []
    name = Path(recipe.model.local).name
    why = (
        "which the container of model.jumpstart does not know"
        if recipe.model.jumpstart and own.get("template.format") == "chat"
        else f"leave {' and '.join(other)} out of the recipe to ask it so"
    )
    return [f"{', '.join(other)}: {name} answers best in a form of its own, {why}"]


def _answers(recipe: Recipe, materials: Materials) -> dict[str, int]:
    """How many records and questions have no answer, and how many have several right ones."""
    from ragtune.results.rightness import unanswerable

    rows, refusals = [*materials.train, *materials.questions], recipe.study.all_refusals
    return {
        "unanswerable": sum(unanswerable(rows, refusals)),
        "several_references": sum(bool(row.other_responses) for row in rows),
        "with_pipes": sum(" | " in row.response for row in rows),
    }


def predict(recipe: Recipe, materials: Materials) -> "dict[Adapter, Prediction]":
    """What tuning each adapter will take, measured on a few of its rows.

    In rows with passages, chunks of the first documents take the passages' place: only their
    length counts.
    """
    from ragtune.runs.foresight import prepare
    from ragtune.tuning import prediction

    found = {}
    for adapter in recipe.adapters:
        passages = recipe.trains_with_passages(adapter)
        chunks = _first_chunks(recipe, materials, 64) if passages else []
        found[adapter] = prediction.predict(
            recipe.tune.of(adapter),
            materials.base,
            prepare(recipe, materials, adapter, chunks),
            seed=recipe.seed,
            hardware=materials.hardware,
        )
    return found


def _first_chunks(recipe: Recipe, materials: Materials, count: int) -> Sequence[str]:
    """The texts of about so many chunks, from the first documents that can be read."""
    from ragtune.retrieval.chunks import Chunker

    chunker = Chunker(recipe.rag, materials.embedder)
    found: list[str] = []
    for name in materials.corpus.hashes:
        with contextlib.suppress(DocumentsError):
            found += [n.get_content() for n in chunker.split(materials.corpus.read(name))]
        if len(found) >= count:
            break
    return found


def show(file: Path, found: dict[str, Any], prediction: str) -> str:
    """The counts for a terminal, what was left out, what is wrong, and the prediction."""
    from ragtune.results.faults import FAULTS
    from ragtune.results.wording import fault

    division = found["division"]
    split = f" (split by {division['by']})" if division else ""
    lines = [
        f"{file}: good; {found['train']} training records, {found['questions']} "
        f"questions{split}, {found['documents']} documents, arms {', '.join(found['arms'])}",
        *(f"of these {line}" for line in _answers_shown(found)),
        *found["read"],
        *(
            f"{arm}: answered by {by['model']}, which reads {by['context_length']:,} tokens and is "
            f"sent {SENT[by['takes']]}"
            for arm, by in found["answered"].items()
        ),
        *found["filled_in"],
        *(f"warning: {warning}" for warning in found["data_warnings"]),
        *(f"left out {bad}" for bad in found["bad_lines"]),
        *(f"warning: {fault(FAULTS.validate_python(value))}" for value in found["warnings"]),
        *([prediction] if prediction else []),
        *(f"left out {name}: {reason}" for name, reason in found["skipped"].items()),
        *(f"left out of {name}: {what}" for name, what in found["parts"].items()),
    ]
    return "\n".join(lines)


def _answers_shown(found: dict[str, Any]) -> list[str]:
    told = (
        (found["unanswerable"], "unanswerable: the right answer is study.refusal, in any words"),
        (found["several_references"], "with several right answers, any of which counts"),
        (found["with_pipes"], 'with " | " in a response, read as one answer; several are a list'),
    )
    return [f"{count} {what}" for count, what in told if count]


def show_filled(recipe: Recipe, prediction: str) -> str:
    """The recipe with every field; the prediction below it as a comment."""
    lines = prediction.splitlines()
    return recipe_file.dump_with_origins(recipe) + "".join(f"# {line}\n" for line in lines)
