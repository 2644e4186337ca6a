"""Which facts are drafted, and for what: chosen before a question is written."""

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ragtune.questions.collection import Collection
from ragtune.questions.facts import Fact
from ragtune.questions.row import Part

By = Literal["facts", "documents", "wordings"]
"""What training rows and test questions have not in common."""
WAYS: tuple[By, ...] = get_args(By)
SPARE = 4.0
"""Facts that are drafted for each question that is wanted: not every draft is kept."""
UNANSWERABLE = 0.2
"""The share of test questions that no document answers."""
FEWEST, MOST, EACH = 60, 320, 4
"""Test questions where nobody says how many: so many a document, within these bounds."""


TRAIN = 0.375
"""Training rows for each test question, where nobody says how many; two of a fact, as a rule."""


@dataclass(frozen=True)
class Plan:
    """How many questions are wanted of ``documents`` documents."""

    test: int
    train: int
    unanswerable: int
    by: By = "facts"
    seed: int = 0

    @property
    def answerable(self) -> int:
        """Test questions that a document answers."""
        return self.test - self.unanswerable

    @property
    def facts(self) -> int:
        """Facts that are wanted: training rows are two wordings of one, as a rule."""
        return self.answerable + (0 if self.by == "wordings" else math.ceil(self.train / 2))


def planned(documents: int, test: int | None, train: int | None, by: By, seed: int) -> Plan:
    """The numbers, where those that are None follow from the number of documents."""
    wanted = min(MOST, max(FEWEST, EACH * documents)) if test is None else test
    rows = round(TRAIN * wanted) if train is None else train
    return Plan(wanted, rows, round(UNANSWERABLE * wanted), by, seed)


@dataclass(frozen=True)
class Chosen:
    """A fact and what it is for."""

    fact: Fact
    part: Part


def choose(collection: Collection, plan: Plan) -> dict[str, list[Chosen]]:
    """Facts by document, spread over documents, sentences and kinds of answers.

    Facts of one sentence are for the same part. The choice follows from the seed alone.
    """
    names = list(collection.documents)
    parts = _parts_of(names, plan)
    wanted = plan.facts
    each = max(2, math.ceil(SPARE * wanted / max(1, len(names))))
    used: Counter[str] = Counter()
    found: dict[str, list[Chosen]] = {}
    left = math.ceil(SPARE * wanted)
    waiting = len(names)
    for name in names:
        rng = random.Random(f"{plan.seed}/{name}")
        quota = max(each, math.ceil(left / waiting))
        facts = _spread(collection.facts(name), quota, used, rng)
        found[name] = _for(facts, parts.get(name), plan, rng)
        left, waiting = left - len(facts), waiting - 1
    return found


def _spread(
    facts: Sequence[Fact], quota: int, used: Counter[str], rng: random.Random
) -> list[Fact]:
    """Up to ``quota`` facts: first one a sentence, of the kinds that were rarest until now."""
    pool = list(facts)
    rng.shuffle(pool)
    sentences: Counter[int] = Counter()
    chosen: list[Fact] = []
    while pool and len(chosen) < quota:
        best = min(pool, key=lambda fact: (sentences[fact.sentence.place], used[fact.kind]))
        if sentences[best.sentence.place] >= 2:
            break
        pool.remove(best)
        sentences[best.sentence.place] += 1
        used[best.kind] += 1
        chosen.append(best)
    return chosen


def _parts_of(names: Sequence[str], plan: Plan) -> dict[str, Part]:
    """Which documents are for which part, where documents are what is divided."""
    if plan.by != "documents":
        return {}
    order = list(names)
    random.Random(f"{plan.seed}/documents").shuffle(order)
    share = plan.answerable / max(1, plan.answerable + math.ceil(plan.train / 2))
    cut = max(1, min(len(order) - 1, round(share * len(order)))) if len(order) > 1 else 1
    return {name: "test" if n < cut else "train" for n, name in enumerate(order)}


def _for(facts: Sequence[Fact], part: Part | None, plan: Plan, rng: random.Random) -> list[Chosen]:
    if part is not None:
        return [Chosen(fact, part) for fact in facts]
    if plan.by == "wordings" or not plan.train:
        return [Chosen(fact, "test") for fact in facts]
    places = list(dict.fromkeys(fact.sentence.place for fact in facts))
    share = plan.answerable / (plan.answerable + math.ceil(plan.train / 2))
    rng.shuffle(places)
    cut = round(share * len(places) + rng.random() - 0.5)
    test = set(places[: max(1, cut)])
    return [Chosen(f, "test" if f.sentence.place in test else "train") for f in facts]
