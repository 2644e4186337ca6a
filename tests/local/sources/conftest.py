"""What tests of files share: readers as they are where an extra is not installed."""

import importlib
from typing import Any

import pytest

from ragtune.sources import reading
from ragtune.sources.readers import ocr


class Here:
    """Calls in this process, where what a test replaced is replaced."""

    def call(self, module: str, function: str, *arguments: Any, bounds: Any) -> Any:
        return getattr(importlib.import_module(module), function)(*arguments)


@pytest.fixture
def without_ocr(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra `ocr` is not installed."""
    monkeypatch.setattr(ocr, "is_installed", lambda: False)
    monkeypatch.setattr(reading, "PROCESS", Here())
