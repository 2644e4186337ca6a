"""Puts the guard on a Python that a guarded process starts; on its path through PYTHONPATH."""

import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _start() -> None:
    """Start with the guard, or not at all."""
    try:
        from ragtune.core import offline
    except ImportError:  # of another environment, which must not find this package later
        before = sys.modules.copy()
        sys.path.append(str(_HERE.parents[2]))
        from ragtune.core import offline

        sys.path.pop()
        for name in sys.modules.keys() - before.keys():
            if name.partition(".")[0] == "ragtune":
                del sys.modules[name]
    offline.inherit()


def _next() -> None:
    """Run the sitecustomize that this one hides."""
    others = [place for place in sys.path if Path(place or ".").resolve() != _HERE]
    if (found := PathFinder.find_spec("sitecustomize", others)) and found.loader:
        from importlib.util import module_from_spec

        found.loader.exec_module(module_from_spec(found))


try:
    _start()
except BaseException as error:
    sys.stderr.write(f"error: offline: no guard on a started Python: {error}\n")
    os._exit(5)
_next()
