"""Made-up amounts, times, dates, counts and measures, each in many ways of writing them.

Each maker takes a `random.Random` and returns one quantity with its unit.
"""

from __future__ import annotations

from random import Random

from .wordlists import words

MONTHS = words("months")
WEEKDAYS = words("weekdays")
ORDINALS = words("ordinals")
NUMBER_WORDS = words("number_words")
TENS_WORDS = words("tens_words")


def count(rng: Random) -> str:
    """A whole number of 2 or more, in figures or in words."""
    draw = rng.random()
    if draw < 0.3:
        return rng.choice(NUMBER_WORDS)
    if draw < 0.4:
        return f"{rng.choice(TENS_WORDS)}-{rng.choice(NUMBER_WORDS[:8])}"
    if draw < 0.85:
        return str(rng.randint(2, 400))
    return (
        f"{rng.randint(1, 60)},{rng.randint(0, 999):03d}"
        if draw < 0.95
        else str(rng.randint(400, 9000))
    )


def small_count(rng: Random) -> str:
    """A number of things that a person can hold or book."""
    return rng.choice(NUMBER_WORDS[:11]) if rng.random() < 0.6 else str(rng.randint(2, 30))


def amount(rng: Random) -> str:
    """A sum of money, up to a few thousand."""
    whole = rng.randint(1, 99) if rng.random() < 0.6 else rng.randint(100, 4000)
    cents = rng.choice(("", "", "", f".{rng.choice((50, 20, 80, 25, 75, 95, 99, 40, 60))}"))
    unit = rng.choice(
        ("euros", "euros", "pounds", "dollars", "francs", "crowns", "pesos", "£", "€", "$", "EUR")
    )
    if unit in "£€$":
        return f"{unit}{whole}{cents}"
    if not cents and rng.random() < 0.12:
        return f"{rng.choice(NUMBER_WORDS)} {unit if unit != 'EUR' else 'euros'}"
    return f"{whole}{cents} {unit}"


def large_amount(rng: Random) -> str:
    """A budget or a building cost."""
    unit = rng.choice(("euros", "pounds", "dollars", "francs", "crowns"))
    return rng.choice(
        (
            f"{rng.randint(2, 90)},000 {unit}",
            f"{rng.randint(100, 950)},000 {unit}",
            f"{rng.randint(1, 40)}.{rng.randint(1, 9)} million {unit}",
            f"{rng.choice('£€$')}{rng.randint(1, 60)},{rng.randint(0, 999):03d}",
        )
    )


def clock(rng: Random) -> str:
    """A time of day."""
    hour, minute = rng.randint(1, 12), rng.choice((0, 0, 15, 30, 45, 10, 20, 40, 50, 5))
    suffix = rng.choice((" am", " pm", "am", "pm", " a.m.", " p.m."))
    draw = rng.random()
    if draw < 0.25:
        return f"{hour}{suffix}" if minute == 0 else f"{hour}:{minute:02d}{suffix}"
    if draw < 0.55:
        return f"{rng.randint(5, 23)}:{minute:02d}"
    if draw < 0.65:
        return f"{rng.randint(5, 23):02d}.{minute:02d}"
    word = ["one", *NUMBER_WORDS][rng.randint(0, 11)]
    return rng.choice(
        (
            f"{word} o'clock",
            f"half past {word}",
            f"a quarter to {word}",
            f"a quarter past {word}",
            "noon",
            "midnight",
            f"{word} in the morning",
            f"{word} in the evening",
        )
    )


def year(rng: Random) -> str:
    """A year."""
    return str(rng.randint(1780, 2024) if rng.random() < 0.5 else rng.randint(1950, 2024))


def day_of_month(rng: Random) -> str:
    """A date without its year."""
    day, month = rng.randint(1, 28), rng.choice(MONTHS)
    ending = (
        "th" if 4 <= day <= 20 or day >= 24 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    )
    return rng.choice(
        (
            f"{day} {month}",
            f"{day} {month}",
            f"{month} {day}",
            f"{day}{ending} {month}",
            f"the {day}{ending} of {month}",
        )
    )


def date(rng: Random) -> str:
    """A date or a recurring day of the year."""
    draw = rng.random()
    if draw < 0.5:
        return day_of_month(rng)
    if draw < 0.75:
        return f"{rng.randint(1, 28)} {rng.choice(MONTHS)} {year(rng)}"
    ordinal = rng.choice((*ORDINALS[:4], "last"))
    return rng.choice(
        (
            f"the {ordinal} {rng.choice(WEEKDAYS)} in {rng.choice(MONTHS)}",
            f"the {ordinal} {rng.choice(WEEKDAYS)} of the month",
            f"the end of {rng.choice(MONTHS)}",
        )
    )


