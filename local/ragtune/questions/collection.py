"""All sentences of the documents, and where words and answers occur in them."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from ragtune.questions.facts import Fact, facts_of
from ragtune.questions.passages import Passage, Sentence, passages
from ragtune.questions.stems import content


class Collection:
    """The passages of documents, by document and by word."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self.sentences = list(sentences)
        self.passages = passages(self.sentences)

    @cached_property
    def documents(self) -> dict[str, list[Passage]]:
        """The passages of each document that has any."""
        found: dict[str, list[Passage]] = defaultdict(list)
        for passage in self.passages:
            found[passage.sentence.document].append(passage)
        return dict(found)

    @cached_property
    def _by_word(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for n, passage in enumerate(self.passages):
            for word in set(content(passage.sentence.text)):
                found[word].append(n)
        return found

    def facts(self, document: str) -> list[Fact]:
        """All facts of a document, in order."""
        return [fact for passage in self.documents[document] for fact in facts_of(passage)]

    def holding(self, words: Sequence[str]) -> list[Passage]:
        """Passages whose sentence has all these content words."""
        if not words:
            return []
        places = set.intersection(*(set(self._by_word.get(word, ())) for word in words))
        return [self.passages[n] for n in sorted(places)]

    def elsewhere(self, fact: Fact, question: str, most: int) -> list[Passage]:
        """Passages without the fact's sentence that have its answer, the likeliest first."""
        asked = set(content(question))
        found = [
            passage
            for passage in self.holding(content(fact.answer))
            if fact.sentence.text not in passage.text
        ]
        found.sort(key=lambda one: -len(asked & set(content(one.shown))))
        return found[:most]
