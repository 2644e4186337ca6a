"""The sentences about a verdict: why an arm is chosen or not, and what would change that."""

from ragtune.results.metrics.registry import title
from ragtune.results.rates import BreakEven
from ragtune.results.verdict import measured, reasons
from ragtune.results.verdict.measured import Measured
from ragtune.results.verdict.reasons import Because, Change, Reason, Recommendation
from ragtune.results.wording.faults import fault
from ragtune.results.wording.numbers import brief, rounded


def headline(recommendation: Recommendation) -> str:
    """The verdict in three words."""
    if recommendation.arm:
        return f"{recommendation.arm} fits best"
    match recommendation.because:
        case reasons.Undecided():
            return "Undecided"
        case reasons.StudyAtFault():
            return "No verdict"
    return "No arm fits"


def because(why: Because) -> str:  # noqa: PLR0911, one sentence a kind
    """Why the arm is chosen, or why none is."""
    match why:
        case reasons.Chosen():
            other = why.not_different_from
            rest = f", not significantly different from {other}" if other else ""
            return f"{title(why.metric)} {why.mean:.2f} at {spending(why.spending)}{rest}"
        case reasons.NeedsUnmet():
            return "no arm meets every need; relax one, or use a larger model"
        case reasons.NothingAnswered():
            reaches = f"reaches {title(why.metric)} {why.least:g}"
            if why.needs_failed:
                return f"no arm that meets the needs {reaches}; relax one"
            return f"no arm {reaches}; the model is too weak for these questions"
        case reasons.ConstantWins():
            which = "no arm that meets the needs" if why.needs_failed else "no arm"
            return (
                f"{which} scores higher than always answering {why.answer!r}, "
                f"{title(why.metric)} {why.mean:.2f}"
            )
        case reasons.Undecided():
            return _undecided(why)
        case reasons.StudyAtFault():
            best = f"the best, {why.leading}, has {title(why.metric)} {why.mean:.2f}"
            return f"{best}; {'; '.join(map(fault, why.faults))}"


def _undecided(why: reasons.Undecided) -> str:
    more = ""
    if why.more_questions:
        more = f"; about {rounded(why.more_questions)} more questions are needed"
    if why.few:
        return f"{why.questions} questions are too few for a verdict{more}"
    return (
        f"{why.leading}, {title(why.metric)} {why.mean:.2f}, is not significantly better than "
        f"{why.other or 'the best constant answer'}{more}"
    )


def reason(why: Reason) -> str:  # noqa: PLR0911, one sentence a kind
    """Why an arm is not the one."""
    match why:
        case reasons.Dead():
            scores = f"{title(why.metric)} {why.mean:.2f}"
            if why.under_floor or why.answer is None:
                return f"{scores}, answers next to nothing"
            return f"{scores}, not above {why.constant:.2f} of always answering {why.answer!r}"
        case reasons.AtFault():
            told = "; ".join(map(fault, why.faults))
            return f"{title(why.metric)} {why.mean:.2f}, which says little: {told}"
        case reasons.TooSlow():
            limit = f"over needs.p95_latency_ms {why.limit_ms:g}"
            return f"p95 latency {why.p95_ms:.0f} ms, {limit}"
        case reasons.TooPoor():
            limit = f"under needs.min_quality {why.limit:g}"
            return f"{title(why.metric)} {why.mean:.2f}, {limit}"
        case reasons.NoSources():
            return "cites no sources, and needs.cite_sources asks for them"
        case reasons.LearntOnly():
            after = f" until it is tuned again ({brief(why.seconds)} s)" if why.seconds else ""
            return f"does not read the documents{after}, and needs.documents_change is daily"
        case reasons.TooStale():
            return (
                f"answers by a changed document after {brief(why.seconds)} s; "
                f"they change {why.documents_change}"
            )
        case reasons.OverBudget():
            return f"{why.price:.2f} a month, over needs.budget_per_month {why.limit:g}"
        case reasons.Worse():
            low, high = why.ci95
            gap = f"{why.mean:.2f} ({low:.2f} to {high:.2f})"
            return f"{title(why.metric)} lower than {why.other}'s by {gap}"
        case reasons.NotBetter():
            more = why.more_questions
            would = f"; about {rounded(more)} more questions would show which" if more else ""
            same = ", about the same cost" if why.close else ""
            same += {
                "parts": ", and has more parts",
                "cost": ", and costs more",
                "order": ", and has parts that are harder to keep up",
                "base": ", and not shown to be better than base",
            }[why.tie]
            at = spending(why.spending)
            return f"not significantly different from {why.other}, at {at}{same}{would}"


def spending(cost: reasons.Spending) -> str:
    """What an arm costs, with its unit."""
    if cost.unit == "tokens a question":
        return f"{cost.amount:.0f} tokens a question"
    if cost.unit == "price a month":
        return f"{cost.amount:,.2f} a month"
    bill = f" ({cost.price:.2f})" if cost.price else ""
    return f"{cost.amount / 3600:.3g} machine hours a month{bill}"


