"""Texts of any length as a line can show them."""

VALUE, LINE = 120, 1200
"""Characters of a value that is named in a sentence, and of a whole line."""
_TAIL = 20


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
    if len(text) <= most:
        return text
    return "\n".join(shortened(line, most) for line in text.split("\n"))
