import threading
import time

import pytest
import torch

from ragtune.questions.workers import Workers


def test_parts_are_worked_on_at_the_same_time_by_threads_with_a_processor_each() -> None:
    together = threading.Barrier(2)
    before = torch.get_num_threads()

    def work(part: int) -> tuple[int, int]:
        together.wait(timeout=20)
        return part, torch.get_num_threads()

    torch.set_num_threads(2)
    try:
        found = list(Workers(2).each(work, [1, 2, 3, 4]))
        assert sorted(found) == [(part, 1) for part in (1, 2, 3, 4)]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_one_worker_is_the_thread_that_asks() -> None:
    own = threading.current_thread()
    assert list(Workers(1).each(lambda _: threading.current_thread(), [1, 2])) == [own, own]


def test_what_one_part_raises_is_raised_and_leaves_nothing_running() -> None:
    begun: list[int] = []
    count = threading.active_count()

    def work(part: int) -> int:
        begun.append(part)
        if part == 1:
            raise ValueError("part 1")
        time.sleep(0.05)
        return part

    said: list[str] = []
    with pytest.raises(ValueError, match="part 1"):
        list(Workers(2, lambda: said.append("stopping")).each(work, range(1, 40)))
    assert said == ["stopping"]
    assert threading.active_count() == count
    assert len(begun) < 39


def test_few_parts_have_all_threads_among_them() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        assert list(Workers(4).each(lambda _: torch.get_num_threads(), [1, 2])) == [2, 2]
    finally:
        torch.set_num_threads(before)
