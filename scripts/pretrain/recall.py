"""Lists of words to repeat and pairs to look up: where copying is learned first.

A small model left to reading tasks alone takes millions of tokens until it copies from its context
at all. Here every target stands in the context and nothing else has to be understood.
"""

from __future__ import annotations

from random import Random

from .corpus import Corpus
from .names import product, stem, surname, town
from .samples import Piece, Question, Sample, Task

PAIRS = (
    "{k}: {v}\n",
    "{k} = {v}\n",
    "{k} is {v}. ",
    "The {k} is {v}. ",
    "{k} -> {v}\n",
    "{k}, {v}; ",
)
STATEMENTS = (
    "{k} is {v}.",
    "{k} has {v}.",
    "{k}: {v}.",
    "{v} is for {k}.",
    "{v} belongs to {k}.",
    "For {k} there is {v}.",
    "With {k} goes {v}.",
    "The {k} came from {v}.",
    "{v} was given to {k}.",
    "In {v} stands {k}.",
)
ASKED = (
    "What about {k}?",
    "And {k}?",
    "What goes with {k}?",
    "Which one has to do with {k}?",
    "Tell me of {k}.",
    "{k}: what is it?",
    "Please look up {k} for me.",
    "I want to know what {k} has.",
    "Is there something on {k}?",
    "Name what belongs to {k}.",
)
"""Ways to ask for a key that do not tell how it was stated."""
NAMES = (stem, surname, town, product)


def random_words(corpus: Corpus, rng: Random, count: int) -> list[str]:
    """Words of natural text in no order, and some made-up names."""
    words: list[str] = []
    while len(words) < count:
        prose = rng.choice(corpus.readable).prose()[0].split()
        words += rng.sample(prose, min(len(prose), 12))
        words += [rng.choice(NAMES)(rng) for _ in range(rng.randint(0, 6))]
    rng.shuffle(words)
    return words[:count]


def repeated(corpus: Corpus, rng: Random) -> Sample:
    """Some words, and the same words again, once or several times."""
    words = " ".join(random_words(corpus, rng, rng.randint(6, 40)))
    again = [Piece(f"\n{words}", "text") for _ in range(rng.randint(1, 4))]
    return [Piece(words, "prompt"), *again]


def looked_up(corpus: Corpus, rng: Random) -> Sample:
    """Pairs of a key and a value, then the keys in another order, each to be answered."""
    count = rng.randint(3, 10)
    words = random_words(corpus, rng, count * 5)
    pairs: dict[str, str] = {}
    for _ in range(count):
        key = " ".join(words.pop() for _ in range(rng.randint(1, 2)))
        pairs[key] = " ".join(words.pop() for _ in range(rng.randint(1, 3)))
    form = rng.choice(PAIRS)
    listed = "".join(form.format(k=key, v=value) for key, value in pairs.items())
    sample: Sample = [Piece(listed.strip() + "\n\n", "prompt")]
    before, after = form[: form.index("{v}")].rstrip(), form[form.index("{v}") + 3 :]
    for key in rng.sample(list(pairs), len(pairs)):
        sample.append(Piece(before.format(k=key), "prompt"))
        sample.append(Piece(pairs[key] + after.rstrip(" "), "answer"))
    return sample


def asked_about(corpus: Corpus, rng: Random) -> Task:
    """Statements that pair words without sense, and a question that holds the words of a key.

    The key stands anywhere in the question, now and then with its words in another order: what
    has to be found is where these words stood, and what was said there beside them.
    """
    words = random_words(corpus, rng, 60)
    statements, questions = [], []
    for _ in range(rng.randint(2, 6)):
        key = [words.pop() for _ in range(rng.randint(1, 3))]
        value = " ".join(words.pop() for _ in range(rng.randint(1, 3)))
        statements.append(rng.choice(STATEMENTS).format(k=" ".join(key), v=value))
        if rng.random() < 0.3:
            rng.shuffle(key)
        questions.append(Question(rng.choice(ASKED).format(k=" ".join(key)), value))
    rng.shuffle(questions)
    return Task(questions, (" ".join(statements),))


def recall_sample(corpus: Corpus, rng: Random) -> Sample:
    """One of the two."""
    return repeated(corpus, rng) if rng.random() < 0.4 else looked_up(corpus, rng)
