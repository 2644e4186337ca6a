"""Where a text stands in a longer one."""

import re


def span(text: str, whole: str) -> tuple[int, int] | None:
    """Its start and its end in characters, white space of any kind alike; None where it is not."""
    start = whole.find(text)
    if start >= 0:
        return start, start + len(text)
    words = [re.escape(word) for word in text.split()]
    found = re.search(r"\s+".join(words), whole) if words else None
    return (found.start(), found.end()) if found else None
