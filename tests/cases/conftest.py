"""Cases that people report: each kind with data of our own, and again on ../shared/cases."""

from pathlib import Path

import pytest

from tests.conftest import ROOT

SHARED_CASES = ROOT.parent / "shared" / "cases"


@pytest.fixture
def shared_cases() -> Path:
    """The folder of reported cases beside the checkout; the test is skipped where it is absent."""
    if not SHARED_CASES.is_dir():
        pytest.skip("the cases of ../shared/cases are not here")
    return SHARED_CASES