def days(rng: Random) -> str:
    """One or more days of the week, or days of the month."""
    one, other = rng.sample(WEEKDAYS, 2)
    return rng.choice(
        (
            one,
            one,
            one,
            f"{one} and {other}",
            f"{one} morning",
            f"{one} afternoon",
            f"{one} evening",
            f"every second {one}",
            f"the {rng.choice(ORDINALS[:4])} {one} of the month",
            f"every {one}",
        )
    )


def duration(rng: Random) -> str:
    """A length of time."""
    unit = rng.choice(["minutes", "hours", "days", "weeks", "months", "years"])
    number = {
        "minutes": rng.choice((5, 10, 15, 20, 25, 30, 40, 45, 50, 75, 90)),
        "hours": rng.randint(2, 48),
        "days": rng.randint(2, 90),
        "weeks": rng.randint(2, 16),
        "months": rng.randint(2, 24),
        "years": rng.randint(2, 30),
    }[unit]
    if number <= 20 and rng.random() < 0.5:
        prefix = rng.choice(("", "", "", "working ")) if unit == "days" else ""
        return f"{NUMBER_WORDS[number - 2]} {prefix}{unit}"
    return rng.choice(
        (f"{number} {unit}",) * 8
        + ("half an hour", "a year", "one week", "a fortnight", "one month")
    )


def interval(rng: Random) -> str:
    """How often something happens."""
    return rng.choice(
        (
            f"every {duration(rng)}",
            "once a year",
            "twice a year",
            "once a month",
            "every morning",
            "once a week",
            f"every {rng.choice(WEEKDAYS)}",
            f"{rng.choice(NUMBER_WORDS)} times a year",
            "every quarter",
            f"in {rng.choice(MONTHS)} and {rng.choice(MONTHS)}",
            "every evening",
            "twice a day",
        )
    )


def length(rng: Random) -> str:
    """A length, height or depth."""
    number = rng.choice(
        (
            str(rng.randint(2, 300)),
            f"{rng.randint(1, 40)}.{rng.randint(1, 9)}",
            rng.choice(NUMBER_WORDS),
        )
    )
    return f"{number} {rng.choice(('metres', 'metres', 'feet', 'm', 'yards', 'centimetres'))}"


def distance(rng: Random) -> str:
    """A way to go."""
    number = rng.choice(
        (
            str(rng.randint(2, 90)),
            f"{rng.randint(1, 20)}.{rng.randint(1, 9)}",
            rng.choice(NUMBER_WORDS),
        )
    )
    return rng.choice(
        (
            f"{number} kilometres",
            f"{number} km",
            f"{number} miles",
            f"{rng.randint(2, 99)}0 metres",
            f"{rng.choice(NUMBER_WORDS)} minutes on foot",
        )
    )


def weight(rng: Random) -> str:
    """A mass."""
    number = rng.choice((rng.randint(2, 60), rng.randint(1, 40) * 50))
    return f"{number} {rng.choice(('kilograms', 'kg', 'tonnes', 'pounds'))}"


def temperature(rng: Random) -> str:
    """A temperature."""
    return f"{rng.randint(2, 39)} {rng.choice(('degrees', 'degrees Celsius', '°C', 'degrees'))}"


def percentage(rng: Random) -> str:
    """A share in hundredths."""
    number = rng.choice((5, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 80, rng.randint(2, 97)))
    return f"{number}{rng.choice(('%', ' percent', ' per cent'))}"


def speed(rng: Random) -> str:
    """A speed limit."""
    return rng.choice(
        (
            f"{rng.randint(1, 12) * 5} km/h",
            f"{rng.randint(1, 8) * 5} kilometres an hour",
            "walking pace",
            f"{rng.randint(1, 6) * 5} miles an hour",
            f"{rng.choice(NUMBER_WORDS)} knots",
        )
    )


def age(rng: Random) -> str:
    """An age in years."""
    return str(rng.randint(3, 65))


def extension(rng: Random) -> str:
    """The extension of a telephone."""
    return str(rng.randint(10, 9999))


def phone(rng: Random) -> str:
    """A telephone number."""
    return f"0{rng.randint(10, 99)} {rng.randint(100, 999)} {rng.randint(100, 9999)}"


def floor(rng: Random) -> str:
    """The number of a storey, as an adjective."""
    return rng.choice(ORDINALS[:6])


def month(rng: Random) -> str:
    """A month."""
    return rng.choice(MONTHS)


def weekday(rng: Random) -> str:
    """A day of the week."""
    return rng.choice(WEEKDAYS)
