"""The report as one page: `document` makes it of its questions, plots and assets."""

from ragtune.results.page.document import render

__all__ = ["render"]
