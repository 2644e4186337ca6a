"""From facts to rows: drafted, held against the rules, read back, chosen.

Documents are worked on a few at a time, and what came of them is written down before the next.
"""

import hashlib
import math
import random
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ragtune.core.progress import Watcher
from ragtune.core.text import refuses
from ragtune.models.engines.base import unwatched
from ragtune.questions.collection import Collection
from ragtune.questions.drafters import Drafter
from ragtune.questions.facts import Fact
from ragtune.questions.journal import Drafted, Journal
from ragtune.questions.plan import Chosen, Plan
from ragtune.questions.reading import Reader, told
from ragtune.questions.row import Row
from ragtune.questions.rules import Fault, fault_of, is_new, same_question
from ragtune.questions.stems import content
from ragtune.questions.synonyms import in_other_words
from ragtune.questions.workers import Workers
from ragtune.results.metrics.right import right

TOGETHER, BATCHES = 4, 4
"""Documents that are drafted from in one go, which is what a killed drafting loses; of few
documents fewer, so that all processors have some."""
UNSURE = 0.7
"""Nats a token from which a question is dropped; docs/questions.md says what was measured."""
SURE = 0.5
"""Nats a token up to which a question is kept that the reader has no answer to."""
CLOSE = 0.1
"""Nats a token by which a wording may be less sure than the surest, and be asked all the same."""
ENOUGH = 1.15
"""Facts with a question for each that is wanted: the surest of them are taken."""
YIELD = 0.33
"""The share of facts for which a question is likely to be kept."""
STRETCH = 4
"""Questions by which a kind of answer may be ahead of others before these are preferred."""
NEIGHBOURS = 1
"""Passages with the same answer that the reader is asked on as well."""


@dataclass
class _Try:
    """A fact, the wordings that are left of it, and why others went.

    ``silent`` are wordings that the reader has no answer to, ``asked`` those that are taken.
    """

    chosen: Chosen
    kept: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    doubts: dict[str, float] = field(default_factory=dict)
    faults: Counter[Fault] = field(default_factory=Counter)

    @property
    def fact(self) -> Fact:
        return self.chosen.fact


