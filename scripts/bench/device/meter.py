"""Seconds and memory on a device, of steps after the first ones."""

import platform
import resource
import time
from dataclasses import dataclass, field

WARM = 2
"""Steps that are not counted: kernels are chosen and memory is taken in them."""


def settle(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device == "cuda":
        import torch

        torch.cuda.synchronize()


def peak_gib(device: str) -> float:
    """The most memory that PyTorch had allocated on a card, or the process of the machine's."""
    if device == "cuda":
        import torch

        return torch.cuda.max_memory_allocated() / 2**30
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def forget_peak(device: str) -> None:
    """Count a card's memory from what is in use now, and give back what is not."""
    if device == "cuda":
        import torch

        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def card(device: str) -> str:
    """The device's name."""
    import torch

    if device == "cuda":
        return str(torch.cuda.get_device_name())
    return str(torch.cpu.get_capabilities().get("cpu_name", "CPU"))


@dataclass
class Meter:
    """Told when a step is done; ``full`` once ``seconds`` of counted steps have passed."""

    device: str
    seconds: float
    ends: list[float] = field(default_factory=list)

    def step(self) -> bool:
        """Note a step's end; whether enough is measured."""
        settle(self.device)
        self.ends.append(time.perf_counter())
        return len(self.ends) > WARM + 1 and self.ends[-1] - self.ends[WARM - 1] > self.seconds

    @property
    def counted(self) -> int:
        """Steps after the first ones."""
        return max(0, len(self.ends) - WARM)

    @property
    def spent(self) -> float:
        """Seconds of the counted steps.

        Raises ValueError where there is none.
        """
        if not self.counted:
            raise ValueError(f"{len(self.ends)} steps were made, of which the first {WARM} warm up")
        return self.ends[-1] - self.ends[WARM - 1]
