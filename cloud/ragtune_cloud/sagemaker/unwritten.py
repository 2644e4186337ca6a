"""What shapes training without a field: model, tokenizer, end token, schedule, precision.

What the container does is known from the published job's log, or from the code that it is built
on; where neither says it, nobody but AWS knows, and the contract says so.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

from ragtune.core.errors import RagtuneError
from ragtune.core.files import read_json
from ragtune.core.run_folder import RunFolder
from ragtune.models.find import model_card
from ragtune.recipe.schema import Recipe
from ragtune.runs.lock import Lock
from ragtune_cloud.gate import promoted
from ragtune_cloud.sagemaker import catalog
from ragtune_cloud.sagemaker.spec import Spec
from ragtune_cloud.target import NOT_KNOWN, SAME, Term

BLOCK = 1024
"""Tokens that ``max_input_length: -1`` stands for there, where the tokenizer reads as many."""
ALIKE = 0.02
"""Two models whose sizes differ by less than this share may be the same."""
SCHEDULE = "AdamW, x 0.85 an epoch"


@dataclass(frozen=True)
class Measured:
    """What a run was measured with; None where it is not known here.

    ``parameters`` are the base model's, ``vocabulary`` counts tokens, ``reads`` is what the model
    reads at most, ``precision`` that of the weights while tuning.
    """

    parameters: int | None = None
    vocabulary: int | None = None
    reads: int | None = None
    end_token: str | None = None
    precision: str | None = None


def measured(recipe: Recipe, run: RunFolder) -> Measured:
    """What a run folder and the recipe's model say; nothing is loaded for it."""
    adapter = promoted(recipe, run)
    training = run.training(adapter)
    noted = read_json(training) if training.exists() else {}
    tuned = noted.get("parameters")
    machine = _machine(run, adapter)
    found = Measured(
        parameters=tuned and tuned - noted.get("trainable_parameters", 0),
        precision=machine.get("train_dtype"),
    )
    try:
        folder, _ = model_card(recipe.model, recipe.path(""))
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (RagtuneError, OSError, ValueError):
        return found
    said = folder / "tokenizer_config.json"
    tokenizer = json.loads(said.read_text(encoding="utf-8")) if said.exists() else {}
    reads = [config.get("max_position_embeddings"), tokenizer.get("model_max_length")]
    known = [int(n) for n in reads if isinstance(n, int | float)]
    end = tokenizer.get("eos_token")
    return replace(
        found,
        vocabulary=config.get("vocab_size"),
        reads=min(known) if known else None,
        end_token=end.get("content") if isinstance(end, dict) else end,
    )


def _machine(run: RunFolder, adapter: str) -> dict[str, Any]:
    try:
        return Lock.load(run).environment([f"tune/{adapter}"])
    except RagtuneError:
        return {}  # the gate says what is wrong with it


def terms(
    recipe: Recipe, spec: Spec | None, measured: Measured, sent: dict[str, str]
) -> list[Term]:
    """The rows; ``sent`` are the hyperparameters that travel."""
    there = recipe.model.jumpstart or ""
    version = f" {spec.version}" if spec else ""
    same = spec is not None and recipe.model.local == spec.huggingface_id
    end = measured.end_token or "the tokenizer's"
    return [
        Term(
            "model",
            recipe.model.local,
            there + version,
            SAME if same else _sizes(measured.parameters, catalog.parameters(there)),
        ),
        _tokenizer(measured, catalog.vocabulary(there), same=same),
        Term(
            "end token",
            f"{end} after each row",
            None,
            f"{NOT_KNOWN}: whether the container ends a row with one",
        ),
        Term(
            "schedule",
            SCHEDULE,
            SCHEDULE,
            f"{NOT_KNOWN}: so in llama-recipes, which the container is built on; weight decay too",
        ),
        _precision(measured, sent),
    ]


def length(term: Term, measured: Measured) -> Term:
    """The row of ``max_input_length``; -1 with the tokens that it stands for, here and there."""
    if term.local != -1:
        return term
    if measured.reads is None:
        said = f"{NOT_KNOWN}: the model that was tuned here is not at hand"
        return replace(term, local="-1: 1024 at most", wire=f"-1: {BLOCK}", verdict=said)
    here = min(BLOCK, measured.reads)
    why = SAME if here == BLOCK else f"differs: blocks of {here} tokens here, of {BLOCK} there"
    return replace(term, local=f"-1: {here}", wire=f"-1: {BLOCK}", verdict=why)


def _sizes(here: float | None, there: float | None) -> str:
    if here is None or there is None:
        return f"{NOT_KNOWN}: whether it is the model that was measured"
    if abs(here - there) > ALIKE * there:
        return f"differs: {here / 1e9:.2f} B parameters here, {there / 1e9:.2f} B there"
    return f"{NOT_KNOWN}: of one size, but whether the weights are the same"


def _tokenizer(measured: Measured, there: int | None, *, same: bool) -> Term:
    def said(count: int | None) -> str:
        return "not at hand" if count is None else f"{count} tokens"

    if same:
        verdict = SAME
    elif measured.vocabulary is None or there is None:
        verdict = f"{NOT_KNOWN}: whether it is the one that was measured"
    elif measured.vocabulary != there:
        verdict = "differs: rows have other lengths, so blocks hold other text"
    else:
        verdict = f"{NOT_KNOWN}: as many tokens, but whether they are the same"
    return Term("tokenizer", said(measured.vocabulary), said(there), verdict)


def _precision(measured: Measured, sent: dict[str, str]) -> Term:
    """The published log shows bfloat16; weights in int8 are a hyperparameter."""
    there = "int8" if sent.get("int8_quantization") == "True" else "bfloat16"
    if measured.precision is None:
        return Term("precision", "not noted", there, f"{NOT_KNOWN}: what was used here")
    same = measured.precision == there
    verdict = SAME if same else f"differs: weights in {measured.precision} here, in {there} there"
    return Term("precision", measured.precision, there, verdict)
