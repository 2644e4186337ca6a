"""The verdict in three plain lines, for people who never heard of F1.

What to do; what the other way adds; what would change it, or is still open.
"""

from dataclasses import dataclass, replace
from typing import Literal

from ragtune.recipe.arms import Arm
from ragtune.results import wording
from ragtune.results.faults import AnyFault
from ragtune.results.schema import Results
from ragtune.results.verdict import reasons
from ragtune.results.verdict.reasons import Change, NeedChange, NotBetter
from ragtune.results.wording import named


@dataclass(frozen=True)
class Beside:
    """Another arm than the chosen one: its words, and what is open where they do not differ.

    ``alone``: it is another way, not a part that is put on top of the chosen one.
    """

    arm: Arm
    words: str
    open: str
    alone: bool = True
    plural: bool = False

    def verb(self, singular: str, plural: str) -> str:
        """A verb that agrees with the words."""
        return plural if self.plural else singular

    @property
    def bare(self) -> str:
        """The words without where it is put."""
        return self.words.removesuffix(" on top")


EXAMPLES = Beside("fewshot", "examples in the prompt", "examples add anything", plural=True)
RECORDS = Beside(
    "rag-records",
    "retrieval over the training records",
    "the documents add anything to the training records",
)
BESIDE: dict[str, tuple[Beside, ...]] = {
    "base": (
        Beside("rag", "retrieval", "retrieval adds anything", alone=False),
        Beside("tuned", "tuning", "tuning adds anything", alone=False),
        replace(EXAMPLES, alone=False),
    ),
    "fewshot": (
        Beside("tuned", "tuning", "tuning is better than examples in the prompt"),
        Beside("rag", "retrieval", "retrieval is better than examples in the prompt"),
    ),
    "tuned": (
        Beside("tuned+rag", "retrieval on top", "retrieval adds anything", alone=False),
        Beside("rag", "retrieval alone", "tuning is better than retrieval"),
        replace(EXAMPLES, open="tuning is better than examples in the prompt"),
    ),
    "rag-records": (
        Beside("rag", "retrieval over the documents", RECORDS.open),
        Beside("tuned", "tuning", "tuning on the same records is as good"),
    ),
    "rag": (
        Beside("tuned+rag", "tuning on top", "tuning adds anything", alone=False),
        Beside("tuned", "tuning alone", "retrieval is better than tuning"),
        RECORDS,
    ),
    "tuned+rag": (
        Beside("rag", "retrieval alone", "tuning adds anything"),
        Beside("tuned", "tuning alone", "retrieval adds anything"),
    ),
}
"""For the arm that is chosen: the others that it is compared with in a sentence."""
UNMET: dict[str, str] = {
    "too_slow": "is too slow",
    "too_poor": "is not good enough",
    "no_sources": "cites no sources",
    "learnt_only": "does not follow changing documents",
    "too_stale": "does not follow changing documents",
    "over_budget": "costs too much",
}
"""By the kind of reason: the need that an arm fails."""

CLEARLY = 0.05
"""The share of the questions that an arm has right less often before it adds "nothing" at all."""
FASTER = 0.8
"""A limit on time is named where it leads to an arm that takes less than this share of it."""

State = Literal["decided", "undecided", "forbidden"]


@dataclass(frozen=True)
class Summary:
    """Three sentences, and how far they are to be trusted.

    ``undecided``: the questions do not tell, or no arm fits. ``forbidden``: a fault of the study
    forbids a verdict.
    """

    state: State
    do: str
    beside: str
    change: str

    @property
    def lines(self) -> list[str]:
        """The sentences there are."""
        return [line for line in (self.do, self.beside, self.change) if line]


def summarise(results: Results) -> Summary:
    """The summary of a run."""
    arm, why = results.recommendation.arm, results.recommendation.because
    if arm is not None:
        return Summary("decided", use(results, arm), _beside(results, arm), _change(results, arm))
    leading = f"The most right: {_counted(results, best(results))}."
    match why:
        case reasons.StudyAtFault():
            first, more = why.faults[0], len(why.faults) - 1
            rest = f" And {more} more, below." if more else ""
            return Summary(
                "forbidden",
                "No verdict: the study is at fault, so it says little of what tuning or retrieval "
                "can do.",
                f"{_sentence(wording.fault(first))}{rest}",
                f"Mend that and run again. {leading}",
            )
        case reasons.Undecided():
            more_needed = why.more_questions
            told = f"About {wording.rounded(more_needed)} more would tell." if more_needed else ""
            if why.few:
                do = f"Undecided: {why.questions} questions are too few to tell."
            else:
                other = named(why.other) if why.other else "always giving the same answer"
                do = f"Undecided: {named(why.leading)} is not measurably better than {other}."
            return Summary("undecided", do, leading, told)
        case reasons.NeedsUnmet():
            do = "Use none of them: no way meets every need of the recipe."
        case reasons.ConstantWins():
            do = "Use none of them: always giving the same answer is right as often."
        case _:
            do = "Use none of them: the model answers next to nothing, whatever it is given."
    return Summary("undecided", do, leading, _changes(results))


def _counted(results: Results, arm: Arm) -> str:
    return f"{named(arm)}, {_right(results, arm)} of {results.questions}"


def _right(results: Results, arm: Arm) -> int:
    return wording.right(results.arms[arm], results.questions)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def use(results: Results, arm: Arm) -> str:
    """The first sentence, where there is an arm to use."""
    figures = results.arms[arm]
    seconds = wording.about(figures.latency_ms.p50 / 1000)
    seeds = f" ({told})" if (told := wording.seeds(figures)) else ""
    return (
        f"Use {named(arm)}: {_right(results, arm)} of {results.questions} right{seeds}, "
        f"{seconds} s an answer."
    )


