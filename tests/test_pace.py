"""What keeps the suite fast: the order of its files and the bound on a test."""

import gc

import pytest

from tests import pace

pytest_plugins = ["pytester"]

SLOW_LAST = {
    "test_a": "def test_one(): ...\ndef test_two(): ...",
    "test_b": "import pytest\n@pytest.mark.slow\ndef test_three(): ...",
}
BUSY = """
import subprocess, sys, time

WORK = "import time; end = time.process_time() + 0.2\\nwhile time.process_time() < end: pass"

def test_in_this_process(): exec(WORK)
def test_in_a_child(): subprocess.run([sys.executable, "-c", WORK])
def test_that_waits(): time.sleep(0.3)
"""


@pytest.fixture(autouse=True)
def markers(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmarkers =\n slow: is dear\n long: is dearer")


def test_files_with_slow_tests_begin_first(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(**SLOW_LAST)
    run = pytester.runpytest_inprocess("-p", "tests.pace", "-v", "-p", "no:xdist")
    run.stdout.fnmatch_lines(["*test_three*", "*test_one*", "*test_two*"])


@pytest.mark.parametrize(("mark", "failed"), [("slow", 2), ("long", 0)])
def test_a_test_over_the_bound_fails_unless_it_is_long(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, mark: str, failed: int
) -> None:
    pytester.makepyfile(f"{BUSY}\nimport pytest\npytestmark = pytest.mark.{mark}")
    with monkeypatch.context() as patched:  # this test has the bound of every other
        patched.setattr("tests.pace.BOUND", 0.15)
        run = pytester.runpytest_inprocess("-p", "tests.pace", "--durations=3", "-p", "no:xdist")
    run.assert_outcomes(passed=3 - failed, failed=failed)
    run.stdout.fnmatch_lines(["*s of a processor, by file*", "* s  test_a_test_over*.py"])


def test_what_collection_left_is_not_looked_through_for_garbage_and_the_rest_is() -> None:
    assert gc.get_freeze_count() > 100_000
    assert gc.isenabled()
    assert gc.get_threshold()[0] == pace.YOUNG
