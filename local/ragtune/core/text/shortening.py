"""Texts of any length, and of any characters, as a line can show them."""

import re

VALUE, LINE = 120, 1200
"""Characters of a value that is named in a sentence, and of a whole line."""
_TAIL = 20
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What moves a terminal's cursor, sets its colours or turns its lines round; line ends and tabs are
not among it."""


def printable(text: str) -> str:
    """The text, with characters that would steer a terminal as escapes, as `ascii` writes them."""
    if text.isprintable():
        return text
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def named(text: str, most: int = VALUE) -> str:
    """Somebody's name for something, such as a column's, in one line whatever is in it."""
    return shortened(printable(" ".join(text.split()) if "\n" in text else text), most)


def shortened(text: str, most: int = VALUE) -> str:
    """The text, or its beginning and its end with how many characters are left out between."""
    if not text.isascii():  # half characters, which no UTF-8 can hold, as escapes
        text = text.encode("utf-8", "backslashreplace").decode()
    if len(text) <= most:
        return text
    tail = min(_TAIL, most // 4)
    left = len(text) - (most - tail)
    return f"{text[: most - tail]}… ({left:,} more characters) …{text[-tail:]}"


def shortened_lines(text: str, most: int = LINE) -> str:
    """The text, each of its lines shortened."""
    text = printable(text.replace("\r\n", "\n"))
    if len(text) <= most:
        return text
    return "\n".join(shortened(line, most) for line in text.split("\n"))
