"""The machine: where this process computes, and in which precision."""

import importlib.util
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Hardware:
    """Where this process computes, and what was chosen because of it.

    ``train_dtype`` is that of the frozen weights and the activations in training; ``load_dtype``
    that of the weights while answering, ``packs`` whether they are then in oneDNN's order.
    ``int8`` says whether a model that stays may answer one question at a time with weights in 8
    bits, whose next tokens are fp32's as often as those of bf16.
    ``bfloat16_speed`` says how many times as fast as fp32 bf16 was, where that was measured.
    """

    device: str
    name: str
    threads: int
    train_dtype: str
    load_dtype: str
    packs: bool = True
    bfloat16_speed: float | None = None
    int8: bool = False

    def to_json(self) -> dict[str, Any]:
        """The fields, for ``results.json``."""
        return asdict(self)


def probe(precision: str = "auto") -> Hardware:
    """Look at the machine: CUDA, then MPS, then CPU; bf16 only where it is computed fast.

    Training is in bf16, as in the cloud, or else in fp32: fp16 would need its loss scaled.

    On a CPU a short measurement decides, which is kept (``products``). ``precision`` is that of
    answers there: ``float32``, ``bfloat16``, or ``auto``, as measured. In bf16 an answer may
    depend, by rounding, on the batch that it was decoded in, unless the model is computed directly.
    """
    import torch

    threads = torch.get_num_threads()
    if torch.cuda.is_available():
        modern = torch.cuda.is_bf16_supported(including_emulation=False)
        train, load = ("bfloat16", "bfloat16") if modern else ("float32", "float16")
        return Hardware("cuda", torch.cuda.get_device_name(), threads, train, load)
    if torch.backends.mps.is_available():
        return Hardware("mps", "Apple MPS", threads, "float32", "float32")
    from ragtune.models.products import measured

    found = measured()
    name = str(torch.cpu.get_capabilities().get("cpu_name", "CPU"))
    answers = found.dtype if precision == "auto" else precision
    speed = round(found.ratio, 2)
    packs, int8 = found.packs(answers), precision != "float32"
    return Hardware("cpu", name, threads, found.dtype, answers, packs, speed, int8)


def quantizes(hardware: Hardware) -> bool:
    """Whether bitsandbytes is here and computes in 4 bits on the device: CUDA and CPU."""
    return hardware.device != "mps" and importlib.util.find_spec("bitsandbytes") is not None
