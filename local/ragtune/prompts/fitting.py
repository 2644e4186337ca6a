"""What goes first where a prompt is longer than the model reads; the same in every format."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ragtune.prompts.base import Example, Prompt


@dataclass(frozen=True)
class Shown:
    """All that stands in a prompt besides the format's own words."""

    instruction: str
    own: str = ""
    passages: Sequence[str] = ()
    examples: Sequence[Example] = ()


def fitted(
    shown: Shown, limit: int, make: Callable[[Shown], Prompt], count: Callable[[str], int]
) -> Prompt:
    """The prompt that ``make`` makes, in at most ``limit`` tokens; a text has ``count`` of them.

    What does not fit goes in this order: examples from the first; passages, each that has no room
    behind those before it; the end of the record's own context; the end of the instruction.

    Raises ValueError when the format's words alone are longer than ``limit``.
    """
    while (prompt := make(shown)).length > limit and shown.examples:
        shown = replace(shown, examples=shown.examples[1:])
    without: list[int] = []
    if prompt.length > limit and (found := shown.passages):
        shown, prompt = replace(shown, passages=()), make(replace(shown, passages=()))
        for place, passage in enumerate(found):
            more = replace(shown, passages=[*shown.passages, passage])
            if (longer := make(more)).length <= limit:
                shown, prompt = more, longer
            else:
                without.append(place)
        last = len(shown.passages) + len(without)
        while without and without[-1] == last - 1:  # at the end, where the count says it
            last = without.pop()
    whole = prompt.length
    while (over := prompt.length - limit) > 0:
        if own := shown.own:
            shown = replace(shown, own=_shortened(own, over, count(own)))
        elif asked := shown.instruction:
            shown = replace(shown, instruction=_shortened(asked, over, count(asked)))
        else:
            raise ValueError(f"the template alone has {prompt.length} tokens, over {limit}")
        prompt = make(shown)
    return replace(prompt, cut=whole - prompt.length, without=tuple(without))


def _shortened(text: str, over: int, tokens: int) -> str:
    """The text less about ``over`` of its ``tokens`` tokens, at least one character, at its end."""
    share = over / max(1, tokens)
    return text[: max(0, len(text) - math.ceil(len(text) * share))]
