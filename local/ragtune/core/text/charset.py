"""Names of encodings that files of text are in.

Python knows codecs under the same kind of name that are no character sets: escapes, host names,
compression. A file that names one of them is wrong, or made to do harm: ``unicode_escape`` makes
half characters of letters, and ``punycode`` takes hours for a megabyte.
"""

import codecs

_OTHERS = frozenset(
    (
        "idna",
        "punycode",
        "raw-unicode-escape",
        "undefined",
        "unicode-escape",
        "utf-7",
        "mbcs",
        "oem",
    )
)


def codec(name: str) -> str:
    """Python's name of a character set.

    Raises LookupError for a name that is none's.
    """
    try:
        found = codecs.lookup(name.strip())
    except (LookupError, ValueError):  # a zero in the name, letters beyond ASCII
        raise LookupError(name) from None
    if not found._is_text_encoding or found.name.replace("_", "-") in _OTHERS:
        raise LookupError(name)
    return found.name
