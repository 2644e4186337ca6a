"""Mutated recipes, records and documents: each gives the right result or one clear line.

``python -m scripts.campaign.inputs [COUNT] [SEED]`` runs alone; two thousand take some minutes. An
input of any kind is read as `check` reads it, one of a hundred by the command itself. A fault is
another exception than ragtune's own, a line of more than 2,000 characters, text that no UTF-8 can
hold, more than 60 seconds, or more than 2 GB.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from scripts.campaign import seeds
from scripts.campaign.tally import Tally, fault, scratch

COUNT, SECONDS, MEMORY = 2000, 60, 2_000_000_000
DEEP, LONG = 20_000, 50_000
"""Levels and characters of what is put in."""
TOKENS: dict[str, list[bytes]] = {
    "yaml": [
        *(b"&a [*a]", b"*nothing", b"a: &b [x,x]\nc: [*b,*b]\n", b"9:59" + b":59" * 3000, b"0x"),
        *(
            b"~nosuchuser/x",
            b"/dev/zero",
            b"[" * DEEP,
            b"{a: " * 300,
            b"!!timestamp x",
            b"!!int ''",
        ),
        *(b'"\\ud800"', b"x" * LONG, b"9" * 5000, b"\t", b"<<: *a", b"? [a]: b", b"\0", b"null"),
    ],
    "json": [
        *(
            b"[" * DEEP,
            b'{"a":' * DEEP,
            b"9" * 5000,
            b'"\\ud800"',
            b"NaN",
            b"1e999",
            b"null",
            b"[]",
        ),
        *(b"{}", b"0", b"false", b'"' + b"x" * LONG + b'"', b"\0", b"\xff\xfe", b"\\u0000", b"\r"),
    ],
    "csv": [
        *(
            b'"',
            b"," * LONG,
            b'"\n' * 500,
            b"\0",
            b"\xff",
            b"sep=;\n",
            b"a" * LONG,
            b"\r",
            b";" * 99,
        ),
        b"=" * 300,
    ],
    "html": [
        *(
            b"<div>" * 2000,
            b"<table><tr><td colspan=99999999 rowspan=99999>",
            b"&#xD800;",
            b"\\ud800",
        ),
        *(
            b'<meta charset="unicode_escape">',
            b'<meta charset="punycode">',
            b'<meta charset="\xff">',
        ),
        *(
            b"<nav class=nav>" * 300,
            b"<!--",
            b"<![CDATA[",
            b"<?xml version='1.0'?>",
            b"\0",
            b"<ul><li>",
        ),
    ],
    "xml": [
        *(b"<w:p>" * 200, b"<text:p>" * 3000, b"&lol;", b"<!DOCTYPE a [<!ENTITY l 'l'>]>", b"\0"),
        *(
            b'<w:gridSpan w:val="999999999"/>',
            b'<w:gridSpan w:val="x"/>',
            b"<w:t>" * 100,
            b"</w:p>",
        ),
    ],
    "pdf": [
        *(b"/Count 999999999", b"/Kids [2 0 R]", b"/Length 999999999", b"[" * 5000, b"<<" * 3000),
        *(b"(" * 5000, b"/Filter [/FlateDecode /FlateDecode]", b"q " * LONG, b"/Encrypt 1 0 R"),
    ],
    "text": [b"#" * LONG, b" " * LONG, b"|" * LONG, b"-" * LONG, b"\0", b"\xff", b"a-\n" * 9999],
}
KINDS: dict[str, tuple[str, str, Callable[[], bytes]]] = {
    "recipe.yaml": ("recipe", "yaml", lambda: seeds.RECIPE),
    "records.jsonl": ("records", "json", lambda: seeds.JSONL),
    "records.csv": ("records", "csv", lambda: seeds.CSV),
    "records.xlsx": ("records", "xml", seeds.xlsx),
    "records.parquet": ("records", "json", seeds.parquet),
    "a.html": ("documents", "html", lambda: seeds.HTML),
    "a.md": ("documents", "text", lambda: seeds.MARKDOWN),
    "a.csv": ("documents", "csv", lambda: seeds.CSV),
    "a.json": ("documents", "json", lambda: b"[" + seeds.JSONL.replace(b"\n", b",")[:-1] + b"]"),
    "a.jsonl": ("documents", "json", lambda: seeds.JSONL),
    "a.docx": ("documents", "xml", seeds.docx),
    "a.odt": ("documents", "xml", seeds.odt),
    "a.xlsx": ("documents", "xml", seeds.xlsx),
    "a.pdf": ("documents", "pdf", seeds.pdf),
    "a.eml": ("documents", "html", lambda: seeds.MAIL),
    "a.rtf": ("documents", "text", lambda: seeds.RTF),
}


def mutated(data: bytes, tokens: list[bytes], chance: random.Random) -> bytes:
    """The data with one to three changes."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((1, 3, 20, 200)))
        middle = chance.choice(
            (
                b"",
                bytes([chance.randrange(256)]),
                data[at:end] * chance.choice((2, 30, 1000)),
                chance.choice(tokens),
                chance.choice(tokens),
            )
        )
        data = data[:at] + middle + data[chance.choice((at, end)) :]
        if chance.random() < 0.05:
            data = data[:at]
    return data


