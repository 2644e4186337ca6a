"""The sentences about what is wrong with a study."""

from ragtune.core.text.language import named
from ragtune.results import faults
from ragtune.results.faults import AnyFault

MULTILINGUAL = 'rag.embedder: multilingual (pip install "ragtune[multilingual]")'
OF_AN_ADAPTER = (faults.FewSteps, faults.ResidueDropped, faults.NoValidation, faults.LossUnmoved)
"""Faults that an adapter may have and another may not, so that their arms are named."""


def fault(what: AnyFault) -> str:
    """What is wrong with the study, and what to do about it."""
    if isinstance(what, OF_AN_ADAPTER):
        return f"{' and '.join(what.arms)}: {_said(what)}"
    return _said(what)


def _said(what: AnyFault) -> str:  # noqa: PLR0911, PLR0912, one sentence a kind
    match what:
        case faults.FewQuestions():
            return f"{what.questions} questions are too few; ask at least {what.least}"
        case faults.AnswersCut():
            cut = ", ".join(f"{arm} {what.cut[arm]}" for arm in what.arms)
            todo = "raise study.max_new_tokens, or teach the model to stop"
            if what.severity == "forbids":
                todo = "raise study.max_new_tokens"
            return (
                f"of {what.questions} answers each, some were cut at {what.limit} tokens: {cut}; "
                f"{todo}"
            )
        case faults.LongReferences():
            return (
                f"{what.longer} of {what.questions} references are longer than "
                f"study.max_new_tokens {what.limit}; set it to {what.longest} or more"
            )
        case faults.FewSteps():
            return (
                f"{what.steps} optimiser steps in all, where about {what.least} are needed; raise "
                "tune.epoch or lower the batch size; left out of the recipe, both suit the rows"
            )
        case faults.ResidueDropped():
            return (
                f"{what.share:.0%} of the training tokens are left out of each epoch; lower the "
                "batch size or max_input_length"
            )
        case faults.NoValidation():
            return (
                "no validation sample, so the last epoch is kept; add records, or set "
                "tune.validation_split_ratio to 0"
            )
        case faults.LossUnmoved():
            return (
                f"the held-out loss did not move: base {what.base:.3f}, tuned {what.tuned:.3f} "
                "nats a token; raise tune.epoch or tune.learning_rate"
            )
        case faults.NotLearnt():
            return (
                f"{what.adapter} answers {what.right} of {what.questions} of its own training "
                "questions, so it was not trained enough to be judged; raise tune.epoch or "
                "tune.learning_rate, then tune.lora_r, or set tune.search"
            )
        case faults.AnswersUnchanged():
            return (
                f"{what.arms[0]} answers as {what.other} does in {what.same} of {what.questions} "
                "questions, so tuning changed next to nothing"
            )
        case faults.AnswersFailed():
            told = ", ".join(f"{arm} {count}" for arm, count in what.failed.items())
            return (
                f"of {what.questions} questions each, some were answered with an error and count "
                f"as wrong: {told}; the answers say which error"
            )
        case faults.OtherAdapter():
            return (
                f"{' and '.join(what.arms)} was asked of the model that was tuned for "
                f"{what.adapter}, on other prompts than its own"
            )
        case faults.FewLatencies():
            return (
                f"latency percentiles are of {what.questions} questions; {what.least} or more are "
                "needed (study.latency_questions)"
            )
        case faults.UnknownLanguage():
            return _of_language(what)


def _of_language(what: faults.UnknownLanguage) -> str:
    """That a language is not known, and what does know it."""
    told = f"the {what.texts} are in {named(what.languages)}, which the {what.reader} does not know"
    if what.reader == "model":
        return f"{told}; its answers are of little use; name a model that does (model.local)"
    if what.keyword:
        return f"{told}, so they are searched by their words alone; {MULTILINGUAL} has meanings too"
    return f"{told}; take {MULTILINGUAL}, or rag.search: keyword"
