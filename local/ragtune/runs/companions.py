"""What a run says of a model that it exports: its prompt as a dialogue, its base, its figures."""

import re

from ragtune.core.bundled import BUILTIN
from ragtune.models import smollm
from ragtune.recipe.arms import Adapter, reads_documents
from ragtune.results.schema import Results
from ragtune.results.wording import right
from ragtune.runs.stage import Work
from ragtune.runs.stages import parts
from ragtune.tuning.handover.companions import Companions, licence_of
from ragtune.tuning.handover.dialogue import dialogue_of

QUESTION = "Your question?"
PASSAGES = ("The first passage that was found.", "The second one.")
SHIPPED = {
    BUILTIN: "tiny-llama of ragtune",
    smollm.PUBLISHED: "HuggingFaceTB/SmolLM2-135M-Instruct",
    smollm.READER: "HuggingFaceTB/SmolLM2-135M-Instruct with the reading adapter of ragtune",
}
"""What `model.local` names, as others know it."""
APACHE = "apache-2.0"


def companions(work: Work, adapter: Adapter, stops: tuple[int, ...]) -> Companions:
    """What is written beside an adapter's model.

    Raises ModelError where the tokenizer's chat template cannot be used.
    """
    recipe, materials = work.recipe, work.materials
    template, named = recipe.template.build(), recipe.model.local
    passages = PASSAGES if reads_documents(adapter) else ()
    own = PASSAGES[0] if parts.shows_context(work) and not passages else ""
    return Companions(
        name=re.sub(r"[^a-z0-9._-]+", "-", recipe.name.lower()).strip("-.") or "model",
        arm=adapter,
        base=SHIPPED.get(named, named),
        licence=APACHE if named in smollm.NAMES else licence_of(materials.base),
        dialogue=dialogue_of(template, materials.tokenizer),
        stops=stops,
        figures=_figures(work, adapter),
        question=QUESTION,
        context=template.context(own, passages),
        with_context=bool(own or passages),
        limit=recipe.study.max_new_tokens,
        positions=materials.context_length,
    )


def _figures(work: Work, adapter: Adapter) -> tuple[str, ...]:
    """How many held-out questions the arm and the base answer right; empty without results."""
    if not work.run.results.exists():
        return ()
    results = Results.load(work.run.results)
    total = results.questions
    shown = [
        f"{name} {right(results.arms[name], total)}"
        for name in dict.fromkeys((adapter, *results.arms))
        if name in results.arms
    ]
    return (f"Right answers to {total} held-out questions: {', '.join(shown)}.",)
