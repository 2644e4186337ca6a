"""Functions that Numba compiles at their first call, and keeps for the next process."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from numba import njit

_DONE: dict[Callable[..., Any], Any] = {}


def begun(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """The function, compiled and called once; in a process it is compiled once.

    It is kept beside its file or in the user's cache, as Numba does. What was kept and cannot be
    read is made again; where nothing can be kept it is compiled in each process.
    """
    if function not in _DONE:
        _DONE[function] = _kept(function, args) or _unkept(function, args)
    return _DONE[function]


def _kept(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """None where there is no folder for it, or one that cannot be used."""
    try:
        done = njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # Numba's, for no folder
        return None
    for _ in range(2):
        # a file that is cut off, a full disk: pickle and the system raise a dozen kinds
        with suppress(Exception):
            done(*args)
            return done
        with suppress(Exception):
            done.recompile()  # forgets what is in the file
    return None


def _unkept(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    done = njit(nogil=True, error_model="numpy")(function)
    done(*args)
    return done
