import threading

import pytest
import torch

from ragtune.models.crew import FEWEST, Crew, begun


def crew(threads: int) -> Crew:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    made = Crew()
    torch.set_num_threads(before)
    return made


@pytest.mark.parametrize(
    ("threads", "lengths", "sums"),
    [
        (1, [40, 40], [80]),
        (2, [40, 30, 30, 40], [70, 70]),
        (2, [90, 30, 30, 40], [90, 100]),
        (2, [300, 30], [330]),
        (2, [FEWEST // 2, FEWEST // 2 + 1], [FEWEST + 1]),
        (8, [40, 41, 42], [42, 41, 40]),
    ],
)
def test_rows_are_dealt_out_alike_or_not_at_all(
    threads: int, lengths: list[int], sums: list[int]
) -> None:
    shares = crew(threads).shares(lengths, lambda length: length)
    assert [sum(share) for share in shares] == sums


def test_each_share_has_its_own_thread_which_ends_with_the_crew() -> None:
    workers = crew(2)
    meeting = threading.Barrier(2, timeout=60)

    def work(number: int, share: int) -> tuple[int, int]:
        meeting.wait()  # both are at work at once
        return number * share, torch.get_num_threads()

    before = torch.get_num_threads()
    assert workers.each(work, [5, 7]) == [(0, 1), (7, 1)]
    workers.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("rows")]
    assert torch.get_num_threads() in {before, 2}
    torch.set_num_threads(before)


def test_what_a_thread_raises_is_raised_when_the_others_are_done() -> None:
    workers, done = crew(2), []

    def work(number: int, share: int) -> None:
        if share == 0:
            raise torch.OutOfMemoryError("no room")
        done.append(share)

    with pytest.raises(torch.OutOfMemoryError):
        workers.each(work, [0, 1])
    assert done == [1]
    workers.close()


def test_where_a_thread_cannot_be_started_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    before, starts, start = threading.active_count(), [], threading.Thread.start

    def scarce(thread: threading.Thread) -> None:
        starts.append(thread)
        if len(starts) > 1:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    threads = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="new thread"):
        begun(3, 1, "rows")
    assert threading.active_count() == before
    assert torch.get_num_threads() == threads
