"""What an arm costs, once to make and for each question: machine seconds, price, energy.

Seconds are those of the machine that the run was made on, and so are comparisons between arms.
"""

from collections.abc import Mapping, Sequence

from ragtune.recipe.arms import Adapter, Arm, is_tuned, reads_documents, searches_records
from ragtune.recipe.schema import Needs
from ragtune.results.rows import AnswerRow, LatencyRow
from ragtune.results.schema import BreakEven, Cost

REBUILDS = {"never": 1 / 12, "monthly": 1.0, "weekly": 52 / 12, "daily": 365 / 12}
"""How often a month what holds the documents is made again; at least once a year."""


def arm_cost(
    arm: Arm,
    stages: Mapping[str, float],
    answers: Sequence[AnswerRow],
    latencies: Sequence[LatencyRow],
    needs: Needs,
    *,
    adapter: Adapter = "tuned",
) -> Cost:
    """The seconds of making an arm and of 1,000 queries; price and energy where they are known.

    ``adapter`` is the one of a tuned arm. Arms that look for documents or records pay for the
    index that they look in. A query takes its share of a batch and the retrieval of a question
    asked alone.
    """
    tuning = stages.get(f"tune/{adapter}", 0.0) if is_tuned(arm) else 0.0
    index = "index" if reads_documents(arm) else "index-records" if searches_records(arm) else ""
    indexing = stages.get(index, 0.0)
    answering = sum(a.seconds for a in answers) / len(answers)
    looking = sum(t.retrieval for t in latencies) / len(latencies) if index else 0.0
    thousand = 1000 * (answering + looking)
    return Cost(
        tuning_seconds=round(tuning, 3),
        indexing_seconds=round(indexing, 3),
        seconds_per_1000=round(thousand, 3),
        initial_price=price(tuning + indexing, needs.price_per_hour),
        price_per_1000=price(thousand, needs.price_per_hour),
        initial_kwh=energy(tuning + indexing, needs.watts),
        kwh_per_1000=energy(thousand, needs.watts),
    )


def price(seconds: float, price_per_hour: float | None) -> float | None:
    """What so many machine seconds cost, in the currency of the hourly price."""
    return None if price_per_hour is None else round(seconds / 3600 * price_per_hour, 6)


def energy(seconds: float, watts: float | None) -> float | None:
    """The kilowatt-hours of so many seconds at so many watts."""
    return None if watts is None else round(seconds * watts / 3.6e6, 9)


def fixed_seconds(arm: Arm, cost: Cost, documents_change: str) -> float:
    """Machine seconds a month that do not depend on the number of queries.

    Where documents change, an index is made again (of records, which are written again), and so is
    an adapter that has to know them by heart. Beside an index the adapter has learnt to read, and
    is made again once a year.
    """
    often, yearly = REBUILDS[documents_change], REBUILDS["never"]
    tuning = cost.tuning_seconds * (often if arm == "tuned" else yearly)
    return tuning + cost.indexing_seconds * often


def monthly_seconds(arm: Arm, cost: Cost, queries: float, change: str) -> float:
    """Machine seconds a month, all in all."""
    return fixed_seconds(arm, cost, change) + queries * cost.seconds_per_1000 / 1000


def break_even(costs: Mapping[Arm, Cost], needs: Needs) -> BreakEven | None:
    """From how many queries a month ``tuned`` costs less than ``rag``; None where one is missing.

    ``queries_per_month`` is 0 where it does from the first, None where it never does. ``up_to`` is
    until how many it does where a query costs it more, as when little is tuned and much indexed.
    """
    if "tuned" not in costs or "rag" not in costs:
        return None
    tuned, rag = costs["tuned"], costs["rag"]
    change = needs.documents_change
    dearer = fixed_seconds("tuned", tuned, change) - fixed_seconds("rag", rag, change)
    saved = (rag.seconds_per_1000 - tuned.seconds_per_1000) / 1000
    queries = round(max(0.0, dearer / saved), 1) if saved > 0 else 0.0 if dearer < 0 else None
    up_to = round(dearer / saved, 1) if saved < 0 and dearer < 0 else None
    return BreakEven(documents_change=change, queries_per_month=queries, up_to=up_to)
