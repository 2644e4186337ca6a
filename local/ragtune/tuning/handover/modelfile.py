"""Ollama's Modelfile: the run's prompt, its end tokens, greedy decoding."""

from collections.abc import Sequence

from ragtune.tuning.handover.companions import Companions


def modelfile(source: str, about: Companions, ends: Sequence[str], *, adds_bos: bool) -> str:
    """A Modelfile over ``source``; ``ends`` are the texts of the tokens that end an answer."""
    lines = [f"FROM {source}"]
    if about.dialogue is not None:
        template = about.dialogue.go(with_context=about.with_context, adds_bos=adds_bos)
        lines.append(f'TEMPLATE """{template}"""')
    lines += [f"PARAMETER stop {_quoted(end)}" for end in ends]
    lines += [
        "PARAMETER temperature 0",
        f"PARAMETER num_ctx {about.positions}",
        f"PARAMETER num_predict {about.limit}",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
