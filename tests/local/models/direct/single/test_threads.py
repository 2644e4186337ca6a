import threading

import numpy as np
import pytest

from ragtune.models.direct.single.step import STOP
from ragtune.models.direct.single.threads import Threads


@pytest.mark.parametrize("failing", [0, 1])
def test_what_one_thread_raises_stops_the_others(failing: int) -> None:
    sync = np.zeros(64, np.int32)
    there = threading.Barrier(2)

    def work(number: int) -> None:
        there.wait(timeout=20)
        if number == failing:
            raise MemoryError("no room")
        while not sync[STOP]:
            pass

    with pytest.raises(MemoryError, match="no room"):
        Threads(2).run(work, sync)