def _is_lower(results: Results, other: Arm) -> bool:
    """Whether an arm has clearly fewer right answers than the chosen one, refusals counted.

    Quality is over the answerable questions: arms may be alike in it and refuse differently.
    """
    chosen = results.recommendation.arm
    lacking = _right(results, chosen) - _right(results, other) if chosen else 0
    return lacking > CLEARLY * results.questions


def best(results: Results) -> Arm:
    """The arm with the most right answers."""
    return max(results.arms, key=lambda arm: results.arms[arm].right.mean)


def _beside(results: Results, arm: Arm) -> str:
    """What the nearest other ways come to, and whether they add anything."""
    there = [other for other in BESIDE.get(arm, ()) if other.arm in results.arms]
    clauses = [_clause(results, other, full=n == 0) for n, other in enumerate(there)]
    return _sentence("; ".join(clauses)) if clauses else ""


def _clause(results: Results, other: Beside, *, full: bool) -> str:
    """One of the other ways; ``full`` says "of N" as well."""
    right, words = _right(results, other.arm), other.words
    count = f"{right} of {results.questions}" if full else f"{right}"
    why = results.recommendation.out.get(other.arm)
    has = other.verb("has", "have")
    if why and (failed := UNMET.get(why.kind)):
        return f"{words} {has} {count} right, but {failed}"
    if full and _fault_against(results, other.arm):
        return f"{words} had no fair chance here ({count})"
    if isinstance(why, NotBetter):
        if other.alone:
            return f"{words} {other.verb('is', 'are')} not measurably worse ({count})"
        least = "" if _is_lower(results, other.arm) else " measurable"
        return f"{other.bare} {other.verb('adds', 'add')} nothing{least} ({count})"
    if why is None or other.alone:
        return f"{words} {has} {count}"
    return f"{words} {other.verb('makes', 'make')} it worse ({count})"


def _fault_against(results: Results, other: Arm) -> AnyFault | None:
    """A fault that forbids a verdict against another arm, and not against the one chosen."""
    return next(
        (
            fault
            for fault in results.faults
            if fault.severity == "forbids"
            and other in fault.arms
            and results.recommendation.arm not in fault.arms
        ),
        None,
    )


def _change(results: Results, arm: Arm) -> str:
    """Why another had no fair chance, or else what is open; then what leads to another arm."""
    for other in BESIDE.get(arm, ()):
        if other.arm in results.arms and (fault := _fault_against(results, other.arm)):
            return f"Why: {wording.fault(fault)}."
    return " ".join(filter(None, [open_question(results), _changes(results)]))


def _changes(results: Results) -> str:
    """The first changes that lead to another arm, as one sentence; empty where none does."""
    changes = [
        (what.arm, words)
        for what in sorted(results.recommendation.sensitivity, key=_is_limit)
        if (words := if_(what)) and not _is_close(results, what)
    ]
    ways = list(dict.fromkeys(arm for arm, _ in changes if arm))[:2]
    told = [
        f"{next(words for arm, words in changes if arm == way)}: use {named(way)}" for way in ways
    ]
    return f"If {'; if '.join(told)}." if told else ""


def open_question(results: Results) -> str:
    """What more questions would tell; empty where all is told."""
    recommendation = results.recommendation
    for other in BESIDE.get(recommendation.arm or "", ()):
        why = recommendation.out.get(other.arm)
        if isinstance(why, NotBetter) and why.more_questions:
            more = wording.rounded(why.more_questions)
            return f"Whether {other.open} is undecided; about {more} more questions would tell."
    return ""


def _is_limit(what: Change) -> bool:
    return isinstance(what, NeedChange) and what.need == "p95_latency_ms"


def _is_close(results: Results, what: Change) -> bool:
    """Whether a limit on time would lead to an arm that is hardly faster."""
    now, other = results.recommendation.arm, what.arm
    if not (_is_limit(what) and now and other):
        return False
    p95 = {arm: figures.latency_ms.p95 for arm, figures in results.arms.items()}
    return p95[other] > FASTER * p95[now]


def if_(what: Change) -> str:
    """A change as the condition of a sentence; empty for those that need a metric's name."""
    match what:
        case NeedChange():
            return _need(what)
        case reasons.VolumeChange():
            count = wording.rounded(what.queries_per_month)
            return f"there are {count} queries a month or {what.side}"
        case reasons.MachineTimeChange():
            start = what.from_queries_per_month
            volume = f"from {wording.rounded(start)}" if start else "at few"
            return f"machine time is what counts, {volume} queries a month"
        case reasons.IdleChange():
            return "no machine is kept while nobody asks"
        case _:
            return ""


def _need(what: NeedChange) -> str:  # noqa: PLR0911, one clause a need
    match what.need, what.value:
        case "cite_sources", True:
            return "sources must be cited"
        case "cite_sources", _:
            return "no sources need be cited"
        case "documents_change", "never":
            return "documents never change"
        case "documents_change", often:
            return f"documents change {often}"
        case "p95_latency_ms", None:
            return "answers may take their time"
        case "p95_latency_ms", float(limit) | int(limit):
            return f"95 of 100 answers must take less than {wording.about(limit / 1000)} s"
        case "budget_per_month", _:
            return "there is no budget to keep"
        case "min_quality", None:
            return "no least quality is asked for"
        case _:
            return ""
