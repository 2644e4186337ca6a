"""What an arm costs, as values: machine seconds, prices, energy, and from when tuning pays."""

from ragtune.results.parts import Part


class Rates(Part):
    """What the machine costs that answers for an arm, where a target serves its model.

    ``kept_hours`` a month are paid for however little is asked; 0 where it is paid for only while
    it answers. ``tuning_price`` is what tuning there has cost, 0 for an arm without any or where
    that is not known. ``price_per_hour`` is None where it is not known.
    """

    price_per_hour: float | None
    kept_hours: float
    tuning_price: float


class Cost(Part):
    """Machine seconds; prices with `needs.price_per_hour`, energy with `needs.watts`.

    With ``rates`` prices are by them, and seconds are those of the machine that they are of.
    """

    tuning_seconds: float
    indexing_seconds: float
    seconds_per_1000: float
    initial_price: float | None
    price_per_1000: float | None
    initial_kwh: float | None
    kwh_per_1000: float | None
    rates: Rates | None = None


class BreakEven(Part):
    """From how many queries a month `tuned` costs less than `rag`; 0 from the first, None never.

    `up_to`: until how many it does, where each costs more; else None.
    """

    documents_change: str
    queries_per_month: float | None
    up_to: float | None
