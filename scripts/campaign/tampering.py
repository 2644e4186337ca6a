"""Tampering with a finished run: every kind is refused by what reads it, and healed by ``run``.

``python -m scripts.campaign.tampering [COUNT] [SEED]`` prints each kind that did not survive.
"""

import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.campaign import study
from scripts.campaign.tally import Tally, fault, scratch

Tamper = Callable[[Path], None]
PARTS = (
    "recipe.yaml",
    "lock.json",
    "data/train.jsonl",
    "data/test.jsonl",
    "adapter/adapter_model.safetensors",
    "adapter/adapter_config.json",
    "index/manifest.json",
    "index/store/edge_config.json",
    "retrieval.jsonl",
    "answers/tuned.jsonl",
    "results.json",
)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0" * 100)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "in it").touch()


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


HOW: dict[str, Tamper] = {
    "gone": Path.unlink,
    "cut": _cut,
    "emptied": _emptied,
    "flipped": _flipped,
    "longer": _longer,
    "a folder": _folder,
    "a link to nowhere": _dangling,
    "a link to itself": _circle,
    "a pipe": _pipe,
}


def _signed(change: Callable[[dict[str, Any]], object]) -> Tamper:
    """Change ``lock.json`` and sign it again, as one would who knows how."""

    def tamper(run: Path) -> None:
        from ragtune.core.files import digest, read_json, write_json

        lock = read_json(run / "lock.json")
        lock.pop("sha256")
        change(lock)
        write_json(run / "lock.json", {**lock, "sha256": digest(lock)})

    return tamper


def _text(name: str, text: str) -> Tamper:
    def tamper(run: Path) -> None:
        (run / name).write_text(text, encoding="utf-8")

    return tamper


def _in_place(name: str, kind: Tamper) -> Tamper:
    def tamper(run: Path) -> None:
        path = run / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.touch()
        kind(path)

    return tamper


def _bytes(name: str, content: bytes) -> Tamper:
    """Something else in place of a file."""

    def tamper(run: Path) -> None:
        (run / name).write_bytes(content)

    return tamper


OTHERS: dict[str, Tamper] = {
    "lock.json: 100,000 levels": _text("lock.json", "[" * 100_000),
    "lock.json: a number of 5,000 digits": _text("lock.json", "1" * 5_000),
    "lock.json: not UTF-8": _bytes("lock.json", b"\xff\xfe{}"),
    "lock.json: an older format": _signed(lambda lock: lock.update(format=1)),
    "lock.json: a format to come": _signed(lambda lock: lock.update(format=99)),
    "lock.json: no stages": _signed(lambda lock: lock.update(stages={})),
    "lock.json: stages of text": _signed(lambda lock: lock.update(stages="x")),
    "lock.json: a stage more": _signed(
        lambda lock: lock["stages"].update(other=next(iter(lock["stages"].values())))
    ),
    "lock.json: a stage gone": _signed(lambda lock: lock["stages"].pop("answers/base")),
    "lock.json: outputs gone": _signed(
        lambda lock: lock["stages"]["answers/base"].update(outputs={})
    ),
    "lock.json: outputs elsewhere": _signed(
        lambda lock: lock["stages"]["answers/base"]["outputs"].update(
            {"../../../../etc/hostname": {"bytes": 1, "sha256": "0"}}
        )
    ),
    "lock.json: another recipe folder": _signed(lambda lock: lock.update(recipe_folder="/nowhere")),
    "lock.json: a huge recipe folder": _signed(lambda lock: lock.update(recipe_folder="x" * 9000)),
    ".owner: bytes": _bytes(".owner", b"\xff" * 99),
    ".owner: a folder": _in_place(".owner", _folder),
    ".owner.lock: a folder": _in_place(".owner.lock", _folder),
    ".owner.lock: a link to nowhere": _in_place(".owner.lock", _dangling),
    ".partial: a file": _in_place(".partial", lambda path: None),
    ".partial: a link to nowhere": _in_place(".partial", _dangling),
    ".open: a file": _in_place(".open", lambda path: None),
    "answers: a file": _in_place("answers", lambda path: None),
    "adapter: a link to nowhere": _in_place("adapter", _dangling),
    "index: a file": _in_place("index", lambda path: None),
    "index/store: emptied": lambda run: shutil.rmtree(run / "index" / "store"),
    "index/manifest.json: 100,000 levels": _text("index/manifest.json", "[" * 100_000),
    "labels.jsonl: no JSON": _text("labels.jsonl", "{{{\n"),
}


def attempts() -> dict[str, Tamper]:
    """Every kind of tampering, by name."""
    found: dict[str, Tamper] = dict(OTHERS)
    for part in PARTS:
        for how, tamper in HOW.items():
            found[f"{part}: {how}"] = lambda run, p=part, t=tamper: t(run / p)  # type: ignore[misc]
    return found


def campaign(count: int = 75, seed: int = 1) -> Tally:
    """So many kinds, drawn by the seed; each is read by ``report`` and then run again."""
    from ragtune.core.files import copy_tree

    study.warm()
    tally, folder = Tally("tampering", seed), scratch()
    kinds = attempts()
    try:
        recipe = study.write(folder / "project")
        code, said = study.called(["run", recipe, "--runs", folder / "whole"])
        if code:
            raise RuntimeError(f"the undisturbed run failed: {said}")
        whole = study.run_of(folder / "whole")
        reference = study.content(whole)
        for name in random.Random(seed).sample(sorted(kinds), min(count, len(kinds))):
            runs = folder / "runs"
            shutil.rmtree(runs, ignore_errors=True)
            runs.mkdir()
            copy_tree(whole, runs / whole.name)
            kinds[name](runs / whole.name)
            tally.add(name, _wrong(recipe, runs, runs / whole.name, reference))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tally


def _wrong(recipe: Path, runs: Path, run: Path, reference: Any) -> str:
    code, said = study.called(["report", run])
    if wrong := fault(code, said):
        return f"report: {wrong}"
    if code == 0 and (wrong := study.difference(run, reference)):
        return f"report took it: {wrong}"
    code, said = study.called(["run", recipe, "--runs", runs])
    if wrong := fault(code, said):
        return f"run: {wrong}"
    # One that refuses in a line has lost nothing; one that ends well must have healed it.
    return study.difference(run, reference) if code == 0 else ""


def main(arguments: list[str]) -> int:
    """Run it alone; the exit code."""
    return campaign(*(int(one) for one in arguments)).show()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
