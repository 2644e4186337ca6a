"""Figures as Markdown, as they go into ``docs/benchmarks.md``."""

from collections.abc import Mapping, Sequence
from typing import Any

Figures = Sequence[Mapping[str, Any]]


def report(environment: Mapping[str, Any], figures: Figures) -> str:
    """Where it was measured, a table for each kind, and what was not measured, with why."""
    good = [f for f in figures if "failed" not in f]
    blocks = [
        _where(environment, good),
        _tuning([f for f in good if f["kind"] == "lora"]),
        _rows([f for f in good if f["kind"] == "rows"]),
        _answers([f for f in good if f["kind"] == "answers"]),
        *(_parity(f) for f in good if f["kind"] == "parity"),
        *(f"Tests marked `gpu`: {f['said']}." for f in good if f["kind"] == "tests"),
        "\n".join(f"- not measured: {f['name']}: {f['failed']}" for f in figures if "failed" in f),
    ]
    return "\n\n".join(block for block in blocks if block)


def _where(environment: Mapping[str, Any], good: Figures) -> str:
    versions = ", ".join(f"{name} {one}" for name, one in environment["versions"].items() if one)
    said = f"{environment['card']}, {environment['date']}; {versions}."
    for found in good:
        if found["kind"] == "products":
            sheet = found["data_sheet"]
            said += f" A bf16 product of square matrices: {found['tflops']:.3g} TFLOP/s"
            said += f", of {sheet:.0f} by the data sheet." if sheet else "."
    return said


def _tuning(figures: Figures) -> str:
    if not figures:
        return ""
    lines = [
        "| shape | weights | contender | blocks a step | tokens/s | TFLOP/s | MFU | peak GiB "
        "| ragtune is |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for f in figures:
        lines.append(
            f"| {f['shape']} | {'nf4' if f['quantize'] else 'bf16'} | {f['contender']} "
            f"| {f['blocks']} | {f['tokens_a_second']:.0f} | {f['tflops']:.3g} "
            f"| {share(f['mfu'])} | {f['peak_gib']:.2f} | {_faster(f, figures)} |"
        )
    notes = [f"- {f['name']}: {note}" for f in figures for note in f["notes"]]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def _faster(figure: Mapping[str, Any], figures: Figures) -> str:
    """How many times as fast ragtune is on the same shape and weights."""
    for own in figures:
        same = all(own[key] == figure[key] for key in ("shape", "quantize"))
        if same and own["contender"] == "ragtune":
            return f"{own['tokens_a_second'] / figure['tokens_a_second']:.2f}x"
    return "-"


def share(value: float | None) -> str:
    """A share as per cent; a dash where it is not known."""
    return "-" if value is None else f"{value:.1%}"


def _rows(figures: Figures) -> str:
    if not figures:
        return ""
    lines = ["| shape | rows | tokens/s | peak GiB |", "|---|---|--:|--:|"]
    lines += [
        f"| {f['shape']} | {'side by side' if f['segments'] else 'padded'} "
        f"| {f['tokens_a_second']:.0f} | {f['peak_gib']:.2f} |"
        for f in figures
    ]
    return "\n".join(lines)


def _answers(figures: Figures) -> str:
    if not figures:
        return ""
    lines = [
        "| shape | engine | prompts at once | prefill tokens/s | decode tokens/s | ms a step |",
        "|---|---|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {f['shape']} | {f['contender']} | {f['batch']} | {f['prefill_tokens_a_second']:.0f} "
        f"| {f['decode_tokens_a_second']:.0f} | {f['ms_a_step']:.2f} |"
        for f in figures
    ]
    return "\n".join(lines)


def _parity(found: Mapping[str, Any]) -> str:
    apart = ", ".join(f"{value:.2g} in {dtype}" for dtype, value in found["apart"].items())
    verdict = "within" if found["within"] else "NOT within"
    return (
        f"Losses of {found['steps']} steps of a small model against a CPU's in fp32: at most "
        f"{apart} apart, relatively; {verdict} the bounds of the tests."
    )
