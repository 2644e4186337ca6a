"""Held-out loss: how surprised a model is by the reference answers."""

from collections.abc import Sequence

from ragtune.core.progress import Advance
from ragtune.models.engines.base import Engine, Loss, unwatched
from ragtune.prompts.base import IGNORED, Example, PromptFormat, Row, takes_turns
from ragtune.sources.records import Record

BATCH = 16


def completion_loss(
    engine: Engine,
    format: PromptFormat,
    records: Sequence[Record],
    passages: Sequence[Sequence[str]] = (),
    *,
    show_context: bool,
    advance: Advance = unwatched,
) -> Loss:
    """The negative log-likelihood of the held-out completions, EOS included.

    Prompts are those of the arms: without passages, or with those given for each record. A row
    longer than the engine's context keeps its end: the completion stays whole, and the prompt
    gives way as it does for an answer.
    """
    limit = engine.context_length
    shown = passages or [()] * len(records)
    rows = [
        row(format, record, limit, found, show_context=show_context)
        for record, found in zip(records, shown, strict=True)
    ]
    return engine.loss(rows, batch_size=BATCH, advance=advance)


def row(
    format: PromptFormat,
    record: Record,
    limit: int,
    passages: Sequence[str] = (),
    *,
    show_context: bool,
) -> Row:
    """A record's row of at most ``limit`` tokens; its completion keeps at least half of them."""
    turns = takes_turns(format)
    own = record.own(with_context=show_context, turns=turns)
    earlier = [Example(asked, "", said) for asked, said in record.exchanges] if turns else []
    if earlier:
        return _of_dialogue(format, record, limit, (own, passages, earlier))
    whole = format.row(record.instruction, format.context(own, passages), record.response)
    if len(whole.ids) <= limit:
        return whole
    completion = [label for label in whole.labels if label != IGNORED][: limit // 2]
    prompt = format.prompt(record.instruction, own, passages, limit=limit - len(completion)).ids
    ids = prompt + completion
    labels = [IGNORED] * len(prompt) + completion
    return Row(ids, labels, len(whole.ids) - len(ids), whole.straddles)


def _of_dialogue(
    format: PromptFormat,
    record: Record,
    limit: int,
    shown: tuple[str, Sequence[str], Sequence[Example]],
) -> Row:
    """The row of a conversation's last answer; the turns before it belong to the prompt."""
    own, passages, earlier = shown
    alone = format.row(record.instruction, format.context(own, passages), record.response)
    completion = [label for label in alone.labels if label != IGNORED][: limit // 2]
    room = limit - len(completion)
    prompt = format.prompt(record.instruction, own, passages, room, earlier)
    labels = [IGNORED] * len(prompt.ids) + completion
    return Row([*prompt.ids, *completion], labels, prompt.cut, alone.straddles)
