"""Model folders made to do harm: weights, configurations, words and indexes of them.

``python -m scripts.campaign.folders [COUNT] [SEED]`` changes a copy of the built-in model, two
changes a folder where the seed says so, and loads it. Survived means: it is loaded and answers as
before, or a ModelError in one line, within 60 seconds.
"""

import json
import os
import random
import shutil
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from scripts.campaign.tally import Tally, scratch

COUNT, SECONDS, LONGEST = 60, 60, 2000
WEIGHTS = "model.safetensors"
Change = Callable[[Path], object]


def _setting(name: str, value: Any) -> Change:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))

    return change


def _file(name: str, content: bytes) -> Change:
    return lambda folder: (folder / name).write_bytes(content)


def _pipe(name: str) -> Change:
    def change(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return change


def _index(name: object) -> Change:
    index = json.dumps({"weight_map": {"a": name}}).encode()
    return _file(f"{WEIGHTS}.index.json", index)


def _header(**values: Any) -> Change:
    """Let the weights' header say something else of its first tensor."""

    def change(folder: Path) -> None:
        content = (folder / WEIGHTS).read_bytes()
        length = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8 : 8 + length])
        first = next(name for name in header if name != "__metadata__")
        header[first] |= values
        written = json.dumps(header).encode()
        (folder / WEIGHTS).write_bytes(
            struct.pack("<Q", len(written)) + written + content[8 + length :]
        )

    return change


def _length(value: int) -> Change:
    def change(folder: Path) -> None:
        content = (folder / WEIGHTS).read_bytes()
        (folder / WEIGHTS).write_bytes(struct.pack("<Q", value) + content[8:])

    return change


DEEP = b"[" * 100_000
SETTINGS: dict[str, tuple[object, ...]] = {
    "hidden_size": (10**15, -4, "x"),
    "num_hidden_layers": (10**6, 0, -1, 1),
    "vocab_size": (10**12, 0),
    "num_attention_heads": (0, 7),
    "max_position_embeddings": (-5, 0),
    "head_dim": (10**9,),
    "model_type": ("../x", ["a"], None),
    "hidden_act": ("os.system",),
    "rms_norm_eps": ("x",),
    "eos_token_id": ("x",),
}
JSON = ("config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json")
CHANGES: dict[str, Change] = {
    **{f"{k}: {v!r}": _setting(k, v) for k, values in SETTINGS.items() for v in values},
    **{f"{name}: nested": _file(name, DEEP) for name in JSON},
    **{f"{name}: a list": _file(name, b"[]") for name in JSON},
    **{f"{name}: 5,000 digits": _file(name, b"9" * 5000) for name in JSON},
    **{f"{name}: a pipe": _pipe(name) for name in (*JSON, WEIGHTS)},
    **{f"index: {name!r}": _index(name) for name in ("../../x", "/etc/hostname", 5, None, "a\0b")},
    "index: nested": _file(f"{WEIGHTS}.index.json", DEEP),
    "weights: empty": _file(WEIGHTS, b""),
    **{f"weights: a header of {n} bytes": _length(n) for n in (0, 10**8, 2**63)},
    "weights: an unknown type": _header(dtype="Q7"),
    "weights: a shape below zero": _header(shape=[-1]),
    "weights: a huge shape": _header(shape=[2**62, 2]),
    "weights: offsets beyond the end": _header(data_offsets=[0, 2**60]),
}


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TimeoutError


def loaded(folder: Path) -> str:
    """Load a model folder as an arm does: what was wrong with that, empty for nothing."""
    from ragtune.core.errors import ModelError
    from ragtune.models import find, load
    from ragtune.models.folder import shape
    from ragtune.models.hardware import Hardware
    from ragtune.recipe.model import Model

    cpu = Hardware("cpu", "CPU", 1, "float32", "float32")
    signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(SECONDS)
    try:
        find.model_folder(Model(local=str(folder)), folder.parent)
        shape(folder)
        load.load_tokenizer(folder)("When does the harbour open?")
        load.load_base(folder, cpu)
    except ModelError as error:
        return f"a line of {len(str(error))} characters" if len(str(error)) > LONGEST else ""
    except TimeoutError:
        return f"more than {SECONDS} seconds"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        signal.alarm(0)
    return "it was loaded, and nobody said that it was changed"


def campaign(count: int = COUNT, seed: int = 1) -> Tally:
    """So many folders, each with one change, or with two; the first of each kind are single."""
    from ragtune.core.bundled import builtin_model

    tally, place = Tally("folders", seed), scratch()
    chance = random.Random(seed)
    names = chance.sample(sorted(CHANGES), len(CHANGES))
    import transformers  # what takes seconds to import counts for none of them

    _ = (transformers.AutoTokenizer, transformers.LlamaForCausalLM)
    try:
        for number in range(count):
            drawn = [names[number]] if number < len(names) else chance.sample(names, 2)
            folder = place / "model"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(builtin_model(), folder)
            try:
                for name in drawn:
                    CHANGES[name](folder)
            except (ValueError, OSError, TypeError, AttributeError):
                continue  # the first change left nothing that the second could change
            tally.add(" and ".join(drawn), loaded(folder))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return tally


if __name__ == "__main__":
    sys.exit(campaign(*(int(one) for one in sys.argv[1:3])).show())
