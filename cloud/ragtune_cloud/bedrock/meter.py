"""What asking an imported model has cost so far, and when it must stop."""

import threading
from collections.abc import Callable
from time import monotonic

from ragtune.core.errors import CloudError
from ragtune_cloud.bedrock import catalog


class Meter:
    """Counts windows of one copy from the first answer on; safe from several threads.

    ``usd_per_window`` is None where price or units are not known: then nothing is counted.
    """

    def __init__(
        self,
        usd_per_window: float | None,
        limit_usd: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._usd, self._limit, self._clock = usd_per_window, limit_usd, clock
        self._since: float | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """A question was answered: from the first one on it costs money."""
        with self._lock:
            if self._since is None:
                self._since = self._clock()

    @property
    def windows(self) -> int:
        """The windows begun so far."""
        since = self._since
        return 0 if since is None else catalog.windows(self._clock() - since)

    @property
    def usd(self) -> float | None:
        """What they cost; None where that is not known."""
        return None if self._usd is None else self.windows * self._usd

    def check(self) -> None:
        """Raise CloudError where another question would begin a window over the limit."""
        if self._usd is None:
            return
        if max(1, self.windows) * self._usd > self._limit:
            raise CloudError(
                f"asking has cost ${self.windows * self._usd - self._usd:.2f}, and another window "
                f"of {catalog.window_minutes()} minutes would exceed cloud.max_cost_usd "
                f"(${self._limit:.2f}); what was answered is kept: raise it, and the same command "
                "goes on"
            )
