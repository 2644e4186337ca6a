"""Rules on what a question says: not the contrary of its sentence, nor something of another one."""

import re

from ragtune.core.text.content import stem
from ragtune.questions.facts import Fact
from ragtune.questions.stems import VAGUE, content, stems

_OPPOSITES = [
    tuple(frozenset(stem(word) for word in side.split()) for side in pair.split("/"))
    for pair in (
        "open opens opened opening/close closes closed closing shut",
        "arrive arrives arrived arriving arrival/leave leaves left leaving depart departs departed",
        "begin begins began begun start starts started/end ends ended finish finishes finished",
        "buy buys bought/sell sells sold", "lend lends lent/borrow borrows borrowed",
        "first/last", "minimum least lowest smallest/maximum most highest largest greatest",
        "allowed permitted/forbidden prohibited banned", "before/after", "free/cost costs",
        "lost lose loses/found find finds", "remember remembers/forget forgets forgot forgotten",
        "always/never", "more/less fewer", "above/below", "inside/outside", "win won/lost",
        "increase increased rose/decrease decreased fell", "summer/winter", "morning/evening",
        "bring brings brought/fetch collect", "north/south", "east/west", "upper/lower",
        "born birth/died dies death",
    )
]  # fmt: skip
"""Words of which a question has one where its sentence has the other: then it asks for the
contrary."""
_POINTS = re.compile(
    r"\b(?:it|they|them|he|him|she|this|these|those|his|her|their|its|such|both)\b", re.I
)
"""Words for what another sentence names."""
_MOST = re.compile(r"\b(?:maximum|limit|upper bound|at most|largest|longest|highest)\b", re.I)
_LEAST = re.compile(r"\b(?:minimum|at least|smallest|shortest|lowest)\b", re.I)
_UPPER = re.compile(
    r"\b(?:up to|at most|no more than|not more than|no longer than|maximum|max|limit\w*|exceed\w*|"
    r"within|until|under|not|never|no|only|largest|longest|highest|most|capacity|full)\b",
    re.I,
)
_LOWER = re.compile(
    r"\b(?:at least|minimum|min|no less than|not less than|smallest|shortest|lowest|least|from|"
    r"over|above|more than|needs?|requires?|required|must)\b",
    re.I,
)
"""What a sentence says that has a most or a least."""
_NOT = re.compile(r"\b(?:not|no|never|nobody|none|without|cannot)\b|n['\u2019]t\b", re.I)
_AGAINST = re.compile(
    r"\b(?:not|no|never|nobody|none|nothing|without|cannot|except\w*|exclud\w+|exempt\w*|forbidden|"
    r"prohibited|banned|missing|lack\w*|fails?|failed|refuse\w*|un\w{4,})\b|n['\u2019]t\b",
    re.I,
)
"""What says in a question that something is not so."""
_NO_MORE = re.compile(
    r"\b(?:no|not) (?:more|less|later|longer|earlier|fewer|only|until|before)\b|\bno one\b", re.I
)
"""Bounds that begin with "no"."""
_CLAUSE = re.compile(
    r"[,;:()]|\b(?:and|but|if|when|while|which|who|that|because|so|unless|where|although)\b"
)
_BARE = re.compile(
    r"(?:(?:at least|at most|up to|no more than|more than|less than|over|under|nearly|almost) )?"
    r"[\w.,-]+(?: (?:million|billion|hundred|thousand))?"
)
"""A number with nothing that it counts."""
_NUMBER = re.compile(r"\bhow (?:many|much)\b|\bnumber\b", re.I)


def asks_contrary(question: str, fact: Fact) -> bool:
    """Whether a question says the opposite of its sentence, or "not" where the passage has none."""
    asked, said = stems(question), stems(fact.sentence.text)
    for one, other in _OPPOSITES:
        for mine, theirs in ((one, other), (other, one)):
            if asked & mine and said & theirs and not said & mine and not asked & theirs:
                return True
    return bool(_NOT.search(question)) and not _NOT.search(fact.sentence.text)


def asks_of_another(question: str, fact: Fact) -> bool:
    """Whether a question is about what other sentences of the passage name, more than its own.

    A sentence with "it" or "they" speaks of what another one names.
    """
    if _POINTS.search(fact.sentence.text):
        return False
    rest = fact.sentence.text[: fact.start] + " " + fact.sentence.text[fact.end :]
    own = set(content(f"{fact.sentence.head} {rest}"))
    others = set(content(fact.passage.text)) - own - set(content(fact.answer))
    asked = {word for word in content(question) if word not in VAGUE and not word[0].isdigit()}
    return len(asked & others) > len(asked & own)


def drops_not(question: str, fact: Fact) -> bool:
    """Whether the clause of the answer says "not", and the question nothing like it."""
    if fact.sentence.is_line or _AGAINST.search(question):
        return False
    text = fact.sentence.text
    before = _CLAUSE.split(text[: fact.start])[-1]
    after = _CLAUSE.split(text[fact.end :])[0]
    return bool(_NOT.search(_NO_MORE.sub(" ", f"{before} {after}")))


def counts_nothing(question: str, fact: Fact) -> bool:
    """Whether a bare number is asked for by what it does not count: a size that is four."""
    bare = _BARE.fullmatch(fact.answer)
    if fact.kind != "figure" or fact.sentence.is_line or not bare:
        return False
    if _NUMBER.search(question):
        return False
    counted = set(content(" ".join(fact.sentence.text[fact.end :].split()[:2])))
    return bool(counted) and not counted & set(content(question))


def bounds_otherwise(question: str, fact: Fact) -> bool:
    """Whether a question asks for a most or a least where its sentence has none."""
    if fact.kind != "figure" or fact.sentence.is_line:
        return False
    text = fact.sentence.text
    above, below = _MOST.search(question), _LEAST.search(question)
    return bool((above and not _UPPER.search(text)) or (below and not _LOWER.search(text)))
