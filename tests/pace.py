"""The suite's pace: dear files begin first, and no test takes more of a processor than it may.

What collection leaves, modules above all, is not looked through again for garbage: it took a fifth
of the time of tests that make many objects.
"""

import gc
import os
from collections import Counter
from collections.abc import Generator, Iterator

import pytest

BOUND = 120.0
"""Seconds of a processor, fixtures included; README's demo took 80 on a busy machine."""
COST = "processor"
"""The property of a report, in JUnit's file too, that says what a test took."""
YOUNG = 10_000
"""New objects after which the youngest are looked through; Python's 700 suit small heaps."""
BEGUN = pytest.StashKey[float]()


def spent() -> float:
    """Seconds of a processor, of this process and of the children that it has waited for.

    Other work on the machine lengthens it little, so it can be bounded where wall time cannot.
    """
    return sum(os.times()[:4])


@pytest.fixture(scope="session", autouse=True)
def unsynced() -> Iterator[None]:
    """Files are left to the system's cache, which a killed process leaves whole.

    No test cuts the power, and where run folders are written a seventh of the time is for syncing.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.fsync", lambda file: None)
        yield


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while modules are read, and for none among them later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, then those with many tests, so that no process idles at the end.

    xdist would go by the number of tests alone (``--no-loadscope-reorder``), and begin the dear
    files, which have few, last.
    """
    tests = Counter(item.path for item in items)
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: (-slow[item.path], -tests[item.path], item.path))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    item.stash[BEGUN] = spent()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that takes more than the bound and is not marked ``long``."""
    result = yield
    taken = spent() - item.stash[BEGUN]
    if taken > BOUND and not item.get_closest_marker("long"):
        pytest.fail(
            f"took {taken:.0f} s of a processor, of at most {BOUND:.0f}: let it do less, share a"
            " fixture, or mark it long if a faster test shows the same",
            pytrace=False,
        )
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write down what the test took, its fixtures' ends included."""
    report = yield
    if report.when == "teardown":
        report.user_properties.append((COST, round(spent() - item.stash[BEGUN], 3)))
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """With ``--durations=N``: the N files that took most of a processor."""
    if not (shown := config.getoption("durations")):
        return
    costs = Counter[str]()
    for reports in terminalreporter.stats.values():
        for report in reports:
            taken = dict(getattr(report, "user_properties", ())).get(COST, 0.0)
            if taken:
                costs[report.nodeid.partition("::")[0]] += taken
    terminalreporter.section(f"{sum(costs.values()):.0f} s of a processor, by file")
    for name, taken in costs.most_common(shown):
        terminalreporter.write_line(f"{taken:8.2f} s  {name}")
