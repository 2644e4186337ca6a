"""Ask served models many questions at once, then some alone to time them."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace

from ragtune.core.files import digest
from ragtune.core.progress import Advance
from ragtune.models.engines.base import Completion, Engine
from ragtune.prompts.base import Prompt
from ragtune_cloud.study.outcomes import Outcomes
from ragtune_cloud.target import Side

GRACE = 5.0
"""Seconds that answers under way have to come back once one request broke the study off."""


@dataclass(frozen=True)
class Request:
    """A prompt for a model; ``alone``: to be timed, with nothing else asked meanwhile."""

    side: Side
    prompt: Prompt
    limit: int
    stops: tuple[int, ...]
    fingerprint: str
    alone: bool = False

    @property
    def key(self) -> str:
        """Of all that decides the outcome."""
        return digest([self.fingerprint, self.prompt.text, self.limit, self.stops, self.alone])


def ask(
    requests: Iterable[Request],
    engines: Mapping[Side, Engine],
    outcomes: Outcomes,
    *,
    together: int,
    advance: Advance,
) -> None:
    """Ask what has no outcome yet, both models side by side, each ``together`` prompts at once.

    First all that are not timed, then the others one by one, after one that is not counted.

    Raises what an engine raises; outcomes that were there by then, or come within ``GRACE``, are
    kept.
    """
    left = list({r.key: r for r in requests if r.key not in outcomes}.values())
    done = 0
    for alone in (False, True):
        phase = [request for request in left if request.alone == alone]
        for _ in _asked(phase, engines, outcomes, 1 if alone else together):
            done += 1
            advance(done, len(left))


def _asked(
    phase: Sequence[Request], engines: Mapping[Side, Engine], outcomes: Outcomes, together: int
) -> Iterable[None]:
    by_side = {side: [r for r in phase if r.side == side] for side in engines}
    futures: list[Future[None]] = []
    pools = []
    with ExitStack() as stack:
        for side, requests in by_side.items():
            if not requests:
                continue
            workers = min(together, len(requests))
            pool = stack.enter_context(ThreadPoolExecutor(workers, f"ask-{side}"))
            pools.append(pool)
            if requests[0].alone:
                pool.submit(_complete, requests[0], engines[side])
            futures += [pool.submit(_ask, r, engines[side], outcomes, workers) for r in requests]
        try:
            for future in as_completed(futures):
                future.result()
                yield
        except BaseException:
            stack.pop_all()  # an endpoint that hangs must not keep its own deletion waiting
            for pool in pools:
                pool.shutdown(wait=False, cancel_futures=True)
            wait(futures, timeout=GRACE)
            raise


def _ask(request: Request, engine: Engine, outcomes: Outcomes, together: int) -> None:
    """Those asked at once share the model, so a request's seconds are divided among them."""
    given = _complete(request, engine)
    shared = replace(given, seconds=given.seconds / together, prefill=given.prefill / together)
    outcomes.put(request.key, shared)


def _complete(request: Request, engine: Engine) -> Completion:
    (given,) = engine.complete([request.prompt], limit=request.limit, stops=request.stops)
    return given
