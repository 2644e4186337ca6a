"""The verdict in three plain lines, for people who never heard of F1.

What to do; what the other way adds; what would change it, or is still open.
"""

from dataclasses import dataclass
from typing import Literal

from ragtune.recipe.arms import Arm
from ragtune.results import wording
from ragtune.results.faults import AnyFault
from ragtune.results.parts import Mean
from ragtune.results.schema import Results
from ragtune.results.statistics import estimate
from ragtune.results.verdict import reasons
from ragtune.results.verdict.reasons import Change, NeedChange, NotBetter

ARMS: dict[str, str] = {
    "base": "the model as it is",
    "tuned": "tuning",
    "rag": "retrieval",
    "tuned+rag": "retrieval and tuning together",
}
"""What an arm is called in a sentence."""
BESIDE: dict[str, tuple[tuple[Arm, str, str], ...]] = {
    "base": (
        ("rag", "retrieval", "retrieval adds anything"),
        ("tuned", "tuning", "tuning adds anything"),
    ),
    "tuned": (
        ("tuned+rag", "retrieval on top", "retrieval adds anything"),
        ("rag", "retrieval alone", "tuning is better than retrieval"),
    ),
    "rag": (
        ("tuned+rag", "tuning on top", "tuning adds anything"),
        ("tuned", "tuning alone", "retrieval is better than tuning"),
    ),
    "tuned+rag": (
        ("rag", "retrieval alone", "tuning adds anything"),
        ("tuned", "tuning alone", "retrieval adds anything"),
    ),
}
"""For the arm that is chosen: another one, its words, and what is open where they do not differ."""
UNMET: dict[str, str] = {
    "too_slow": "is too slow",
    "too_poor": "is not good enough",
    "no_sources": "cites no sources",
    "learnt_only": "does not follow changing documents",
    "too_stale": "does not follow changing documents",
    "over_budget": "costs too much",
}
"""By the kind of reason: the need that an arm fails."""

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
    return f"{named(arm)}, {results.failures.right[arm]} of {results.questions}"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def shares(results: Results) -> dict[Arm, Mean]:
    """Each arm's share of all questions that it got right, with Wilson's interval."""
    rows, seed = results.failures.questions, results.recipe.filled.seed
    return {arm: estimate([float(row.right[arm]) for row in rows], seed) for arm in results.arms}


def named(arm: str) -> str:
    """What an arm is called in a sentence."""
    return ARMS.get(arm, arm)


def use(results: Results, arm: Arm) -> str:
    """The first sentence, where there is an arm to use."""
    right, seconds = results.failures.right[arm], results.arms[arm].latency_ms.p50 / 1000
    return (
        f"Use {named(arm)}: {right} of {results.questions} right, {wording.about(seconds)} s an "
        "answer."
    )


def best(results: Results) -> Arm:
    """The arm with the most right answers."""
    right = results.failures.right
    return max(right, key=lambda arm: right[arm])


def _beside(results: Results, arm: Arm) -> str:
    """What the nearest other ways come to, and whether they add anything."""
    there = [(other, words) for other, words, _ in BESIDE.get(arm, ()) if other in results.arms]
    clauses = [
        _clause(results, other, words, full=n == 0) for n, (other, words) in enumerate(there)
    ]
    return _sentence("; ".join(clauses)) if clauses else ""


def _clause(results: Results, other: Arm, words: str, *, full: bool) -> str:
    """One of the other ways; ``full`` says "of N" as well."""
    right = results.failures.right[other]
    count = f"{right} of {results.questions}" if full else f"{right}"
    why = results.recommendation.out.get(other)
    if why and (failed := UNMET.get(why.kind)):
        return f"{words} has {count} right, but {failed}"
    if full and _fault_against(results, other):
        return f"{words.split(maxsplit=1)[0]} had no fair chance here ({count})"
    if isinstance(why, NotBetter):
        if words.endswith("alone"):
            return f"{words} is not measurably worse ({count})"
        return f"{words.removesuffix(' on top')} adds nothing measurable ({count})"
    if why is None or words.endswith("alone"):
        return f"{words} has {count}"
    return f"{words} makes it worse ({count})"


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
    for other, _, _ in BESIDE.get(arm, ()):
        if other in results.arms and (fault := _fault_against(results, other)):
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
    for other, _, what in BESIDE.get(recommendation.arm or "", ()):
        why = recommendation.out.get(other)
        if isinstance(why, NotBetter) and why.more_questions:
            more = wording.rounded(why.more_questions)
            return f"Whether {what} is undecided; about {more} more questions would tell."
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