class Drafting:
    """Drafts the facts of a plan; ``reader`` None: nothing reads them back."""

    def __init__(
        self,
        collection: Collection,
        plan: Plan,
        drafter: Drafter,
        reader: Reader | None,
        watcher: Watcher,
    ) -> None:
        self.collection, self.plan, self.watcher = collection, plan, watcher
        self.drafter, self.reader = drafter, reader

    def run(self, chosen: dict[str, list[Chosen]], journal: Journal) -> list[Drafted]:
        """Draft what the journal has not; all of it in the order of the documents."""
        left = [name for name in chosen if name not in journal.done]
        at_once = self.drafter.at_once
        size = max(1, min(TOGETHER, len(left) // max(BATCHES, at_once)))
        parts = [left[start : start + size] for start in range(0, len(left), size)]
        batches = [{name: chosen[name] for name in names} for names in parts]
        lock = threading.Lock()

        def kept(batch: dict[str, list[Chosen]]) -> None:
            """What is drafted is in the journal even where nobody asks for it any more."""
            drafted = self._batch(batch)
            with lock:
                journal.add(drafted)

        with self.watcher.progress("questions") as advance:
            advance(len(chosen) - len(left), len(chosen))
            for _ in Workers(at_once, self._stopping).each(kept, batches):
                advance(len(journal.done), len(chosen))
        return [journal.done[name] for name in chosen]

    def _stopping(self) -> None:
        self.watcher.say("questions: stopping, as soon as the documents under way are done")

    def _batch(self, chosen: dict[str, list[Chosen]]) -> list[Drafted]:
        """Half of each document's facts, and of the others as many as are likely to be needed."""
        worked: dict[str, list[_Try]] = {name: [] for name in chosen}
        while True:
            now: list[_Try] = []
            for name, facts in chosen.items():
                tried = len(worked[name])
                missing = self._enough - sum(bool(one.asked) for one in worked[name])
                more = math.ceil(missing / YIELD) if tried else (len(facts) + 1) // 2
                new = [_Try(one) for one in facts[tried : tried + max(0, more)]]
                worked[name] += new
                now += new
            if not now:
                return [self._drafted(name, tries) for name, tries in worked.items()]
            self._work(now)

    @property
    def _enough(self) -> int:
        """Facts with a question of which a document needs no more."""
        wanted = self.plan.facts / max(1, len(self.collection.documents))
        return math.ceil(ENOUGH * wanted)

    def _work(self, tries: Sequence[_Try]) -> None:
        drafts = self.drafter.draft([one.fact for one in tries], unwatched)
        for one, texts in zip(tries, drafts, strict=True):
            self._rule(one, texts)
        self._doubt(tries)
        self._read(tries)
        self._alone(tries)
        self._reword([one for one in tries if one.kept and self._wordings(one) > 1])
        for one in tries:
            one.asked = self._taken(one)
        self._distance([one for one in tries if one.asked and one.chosen.part == "test"])
        self._nearby(tries)

    def _drafted(self, document: str, tries: Sequence[_Try]) -> Drafted:
        """What came of a document's facts, the surest first."""
        surest = sorted(
            tries,
            key=lambda one: min((one.doubts[text] for text in (*one.kept, *one.silent)), default=0),
        )
        rows = [row for one in surest for row in self._rows(one)]
        faults = [one.faults.most_common(1)[0][0] for one in tries if one.faults and not one.asked]
        return Drafted(document, rows, dict(Counter[str](faults)), len(tries))

    @staticmethod
    def _rule(one: _Try, texts: Sequence[str]) -> None:
        """Keep the texts that no rule speaks against."""
        for text in texts:
            if fault := fault_of(text, one.fact):
                one.faults[fault] += 1
            elif text not in one.kept:
                one.kept.append(text)
        if not texts:
            one.faults["is no question"] += 1

    def _read(self, tries: Sequence[_Try]) -> None:
        """Keep the wordings that the reader answers from their passage, and those it refuses apart.

        The test is not to be made of what this reader finds easy.
        """
        if self.reader is None:
            return
        asked = [(one, text) for one in tries for text in one.kept]
        answers = self.reader.answer([(one.fact.passage.shown, text) for one, text in asked])
        for one in tries:
            one.kept = []
        for (one, text), answer in zip(asked, answers, strict=True):
            result = told(answer, one.fact, text)
            if result == "right":
                one.kept.append(text)
            elif result == "refused":
                one.silent.append(text)
                one.faults["has no answer"] += 1
            else:
                one.faults["is answered otherwise"] += 1

    def _nearby(self, tries: Sequence[_Try]) -> None:
        """Take no wording that the reader answers from another passage with the same answer."""
        if self.reader is None:
            return
        nearby = [
            (one, text, passage)
            for one in tries
            for text in one.asked
            for passage in self.collection.elsewhere(one.fact, text, NEIGHBOURS)
        ]
        answers = self.reader.answer([(passage.shown, text) for _, text, passage in nearby])
        for (one, text, _), answer in zip(nearby, answers, strict=True):
            found = not refuses(answer) and right(answer, one.fact.answer, question=text)
            if found and text in one.asked:
                one.asked.remove(text)
                one.faults["is answered nearby"] += 1

    def _doubt(self, tries: Sequence[_Try]) -> None:
        """Drop what the drafter is unsure of, and put the surest first."""
        asked = [(one, text) for one in tries for text in one.kept]
        doubts = self.drafter.doubts([one.fact for one, _ in asked], [text for _, text in asked])
        for doubt, (one, text) in zip(doubts, asked, strict=True):
            one.doubts[text] = doubt
            if doubt > UNSURE:
                one.faults["is doubtful"] += 1
        for one in tries:
            one.kept = [text for text in one.kept if one.doubts[text] <= UNSURE]
            one.kept.sort(key=lambda text: one.doubts[text])

    @staticmethod
    def _alone(tries: Sequence[_Try]) -> None:
        """Where the reader answers none of a fact's wordings, keep those alone that are sound.

        They are so by the drafter's own measure; 0 says that it has none.
        """
        for one in tries:
            if not one.kept:
                one.silent = [text for text in one.silent if 0 < one.doubts[text] <= SURE]

    def _wordings(self, one: _Try) -> int:
        return 2 if one.chosen.part == "train" or self.plan.by == "wordings" else 1

    def _reword(self, tries: Sequence[_Try]) -> None:
        """Add a wording to facts that have one alone, where another is found."""
        tries = [one for one in tries if len(_different(one.kept)) < self._wordings(one)]
        first = [one.kept[0] for one in tries]
        if not tries:
            return
        again = [_Try(one.chosen) for one in tries]
        found = self.drafter.reword([one.fact for one in tries], first)
        for one, text, texts in zip(again, first, found, strict=True):
            self._rule(one, [other for other in texts if not same_question(other, text)])
        self._doubt(again)
        self._read(again)
        for one, other in zip(tries, again, strict=True):
            one.kept += other.kept
            one.silent += other.silent
            one.doubts |= other.doubts

    def _taken(self, one: _Try) -> list[str]:
        """The wordings that are asked: in the test the one with the fewest words of its sentence.

        People who ask have not read it. Whether a reader finds the answer plays no part, but the
        drafter has to be about as sure of it as of any.
        """
        if self._wordings(one) > 1:
            return _different(one.kept)[: self._wordings(one)]
        said = set(content(one.fact.sentence.text))
        texts = [*one.kept, *one.silent]
        surest = min((one.doubts[text] for text in texts), default=0.0)
        near = [text for text in texts if one.doubts[text] <= surest + CLOSE]
        return sorted(near, key=lambda text: (_shared(text, said), one.doubts[text], text))[:1]

    def _distance(self, tries: Sequence[_Try]) -> None:
        """Put words that mean the same for the sentence's, where the question stays sound by it."""
        changed = [
            (one, _Try(one.chosen))
            for one in tries
            if in_other_words(one.asked[0], one.fact.sentence.text) != one.asked[0]
        ]
        for one, other in changed:
            self._rule(other, [in_other_words(one.asked[0], one.fact.sentence.text)])
        self._read([other for _, other in changed])
        for one, other in changed:
            one.asked[:1] = [*other.kept, *other.silent] or one.asked[:1]

    def _rows(self, one: _Try) -> list[Row]:
        fact, sentence = one.fact, one.fact.sentence
        key = f"{sentence.document}\0{sentence.place}\0{fact.start}\0{fact.answer}"
        texts = one.asked
        parts = ["test", "train"] if self.plan.by == "wordings" else [one.chosen.part] * len(texts)
        return [
            Row(
                instruction=text,
                response=fact.answer,
                context=fact.passage.text,
                document=sentence.document,
                evidence=sentence.text,
                group=hashlib.sha256(key.encode()).hexdigest()[:10],
                kind=fact.kind,
                split="train" if part == "train" else "test",
                drafted=self.drafter.name,
            )
            for text, part in zip(texts, parts, strict=False)
        ]


def _shared(question: str, said: set[str]) -> float:
    """The share of a question's content words that its sentence has."""
    asked = set(content(question))
    return len(asked & said) / max(1, len(asked))


def _different(texts: Sequence[str]) -> list[str]:
    """The texts, without those that say the same as one before."""
    found: list[str] = []
    for text in texts:
        if is_new(text, found):
            found.append(text)
    return found


def selected(drafted: Sequence[Drafted], plan: Plan) -> tuple[list[Row], list[Row]]:
    """Test questions and training rows: as many as wanted, spread over documents and kinds.

    No question is asked twice, and none of a training row in the test, but for case and endings.
    """
    test = _spread([[r for r in one.rows if r.split == "test"] for one in drafted], plan.answerable)
    before = [row.instruction for row in test]
    rows = [[r for r in one.rows if r.split == "train"] for one in drafted]
    train = _spread(rows, plan.train, before)
    rng = random.Random(plan.seed)
    rng.shuffle(test)
    rng.shuffle(train)
    return test, train


def _spread(rows: Sequence[Sequence[Row]], wanted: int, before: Sequence[str] = ()) -> list[Row]:
    """Rows of each document in turn, the surest first, but of kinds that are not too frequent."""
    pools = [list(one) for one in rows]
    asked = list(before)
    kinds: Counter[str] = Counter()
    found: list[Row] = []
    while len(found) < wanted and any(pools):
        for pool in pools:
            while pool and len(found) < wanted:
                row = min(pool, key=lambda one: kinds[one.kind] // STRETCH)
                pool.remove(row)
                if is_new(row.instruction, asked):
                    kinds[row.kind] += 1
                    asked.append(row.instruction)
                    found.append(row)
                    break
    return found