def measurement(what: Measured) -> str:  # noqa: PLR0911, one sentence a kind
    """What a criterion was held against."""
    match what:
        case measured.QualityMeasured():
            rest = "" if what.different else "; not significantly different"
            means = f"{what.tuned:.2f} by tuning, {what.rag:.2f} by retrieval"
            return f"{title(what.metric)} {means} over {what.questions} questions{rest}"
        case measured.Unmeasured():
            return {
                "none_inside": "too few questions about what the records cover",
                "none_outside": "too few questions about what the records do not cover",
                "no_coverage": "not measured",
            }[what.why]
        case measured.BrokenMeasured():
            return (
                f"of {what.right} answers that base had right tuning broke {what.tuned}, "
                f"retrieval {what.rag}"
            )
        case measured.LatencyMeasured():
            return f"p95 of {what.tuned:.0f} ms by tuning, {what.rag:.0f} ms by retrieval"
        case measured.ThroughputMeasured():
            return (
                f"1,000 queries take {brief(what.tuned)} s by tuning, "
                f"{brief(what.rag)} s by retrieval"
            )
        case measured.GainMeasured():
            low, high = what.ci95
            return (
                f"{what.records:,} records moved {title(what.metric)} by {what.mean:+.2f} "
                f"({low:+.2f} to {high:+.2f})"
            )
        case measured.FewLabelsMeasured():
            return (
                f"retrieval reaches {what.rag:.2f} without a record; "
                f"tuning {what.tuned:.2f} with {what.records:,}"
            )
        case measured.FreshnessMeasured():
            return (
                f"from a changed document to an answer {brief(what.rag)} s by indexing, "
                f"{brief(what.tuned)} s by tuning again; {what.followed} of {what.changes} answers "
                "followed the index"
            )
        case measured.OnceMeasured():
            return f"{brief(what.rag)} s of indexing, {brief(what.tuned)} s of tuning"


def change(what: Change, metric: str) -> str:
    """What would have to be otherwise; ``metric`` is the one that decides."""
    match what:
        case reasons.NeedChange():
            return _need(what, metric)
        case reasons.VolumeChange():
            return f"{rounded(what.queries_per_month)} queries a month or {what.side}"
        case reasons.MachineTimeChange():
            start = what.from_queries_per_month
            volume = f"from {rounded(start)}" if start else "at few"
            return f"cost by machine time, {volume} queries a month"
        case reasons.IdleChange():
            return "no machine kept while nobody asks"
        case reasons.MoreQuestions():
            return f"about {rounded(what.more)} more questions with answers like these"


def _need(what: reasons.NeedChange, metric: str) -> str:
    dropped = {
        "p95_latency_ms": "no p95 limit",
        "min_quality": "no minimum quality",
        "budget_per_month": "no budget",
    }
    if what.need == "cite_sources":
        return "sources required" if what.value else "no sources required"
    if what.need == "documents_change":
        never = what.value == "never"
        return "documents that never change" if never else f"documents change {what.value}"
    if what.value is None:
        return dropped[what.need]
    if what.need == "p95_latency_ms":
        return f"a p95 limit under {what.value:.0f} ms"
    return f"a {title(metric)} over {what.value:.2f} required"


def break_even(found: BreakEven | None) -> str:
    """From or up to how many queries a month tuning pays; empty where an arm is missing."""
    if found is None:
        return ""
    given = f"(documents change: {found.documents_change}; this machine's seconds)"
    if found.up_to is not None:
        where = f"less than rag up to {found.up_to:,.0f} queries a month"
    elif found.queries_per_month is None:
        where = "more than rag at any number of queries"
    elif found.queries_per_month == 0:
        where = "less than rag from the first query"
    else:
        where = f"less than rag from {found.queries_per_month:,.0f} queries a month"
    return f"break-even: tuned costs {where} {given}"


def _open(recommendation: Recommendation) -> bool:
    """Whether there is no verdict, rather than one that nothing fits."""
    return isinstance(recommendation.because, reasons.Undecided | reasons.StudyAtFault)


def verdict(recommendation: Recommendation) -> list[str]:
    """The arm that fits, why each other does not, and what would change that."""
    named = f"fits best: {recommendation.arm}"
    if recommendation.arm is None:
        named = headline(recommendation).lower() if _open(recommendation) else "fits best: none"
    lines = [f"{named} — {because(recommendation.because)}"]
    lines += [
        f"  not {arm}: {reason(why)} [{why.criterion}]" for arm, why in recommendation.out.items()
    ]
    for side in ("tuning", "retrieval", None):
        told = [
            f"{line.criterion} ({measurement(line.measured)})"
            for line in recommendation.criteria
            if line.favours == side
        ]
        if told:
            lines.append(f"{f'favours {side}' if side else 'favours neither'}: {'; '.join(told)}")
    changes = [
        f"{change(what, recommendation.metric)} → {what.arm or 'none'}"
        for what in recommendation.sensitivity
    ]
    if changes:
        lines.append(f"would change it: {'; '.join(changes)}")
    if turns := recommendation.turns:
        lines.append(f"by {title(turns.metric)} it would be {turns.arm}")
    elif recommendation.survives and recommendation.other_metrics:
        lines.append("the other metrics lead to the same arm, or to none")
    if (least := recommendation.smallest_difference) is not None:
        lines.append(f"differences under about {least:.2f} are too small for so many questions")
    return lines
