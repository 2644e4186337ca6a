"""Scans: the words in a picture of a page, by RapidOCR, where the extra `ocr` is installed.

Its models (PP-OCRv6, Latin and Chinese letters among others) are in its package: nothing is
downloaded.
"""

import importlib.util
import logging
from functools import cache
from typing import Any

from ragtune.sources.readers.layout import Piece

SCALE = 200 / 72
"""Pixels a point: 200 dots an inch."""
SURE = 0.6
"""The score from which a line is taken."""
ADVICE = 'a scan? `pip install "ragtune[ocr]"` reads it, then `ragtune index RUN --rebuild`'


def is_installed() -> bool:
    """Whether scans can be read here."""
    return all(importlib.util.find_spec(name) for name in ("rapidocr", "onnxruntime"))


def pieces(page: Any) -> list[Piece]:
    """The lines of text on a page of a PDF, with their places; none where nothing is recognised."""
    found = _reader()(page.render(scale=SCALE, rev_byteorder=False).to_numpy())
    if found.txts is None or found.boxes is None:
        return []
    height = page.get_height()
    made = []
    for n, (text, box, score) in enumerate(zip(found.txts, found.boxes, found.scores, strict=True)):
        if score >= SURE and text.strip():
            across = [float(x) / SCALE for x, _ in box]
            down = [height - float(y) / SCALE for _, y in box]
            made.append(Piece(min(across), min(down), max(across), max(down), text, n))
    return made


@cache
def _reader() -> Any:
    from rapidocr import RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    return RapidOCR(params={"Global.log_level": "critical"})