def made(name: str, data: bytes, chance: random.Random) -> bytes:
    """A mutated file of a kind; of an archive mostly one part is changed."""
    tokens = TOKENS[KINDS[name][1]]
    if not data.startswith(b"PK") or chance.random() < 0.2:
        return mutated(data, tokens, chance)
    parts = seeds.unzipped(data)
    part = chance.choice(sorted(parts))
    if chance.random() < 0.1:
        parts[part] = b"<a>" + b" " * 80_000_000
    else:
        parts[part] = mutated(parts[part], tokens, chance)
    return seeds.zipped(parts)


def read(path: Path) -> str:
    """Read a file as `check` does: what was wrong with that, empty for nothing."""
    from ragtune.core.errors import RagtuneError
    from ragtune.recipe import file as recipe_file
    from ragtune.recipe.records import Records
    from ragtune.sources import reading, records

    try:
        if KINDS[path.name][0] == "recipe":
            recipe_file.dump(recipe_file.load(path)).encode()
        elif KINDS[path.name][0] == "records":
            found = records.load(path, Records(source=path.name, max_bad_lines=1))
            "".join([*found.read, *map(str, found.bad)]).encode()
            "".join(record.id for record in found.records)
        else:
            for document in reading.read(path, path.name):
                str(vars(document)).encode()
                document.text.encode()
    except RagtuneError as error:
        longest = max(map(len, str(error).splitlines()), default=0)
        return f"a line of {longest} characters" if longest > 2000 else ""
    except TimeoutError:
        return f"more than {SECONDS} seconds"
    except (Exception, RecursionError) as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    return ""


def commanded(folder: Path, path: Path) -> str:
    """The same by ``ragtune check``, with well inputs beside it."""
    project = folder / "project"
    shutil.rmtree(project, ignore_errors=True)
    (project / "docs").mkdir(parents=True)
    (project / "docs" / "good.md").write_bytes(seeds.MARKDOWN)
    (project / "records.jsonl").write_bytes(seeds.JSONL)
    recipe = seeds.RECIPE.replace(b"  fields: {instruction: frage}\n", b"")
    (project / "recipe.yaml").write_bytes(recipe)
    where = project / "docs" if KINDS[path.name][0] == "documents" else project
    shutil.copy(path, where / path.name)
    if path.name.startswith("records"):
        recipe = recipe.replace(b"records.jsonl", path.name.encode())
        (project / "recipe.yaml").write_bytes(recipe)
    command = [sys.executable, "-m", "ragtune", "check", str(project / "recipe.yaml"), "--offline"]
    environment = {**os.environ, "PYTHONIOENCODING": random.choice(("ascii", "utf-8"))}
    try:
        done = subprocess.run(
            command, capture_output=True, env=environment, timeout=4 * SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"the command took more than {4 * SECONDS} seconds"
    return fault(done.returncode, done.stderr.decode("utf-8", "replace"))


def campaign(count: int = COUNT, seed: int = 1) -> Tally:
    """Mutate and read ``count`` inputs, each by a seed of its own."""
    from ragtune.sources import bounds, reader_process

    tally, folder, tried = Tally("inputs", seed), scratch(), Counter[str]()
    before = _peak()
    slowest = (0.0, "")
    signal.signal(signal.SIGALRM, _too_slow)
    wells = {name: give() for name, (_, _, give) in KINDS.items()}
    try:
        for number in range(count):
            chance = random.Random(f"{seed}/{number}")
            name = chance.choice(sorted(KINDS))
            path = folder / name
            path.write_bytes(made(name, wells[name], chance))
            began = time.process_time()
            signal.alarm(SECONDS)
            said = read(path)
            signal.alarm(0)
            if not said and time.process_time() - began > SECONDS:
                said = f"{time.process_time() - began:.0f} seconds"
            slowest = max(slowest, (time.process_time() - began, name))
            if not said and number % 100 == 99:
                said = commanded(folder, path)
            tried[name] += 1
            tally.add(f"{name} number {number}", said)
    finally:
        reader_process.PROCESS.stop()
        shutil.rmtree(folder, ignore_errors=True)
    peak = _peak()
    grown = peak > max(before, MEMORY)  # a process that had more before says nothing of these
    tally.add(f"memory of {peak / bounds.MB:,.0f} MB", "over 2 GB" if grown else "")
    tally.note(", ".join(f"{n} {name}" for name, n in sorted(tried.items())))
    tally.note(f"at most {peak / bounds.MB:,.0f} MB; slowest here {slowest[0]:.1f} s, {slowest[1]}")
    return tally


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TimeoutError


def _peak() -> int:
    """The most memory that this process or one of its children had, in bytes."""
    import resource

    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return 1024 * max(resource.getrusage(one).ru_maxrss for one in who)


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:3]]
    sys.exit(campaign(*given).show())
