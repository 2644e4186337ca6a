"""What is measured, in which order: each part in a process of its own, with a limit on its time.

``python -m scripts.bench.device.parts PART``, in JSON, runs one and prints a line of JSON last.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["products", "parity", "lora", "rows", "answers", "tests"]
NAME = "scripts.bench.device.parts"
ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Part:
    """One measurement; ``seconds`` are those to measure in, ``limit`` those it may take at all.

    ``contender`` is ``ragtune``, ``vllm``, or a configuration of TRL's; ``needs`` is a package
    without which it is left out. ``batch`` is how many prompts are answered at once.
    """

    kind: Kind
    device: str
    shape: str = "tiny"
    contender: str = "ragtune"
    seconds: float = 8.0
    limit: float = 60.0
    quantize: bool = False
    segments: bool = True
    batch: int = 1
    needs: str | None = None

    @property
    def name(self) -> str:
        """What the progress and a failure call it."""
        how = {
            "lora": f"{'nf4 ' if self.quantize else ''}{self.contender}",
            "rows": "segments" if self.segments else "padded",
            "answers": f"{self.contender}, batch {self.batch}",
        }.get(self.kind)
        return f"{self.kind} {self.shape}: {how}" if how else self.kind


def chosen(size: Literal["full", "tiny"], device: str) -> list[Part]:
    """The parts, what matters most first: what there is no time for is at the end."""
    small, large = ("tiny", "tiny") if size == "tiny" else ("llama-3.2-1b", "llama-3.1-8b")
    shapes = list(dict.fromkeys([small, large]))
    every = {"full": 8.0, "tiny": 1.0}[size]
    bits, trl, vllm = "bitsandbytes", "trl", "vllm"

    def lora(shape: str, contender: str = "ragtune", *, quantize: bool = False) -> Part:
        needs = bits if quantize else None if contender == "ragtune" else trl
        return Part("lora", device, shape, contender, every, 75, quantize, needs=needs)

    def answers(shape: str, contender: str, batch: int) -> Part:
        needs, limit = (vllm, 120) if contender == vllm else (None, 60)
        return Part("answers", device, shape, contender, every, limit, batch=batch, needs=needs)

    return [
        Part("products", device, small, seconds=min(every, 2)),
        lora(small),
        lora(small, "plain"),
        Part("parity", device),
        lora(large, quantize=True),
        *(answers(small, "ragtune", batch) for batch in (1, 32)),
        Part("tests", device, limit=120),
        *(Part("rows", device, small, seconds=every, segments=s) for s in (True, False)),
        lora(small, "documented"),
        *([lora(large), lora(large, "plain")] if size == "full" else []),
        *(answers(shape, vllm, batch) for shape in shapes for batch in (1, 32)),
        lora(large, "plain", quantize=True),
        *(answers(large, "ragtune", batch) for batch in (1, 32) if size == "full"),
    ]


def measure(part: Part) -> dict[str, Any]:
    """Run a part in this process."""
    from scripts.bench.device import answering, parity, shapes, tuning

    shape = shapes.SHAPES[part.shape]
    if part.kind == "lora":
        return tuning.lora(
            shape,
            part.device,
            part.seconds,
            contender=part.contender,
            quantize=part.quantize,
        )
    if part.kind == "rows":
        return tuning.rows(shape, part.device, part.seconds, segments=part.segments)
    if part.kind == "answers":
        asked = answering.vllm if part.contender == "vllm" else answering.ragtune
        return asked(shape, part.device, part.batch)
    if part.kind == "parity":
        return parity.compared(part.device)
    if part.kind == "tests":
        return marked_tests()
    return products(part.device, part.seconds, 8192 if part.device == "cuda" else 512)


def products(device: str, seconds: float, size: int) -> dict[str, Any]:
    """FLOP/s of a product of two square bf16 matrices: what the card gives of its peak at best."""
    import torch

    from scripts.bench.device import flops, meter

    left, right = (torch.randn(size, size, device=device).bfloat16() for _ in range(2))
    measured = meter.Meter(device, seconds)
    while not measured.step():
        for _ in range(10):
            left @ right
    found = 10 * measured.counted * 2 * size**3 / measured.spent
    peak = flops.peak(meter.card(device))
    return {
        "card": meter.card(device),
        "tflops": found / flops.TERA,
        "data_sheet": None if peak is None else peak / flops.TERA,
    }


def marked_tests() -> dict[str, Any]:
    """The tests marked ``gpu``, through pytest: what it says of them last.

    Raises RuntimeError, with the end of what pytest printed, where one fails.
    """
    files = sorted(
        str(file)
        for file in (ROOT / "tests").rglob("test_*.py")
        if "pytest.mark.gpu" in file.read_text(encoding="utf-8")
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "gpu", "-p", "no:cacheprovider", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError((done.stdout + done.stderr)[-1500:])
    return {"said": done.stdout.strip().splitlines()[-1]}


def alone(part: Part, limit: float) -> dict[str, Any]:
    """Run a part in a process of its own: what it found, or ``failed`` and why.

    The process, and whatever it started, is ended when ``limit`` seconds have passed.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", NAME, json.dumps(asdict(part))],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            out, err = child.communicate(timeout=limit)
            found = _said(child.returncode, out, err)
        except subprocess.TimeoutExpired:
            found = {"failed": f"not done after {limit:.0f} s"}
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    return {**asdict(part), "name": part.name, "took": time.perf_counter() - started, **found}


def _said(code: int, out: str, err: str) -> dict[str, Any]:
    if code == 0:
        return dict(json.loads(out.splitlines()[-1]))
    last = (err.strip().splitlines() or [f"it ended with {code}"])[-1]
    return {"failed": last[:300], "stderr": err[-3000:]}


def main(arguments: Sequence[str]) -> None:
    """Run the part that the only argument describes."""
    print(json.dumps(measure(Part(**json.loads(arguments[0])))))


if __name__ == "__main__":
    main(sys.argv[1:])
