"""A path, or a name in the place of one, as a recipe may hold it."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

LONGEST, LONGEST_NAME = 4095, 255
"""Bytes of a path and of each name in it: Linux's bounds, which others are about."""


def _is_one(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty; name a file or a folder")
    if any(ord(letter) < 32 for letter in value):
        raise ValueError("no path has control characters in it")
    size = len(os.fsencode(value))
    name = max(len(os.fsencode(part)) for part in value.split("/"))
    if size > LONGEST or name > LONGEST_NAME:
        raise ValueError(
            f"is no path: {size:,} bytes, the longest name in it {name:,}; allowed: "
            f"{LONGEST:,} and {LONGEST_NAME}"
        )
    try:
        Path(value).expanduser()
    except RuntimeError:
        raise ValueError(f"{value.partition('/')[0]}: no such user on this machine") from None
    return value


Place = Annotated[str, AfterValidator(_is_one)]
