"""Odd environments: full and read-only disks, no home, ASCII, low limits, odd paths.

``python -m scripts.campaign.environments [COUNT] [SEED]``: each runs the tiny study, or reads a
finished one, in an environment of its own. File systems are mounted where root may; elsewhere
those attempts are counted as left out.
"""

import contextlib
import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.campaign import study
from scripts.campaign.tally import Tally, fault, scratch

ODD = {
    "spaces": "a b  c",
    "quotes": 'it\'s "so"',
    "a newline": "two\nlines",
    "CJK": "研究资料",
    "right to left": "מחקר",
    "emoji": "🚢🧪",
    "a dash first": "-rf",
    "percent": "100%s%(x)s",
    "a pattern": "[ab]*?",
    "braces": "{x}{{y}}",
    "a tilde": "~nobody",
    "a backslash": "a\\b",
    "a dollar": "$HOME",
    "markup": "[red]<b>&amp;",
    "a dot last": "ends.",
    "a colon": "c:d",
    "a hash": "a#b?c=d",
    "an equals sign": "a=b,c",
    "200 letters": "x" * 200,
    "12 folders of 200 letters": "/".join(["y" * 200] * 12),
    "bytes that are not UTF-8": os.fsdecode(b"a\xff\xfeb"),
}
"""Names of the folder that everything is in."""


@dataclass(frozen=True)
class Place:
    """Where an attempt may work: an empty folder, and a finished run to be read."""

    folder: Path
    finished: Path


@dataclass
class Attempt:
    """What is run, what is done before it in its process, and what is set up around it."""

    command: Callable[[Place], list[object]]
    before: Callable[[Place], object] = lambda place: None
    around: Callable[[Place], Any] = lambda place: contextlib.nullcontext()
    fresh: dict[str, str | None] | None = field(default=None)
    """Variables of a process that is started instead of forked; None takes one away."""


class LeftOut(Exception):
    """What cannot be tried on this machine."""


@contextlib.contextmanager
def _mounted(place: Path, options: str) -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise LeftOut(done.stderr.strip())
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextlib.contextmanager
def _read_only(place: Path) -> Iterator[None]:
    with _bound(place):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], check=True)
        yield


@contextlib.contextmanager
def _bound(place: Path) -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "--bind", str(place), str(place)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LeftOut(done.stderr.strip())
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _run(place: Place) -> list[object]:
    recipe = study.write(place.folder / "project")
    return ["run", recipe, "--runs", place.folder / "runs"]


def _runs(kind: Callable[[Path], object]) -> Attempt:
    """Something else where the folder of runs should be."""
    return Attempt(_run, around=lambda p: _done(kind, p.folder / "runs"))


@contextlib.contextmanager
def _done(kind: Callable[[Path], object], path: Path) -> Iterator[None]:
    kind(path)
    yield


def _full(options: str) -> Attempt:
    return Attempt(_run, around=lambda p: _mounted(p.folder / "runs", options))


def _limited(kind: str, soft: int) -> Attempt:
    number = getattr(resource, f"RLIMIT_{kind}")
    return Attempt(_run, before=lambda _: resource.setrlimit(number, (soft, soft)))


def _read(verb: str, *words: str) -> Attempt:
    return Attempt(
        lambda p: [verb, p.finished, *words], around=lambda p: _read_only(p.finished.parent)
    )


def _named(name: str) -> Attempt:
    def command(place: Place) -> list[object]:
        inside = place.folder / name
        inside.mkdir(parents=True)
        recipe = study.write(inside / "project")
        return ["run", recipe, "--runs", inside / "runs"]

    return Attempt(command)


def _started(**variables: str | None) -> Attempt:
    return Attempt(_run, fresh=variables)


def _sibling(kind: Callable[[Path], object]) -> Attempt:
    def make(place: Place) -> Any:
        beside = place.folder / "runs" / "tiny-00000000"
        beside.mkdir(parents=True)
        return _done(kind, beside / "lock.json")

    return Attempt(_run, around=make)


def _stream(number: int, path: str) -> Attempt:
    """A standard stream that is something else, or closed."""

    def before(_: Place) -> None:
        if path:
            os.dup2(os.open(path, os.O_RDWR), number)
        else:
            os.close(number)

    return Attempt(_run, before=before)


