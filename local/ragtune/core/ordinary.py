"""What a path leads to, without opening it: pipes, sockets and devices are never read.

Reading a named pipe waits for ever, and a device such as ``/dev/zero`` never ends.
"""

import stat
from pathlib import Path

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def other_than_a_file(path: Path) -> str:
    """What is there in words, where it is no ordinary file; empty for one, and for nothing."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return ""
    if stat.S_ISREG(mode):
        return ""
    return next((name for is_one, name in _KINDS if is_one(mode)), "something else")


def special(path: Path) -> str:
    """As `other_than_a_file`, where it is no folder either."""
    kind = other_than_a_file(path)
    return "" if kind == "a folder" else kind
