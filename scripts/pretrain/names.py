"""Made-up names of people, places, products and codes.

Each maker takes a `random.Random` and returns one name. Names are put together from syllables, so
that a reader of the passage cannot have met them: the answer must come from the passage.
"""

from __future__ import annotations

from random import Random

from .wordlists import words

CODAS = (*words("codas"), *[""] * 10)
"""An open syllable is likely."""
LANGUAGES = words("languages")
TOWN_PREFIXES = words("town_prefixes")
HALL_KINDS = words("hall_kinds")
FORM_LETTERS = "ABCDEFGHKLMPRSTW"
REGION_KINDS = words("region_kinds")
ONSETS = words("onsets")
NUCLEI = words("nuclei")
GIVEN_ENDINGS = words("given_endings")
SURNAME_ENDINGS = words("surname_endings")
PLACE_ENDINGS = words("place_endings")
PRODUCT_ENDINGS = words("product_endings")
COMMON_GIVEN = words("common_given")
COMMON_SURNAMES = words("common_surnames")
STREET_TYPES = words("street_types")
COMMON_STREETS = words("common_streets")


def syllable(rng: Random) -> str:
    """One syllable in lower case."""
    return rng.choice(ONSETS) + rng.choice(NUCLEI) + rng.choice(CODAS)


def stem(rng: Random, most: int = 2) -> str:
    """One to `most` syllables, capitalised."""
    return "".join(syllable(rng) for _ in range(rng.randint(1, most))).capitalize()


def given_name(rng: Random) -> str:
    """A first name: a common one in half of the cases."""
    return (
        rng.choice(COMMON_GIVEN) if rng.random() < 0.5 else stem(rng, 1) + rng.choice(GIVEN_ENDINGS)
    )


def surname(rng: Random) -> str:
    """A family name: a common one in a third of the cases."""
    return (
        rng.choice(COMMON_SURNAMES)
        if rng.random() < 0.33
        else stem(rng, 1) + rng.choice(SURNAME_ENDINGS)
    )


def person(rng: Random) -> str:
    """A full name, sometimes with a title or an initial."""
    first, last, draw = given_name(rng), surname(rng), rng.random()
    if draw < 0.12:
        return f"{rng.choice(('Dr', 'Ms', 'Mr', 'Mrs', 'Professor', 'Captain', 'Sister'))} {last}"
    if draw < 0.18:
        return f"Dr {first} {last}"
    if draw < 0.24:
        return f"{first} {rng.choice('ABCDEFGHJKLMNPRSTVW')}. {last}"
    return f"{first} {last}"


def town(rng: Random) -> str:
    """The name of a town."""
    name = stem(rng, 1) + rng.choice(PLACE_ENDINGS)
    draw = rng.random()
    if draw < 0.06:
        return f"{rng.choice(TOWN_PREFIXES)} {name}"
    return f"{name} on {stem(rng, 1)}" if draw < 0.08 else name


def street(rng: Random) -> str:
    """The name of a street."""
    first = rng.choice(COMMON_STREETS) if rng.random() < 0.5 else stem(rng)
    return f"{first} {rng.choice(STREET_TYPES)}"


def product(rng: Random) -> str:
    """A brand or software name."""
    name = stem(rng, 1) + rng.choice(PRODUCT_ENDINGS)
    return f"{name} {rng.randint(2, 900)}" if rng.random() < 0.15 else name


def code(rng: Random) -> str:
    """A door code, password, reference or model number."""
    letters = "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(rng.randint(1, 3)))
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(2, 5)))
    return rng.choice(
        (
            f"{letters}{digits}",
            f"{letters}-{digits}",
            digits,
            f"{digits}{letters}",
            stem(rng) + digits,
        )
    )


def email(rng: Random) -> str:
    """An e-mail address in a reserved domain."""
    who = rng.choice((stem(rng, 1), given_name(rng), "info", "desk", "office", "help"))
    return f"{who.lower()}@{stem(rng).lower()}.example"


def room(rng: Random) -> str:
    """A room or cabinet number."""
    return rng.choice(
        (
            str(rng.randint(1, 420)),
            f"{rng.choice('ABCDEFGHK')}{rng.randint(1, 40)}",
            f"{rng.randint(0, 9)}.{rng.randint(1, 30)}",
        )
    )


def named_hall(rng: Random) -> str:
    """A hall named after somebody or something."""
    return f"the {rng.choice((surname(rng), stem(rng)))} {rng.choice(HALL_KINDS)}"


def form_code(rng: Random) -> str:
    """The number of a form."""
    return rng.choice(
        (
            f"{rng.choice(FORM_LETTERS)}{rng.randint(1, 99)}",
            str(rng.randint(2, 300)),
            f"{rng.choice(FORM_LETTERS)}{rng.choice(FORM_LETTERS)}-{rng.randint(1, 40)}",
        )
    )


def language(rng: Random) -> str:
    """A real language."""
    return rng.choice(LANGUAGES)


def region(rng: Random) -> str:
    """A valley, a coast, a province, ..."""
    return f"the {stem(rng)} {rng.choice(REGION_KINDS)}"


def address(rng: Random) -> str:
    """A house number and its street."""
    return f"{rng.randint(1, 240)} {street(rng)}"
