"""What this machine has, asked in a way that each operating system knows."""

import os
import platform


def cores() -> int:
    """The processor cores that this process may use; all, where the system does not say which."""
    if hasattr(os, "sched_getaffinity"):  # Linux alone
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int:
    """The machine's memory in bytes."""
    import psutil

    return int(psutil.virtual_memory().total)


def peak_memory() -> int:
    """The most memory in bytes that this process has had so far."""
    try:
        import resource
    except ImportError:  # Windows, which has a counter of its own
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
