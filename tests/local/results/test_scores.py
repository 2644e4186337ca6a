from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from ragtune.results import scores
from ragtune.results.metrics.base import Case
from ragtune.sources.records import Record


@dataclass
class Watching:
    """Notes what it is given."""

    name: str
    seen: list[tuple[str, str]]
    title: str = "watching"
    needs: frozenset[str] = field(default_factory=frozenset)

    def scores(self, cases: Sequence[Case]) -> list[float]:
        self.seen += [(self.name, case.answer) for case in cases]
        return [int(case.answer) / 10 for case in cases]


def test_all_metrics_score_a_case_while_its_words_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[str, str]] = []
    both = {name: Watching(name, seen) for name in ("one", "other")}
    monkeypatch.setattr(scores, "metrics", lambda tools: both)
    monkeypatch.setattr(scores, "BLOCK", 4)
    cases = [Case(Record("q", "a"), str(n), ("a",)) for n in range(10)]
    found = scores.score(cases)
    assert found == {name: [n / 10 for n in range(10)] for name in both}
    answers = [answer for _, answer in seen]
    assert answers == [*"0123" * 2, *"4567" * 2, *"89" * 2]
