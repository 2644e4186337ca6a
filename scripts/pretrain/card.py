"""The model card of the tiny base model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CARD = Path(__file__).with_name("model_card.md")


def render_card(
    figures: dict[str, Any], log: list[dict[str, Any]], settings: dict[str, Any]
) -> str:
    """The card as Markdown."""
    rows = [("bits per byte, `wikitext2_test.txt` as it stands", figures.get("bits_per_byte"))]
    for name, title in (
        ("squad2", "500 questions of SQuAD 2.0"),
        ("pages", "hand-written pages kept out of training, 3 passages"),
        ("generated", "made-up organisations, 3 passages"),
    ):
        if name in figures:
            one = figures[name]
            rows += [
                (f"{title}: token F1 of {one['answerable']} answerable", one["token_f1"]),
                (f"{title}: exact match of these", one["exact_match"]),
                (f"{title}: refused wrongly, %", one["refused_wrongly"]),
                (
                    f"{title}: refused rightly of {one['unanswerable']} unanswerable, %",
                    one["refused_rightly"],
                ),
            ]
    last = log[-1] if log else {}
    known = ("step", "tokens", "seconds", "fraction", "row", "tokens_per_second")
    seconds = float(last.get("seconds", 0.0))
    return CARD.read_text(encoding="utf-8").format(
        parameters=figures["parameters"] / 1e6,
        refusal="not in the documents",
        tokens=last.get("tokens", 0),
        steps=last.get("step", 0),
        minutes=seconds / 60,
        speed=last.get("tokens", 0) / max(seconds, 1.0),
        rows="\n".join(f"| {name} | {value} |" for name, value in rows),
        final=", ".join(f"{name} {value:.2f}" for name, value in last.items() if name not in known),
        seed=settings["seed"],
        peak_rate=settings["peak_rate"],
        batch=settings["batch_tokens"],
        decay_from=settings["decay_from"],
    )
