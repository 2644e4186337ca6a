"""What makes the start of a short command shorter: most of it is the import of PyTorch."""

import contextlib
import ctypes
import gc
import os
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

LIBRARIES = ("libtorch_global_deps.so", "libtorch_python.so")
"""In the order in which PyTorch opens them, the first one for all libraries to see."""


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """While modules are imported and models loaded: PyTorch's libraries linked ahead, no garbage.

    What is there at the end is not looked through for garbage again. Measured on two cores: linking
    takes 0.25 s of the import's 1.3 s and needs none of Python's, the collector a tenth.
    """
    link_torch()
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def link_torch() -> threading.Thread | None:
    """Link PyTorch's libraries in a thread, on Linux; the thread, or None without one.

    Where they are elsewhere or cannot be linked nothing is said: the import of PyTorch does it.
    """
    found = find_spec("torch") if sys.platform == "linux" and "torch" not in sys.modules else None
    if found is None or not found.origin:
        return None
    thread = threading.Thread(target=_link, args=(Path(found.origin).parent / "lib",), daemon=True)
    thread.start()
    return thread


def _link(folder: Path) -> None:
    opened = ctypes.CDLL(None).dlopen  # a foreign call, unlike an import, lets Python go on
    opened.argtypes, opened.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    for name, mode in zip(LIBRARIES, (os.RTLD_GLOBAL, os.RTLD_LOCAL), strict=True):
        if not opened(os.fsencode(folder / name), os.RTLD_NOW | mode):
            return
