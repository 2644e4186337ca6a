"""CSV and TSV: a row is a line of ``column: value``."""

import csv
import io
from pathlib import Path

from ragtune.sources.readers.base import Document
from ragtune.sources.readers.blocks import Blocks
from ragtune.sources.readers.table import guessed
from ragtune.sources.readers.text import decode

_DELIMITERS = ",;\t|"


def read(path: Path, name: str) -> list[Document]:
    """All rows; the delimiter is the one that divides the first lines evenly."""
    text = decode(path.read_bytes())
    csv.field_size_limit(max(len(text), csv.field_size_limit()))
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, path)))
    blocks = Blocks()
    blocks.table(guessed(rows, usual=True))
    return [blocks.document(name, path.stem.replace("-", " ").replace("_", " "))]


def _delimiter(text: str, path: Path) -> str:
    if path.suffix.lower() in (".tsv", ".tab"):
        return "\t"
    first = text[:8192].splitlines()[:10]

    def evenly(delimiter: str) -> tuple[bool, int]:
        counts = [len(row) for row in csv.reader(first, delimiter=delimiter) if row]
        same = counts[:-1] or counts  # the last line may be cut
        return len(set(same)) == 1 and same[0] > 1, max(same, default=0)

    return max(_DELIMITERS, key=evenly)
