"""What an arm costs, once to make and for each question: machine seconds, price, energy.

Seconds are those of the machine that the run was made on, and so are comparisons between arms.
Where a target serves the models, they are those of the machine there, and what is paid a month is
compared: an endpoint is paid for as long as it is kept, an imported model only while it answers.
"""

import math
from collections.abc import Mapping, Sequence

from ragtune.recipe.arms import Adapter, Arm, is_tuned, reads_documents, searches_records
from ragtune.recipe.schema import Needs
from ragtune.results.rates import BreakEven, Cost, Rates
from ragtune.results.rows import AnswerRow, LatencyRow

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
    rates: Rates | None = None,
) -> Cost:
    """The seconds of making an arm and of 1,000 queries; price and energy where they are known.

    ``adapter`` is the one of a tuned arm. Arms that look for documents or records pay for the
    index that they look in. A query takes its share of a batch and the retrieval of a question
    asked alone. With ``rates`` a target serves the model: retrieval is on another machine than the
    one that is paid for there, and the energy is not known.
    """
    tuning = stages.get(f"tune/{adapter}", 0.0) if is_tuned(arm) else 0.0
    index = "index" if reads_documents(arm) else "index-records" if searches_records(arm) else ""
    indexing = stages.get(index, 0.0)
    answering = sum(a.seconds for a in answers) / len(answers)
    looking = sum(t.retrieval for t in latencies) / len(latencies) if index and not rates else 0.0
    thousand = 1000 * (answering + looking)
    watts = None if rates else needs.watts
    cost = Cost(
        tuning_seconds=round(tuning, 3),
        indexing_seconds=round(indexing, 3),
        seconds_per_1000=round(thousand, 3),
        initial_price=price(tuning + indexing, needs.price_per_hour),
        price_per_1000=price(thousand, needs.price_per_hour),
        initial_kwh=energy(tuning + indexing, watts),
        kwh_per_1000=energy(thousand, watts),
        rates=rates,
    )
    if rates is None:
        return cost
    once = rates.tuning_price + (price(indexing, needs.price_per_hour) or 0.0)
    priced = {"initial_price": round(once, 6), "price_per_1000": _price_per_1000(cost, needs)}
    return cost.model_copy(update=priced)


def _price_per_1000(cost: Cost, needs: Needs) -> float | None:
    """What 1,000 answers cost there; of a machine that is kept, their share of the month."""
    rates, queries = cost.rates, needs.queries_per_month
    if rates is None or not rates.kept_hours:
        return price(cost.seconds_per_1000, rates.price_per_hour if rates else None)
    if queries is None:
        return None
    return price(1000 * working_seconds(cost, queries) / queries, rates.price_per_hour)


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


def working_seconds(cost: Cost, queries: float) -> float:
    """Seconds a month of the machine that answers: those of the queries.

    Where it is kept it costs whole machines, one even without any query.
    """
    busy = queries * cost.seconds_per_1000 / 1000
    kept = 3600 * cost.rates.kept_hours if cost.rates else 0.0
    return kept * max(1, math.ceil(busy / kept)) if kept else busy


def monthly_seconds(arm: Arm, cost: Cost, queries: float, change: str) -> float:
    """Machine seconds a month, all in all."""
    return fixed_seconds(arm, cost, change) + working_seconds(cost, queries)


def fixed_price(arm: Arm, cost: Cost, needs: Needs) -> float | None:
    """What a month costs that does not depend on the queries: index and tuning made again.

    None without a price. At a target's rates tuning has its own price, and the index, which stays
    on this machine, costs nothing where this machine has no price.
    """
    if cost.rates is None:
        return price(fixed_seconds(arm, cost, needs.documents_change), needs.price_per_hour)
    often, yearly = REBUILDS[needs.documents_change], REBUILDS["never"]
    indexing = price(cost.indexing_seconds * often, needs.price_per_hour) or 0.0
    return cost.rates.tuning_price * (often if arm == "tuned" else yearly) + indexing


def monthly_price(arm: Arm, cost: Cost, needs: Needs, queries: float) -> float | None:
    """What a month costs, all in all; None where a price is not known."""
    fixed = fixed_price(arm, cost, needs)
    rate = cost.rates.price_per_hour if cost.rates else needs.price_per_hour
    working = price(working_seconds(cost, queries), rate)
    return None if fixed is None or working is None else round(fixed + working, 6)


def break_even(costs: Mapping[Arm, Cost], needs: Needs) -> BreakEven | None:
    """From how many queries a month ``tuned`` costs less than ``rag``; None where one is missing.

    None also where a target serves the models: what is paid for there is no line over queries.

    ``queries_per_month`` is 0 where it does from the first, None where it never does. ``up_to`` is
    until how many it does where a query costs it more, as when little is tuned and much indexed.
    """
    if "tuned" not in costs or "rag" not in costs:
        return None
    tuned, rag = costs["tuned"], costs["rag"]
    if tuned.rates or rag.rates:
        return None
    change = needs.documents_change
    dearer = fixed_seconds("tuned", tuned, change) - fixed_seconds("rag", rag, change)
    saved = (rag.seconds_per_1000 - tuned.seconds_per_1000) / 1000
    queries = round(max(0.0, dearer / saved), 1) if saved > 0 else 0.0 if dearer < 0 else None
    up_to = round(dearer / saved, 1) if saved < 0 and dearer < 0 else None
    return BreakEven(documents_change=change, queries_per_month=queries, up_to=up_to)