def attempts() -> dict[str, Attempt]:
    """Every environment by its name."""
    nowhere = "/nonexistent/here"
    return {
        **{f"{mb} MB of disk": _full(f"size={mb}m") for mb in (1, 4, 9, 13, 15, 18, 24)},
        **{f"{count} files on the disk": _full(f"nr_inodes={count}") for count in (2, 5, 20, 60)},
        "ask a read-only run": _read("ask", "When does the harbour open?", "--arm", "rag"),
        "report a read-only run": _read("report"),
        "search a read-only run": _read("search", "harbour"),
        "index of a read-only run": _read("index", "--status"),
        "export a read-only run": _read("export"),
        "update a read-only run": _read("index"),
        "a read-only folder of runs": Attempt(_run, around=lambda p: _read_only(p.folder / "runs")),
        "a file for the folder of runs": _runs(Path.touch),
        "a link to nowhere for it": _runs(lambda path: path.symlink_to("nowhere")),
        "a link to itself for it": _runs(lambda path: path.symlink_to("runs")),
        "a pipe for it": _runs(os.mkfifo),
        "runs inside a file": Attempt(lambda p: [*_run(p)[:3], p.folder / "project/recipe.yaml/x"]),
        "runs on /proc": Attempt(lambda p: [*_run(p)[:3], "/proc/runs"]),
        "runs on /dev/full": Attempt(lambda p: [*_run(p)[:3], "/dev/full"]),
        "no HOME": _started(HOME=None),
        "a HOME that does not exist": _started(HOME=nowhere),
        "a HOME that is a file": _started(HOME="/etc/hostname"),
        "a HOME that cannot be written": _started(HOME="/proc"),
        "a cache that cannot be written": _started(XDG_CACHE_HOME="/proc/x", HF_HOME="/proc/y"),
        "a cache of models in an odd place": _started(HF_HOME="~nosuchuser/x"),
        "ASCII": _started(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"),
        "ASCII streams": _started(PYTHONIOENCODING="ascii"),
        "an unknown locale": _started(LC_ALL="xx_XX.nothing"),
        "one column": _started(COLUMNS="1", TERM="dumb"),
        "no TERM and no PATH": _started(TERM=None, PATH=""),
        "threads that are no number": _started(OMP_NUM_THREADS="many"),
        "a time zone that is none": _started(TZ="Nowhere/There"),
        **{f"{count} open files": _limited("NOFILE", count) for count in (8, 20, 40, 80)},
        **{f"files of {size} bytes": _limited("FSIZE", size) for size in (0, 4096, 200_000)},
        "no new processes": _limited("NPROC", 1),
        "a stack of 256 kB": _limited("STACK", 256 * 1024),
        "stdin closed": _stream(0, ""),
        "stdout on a full device": _stream(1, "/dev/full"),
        "a folder that is gone": Attempt(_run, before=lambda p: _leave(p.folder / "gone")),
        "nothing may be read again": Attempt(_run, before=lambda _: os.umask(0o777)),
        "a sibling with a broken lock": _sibling(lambda path: path.write_text("{")),
        "a sibling with a pipe for a lock": _sibling(os.mkfifo),
        "a sibling with a folder for a lock": _sibling(Path.mkdir),
        "a sibling with 100,000 levels": _sibling(lambda path: path.write_text("[" * 100_000)),
        **{f"a path with {name}": _named(path) for name, path in ODD.items()},
    }


def _leave(folder: Path) -> None:
    folder.mkdir()
    os.chdir(folder)
    folder.rmdir()


def _outcome(attempt: Attempt, place: Place, reference: Any) -> str:
    with attempt.around(place):
        command = attempt.command(place)
        if attempt.fresh is not None:
            code, said = _fresh(command, attempt.fresh)
        else:
            code, said = study.called(command, lambda: attempt.before(place))
        if wrong := fault(code, said):
            return wrong
        if code == 0 and command[0] == "run":
            return study.difference(study.run_of(Path(str(command[3]))), reference)
    return ""


def _fresh(command: list[object], variables: dict[str, str | None]) -> study.Ended:
    given = {**os.environ, **{name: v for name, v in variables.items() if v is not None}}
    for name in (name for name, value in variables.items() if value is None):
        given.pop(name, None)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ragtune", *map(str, command)],
            env=given, capture_output=True, timeout=study.LIMIT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return study.HUNG, ""
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def campaign(count: int = 60, seed: int = 1) -> Tally:
    """So many environments, drawn by the seed; fewer where file systems cannot be mounted."""
    study.warm()
    tally, folder = Tally("environments", seed), scratch()
    found = attempts()
    try:
        recipe = study.write(folder / "project")
        code, said = study.called(["run", recipe, "--runs", folder / "whole"])
        if code:
            raise RuntimeError(f"the undisturbed run failed: {said}")
        finished = study.run_of(folder / "whole")
        reference = study.content(finished)
        for number, name in enumerate(random.Random(seed).sample(sorted(found), len(found))):
            if tally.tried >= count:
                break
            place = Place(folder / str(number), finished)
            place.folder.mkdir()
            try:
                tally.add(name, _outcome(found[name], place, reference))
            except LeftOut as reason:
                tally.note(f"left out: {name}: {reason}")
            shutil.rmtree(place.folder, ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tally


def main(arguments: list[str]) -> int:
    """Run it alone; the exit code."""
    return campaign(*(int(one) for one in arguments)).show()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
