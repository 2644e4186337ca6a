import lzma
from itertools import pairwise
from random import Random

import pytest

from scripts.pretrain.corpus import PROSE, Corpus, clean, cut, sentences
from scripts.pretrain.questions import DATE, ask_all, spans
from scripts.pretrain.reading import (
    country_task,
    paragraph_task,
    passages_task,
    summary_task,
)
from scripts.pretrain.samples import REFUSAL

PARAGRAPH = (
    "Ottilie Brandmoor (born 4 May 1871) was a painter of birds from the north. She moved to "
    "Velden in 1902 and was joined there by Karl Anders. Her house was bought by the town of "
    "Velden in 1950. It has 14 rooms and a garden with old trees, and it is open in summer."
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Three tiny files in the form of the real ones."""
    folder = tmp_path_factory.mktemp("text")
    for number, name in enumerate(PROSE):
        articles = [
            f"Painter {number}{turn}\n{PARAGRAPH.replace('1902', str(1900 + turn))}\n"
            for turn in range(5)
        ]
        (folder / name).write_bytes(lzma.compress("\n".join(articles).encode()))
    keys = ["Location: in the far north", "Climate: cold", "Government type: monarchy"]
    keys += [
        "name: Velden",
        "Terrain: hills",
        "Languages: Norse",
        "Religions: none",
        "Exports: fish",
    ]
    keys += ["Imports: grain", "Coastline: 12 km"]
    (folder / "worldfactbook.txt.xz").write_bytes(
        lzma.compress(("\n".join(["Norland", *keys]) + "\n").encode())
    )
    return Corpus(folder)


def test_leftovers_of_the_wiki_are_cleaned() -> None:
    assert clean("Anna ( ; born 1902) , a painter ()") == "Anna (born 1902), a painter"


def test_sentences_and_cuts_are_parts_of_the_paragraph() -> None:
    assert len(sentences(PARAGRAPH)) == 4
    for seed in range(20):
        chosen = cut(PARAGRAPH, Random(seed), 10, 40)
        assert not chosen or " ".join(chosen) in PARAGRAPH


def test_spans_do_not_overlap() -> None:
    for sentence in sentences(PARAGRAPH):
        found = sorted((span.start, span.end) for span in spans(sentence))
        assert all(left[1] <= right[0] for left, right in pairwise(found))


def test_questions_are_answered_by_the_sentences() -> None:
    asked = {
        question.text: question.answer
        for seed in range(60)
        for question in ask_all(sentences(PARAGRAPH), "Ottilie Brandmoor", Random(seed), 6, 0.2)
    }
    assert all(answer in PARAGRAPH for answer in asked.values())
    assert asked["When was Ottilie Brandmoor born?"] == "4 May 1871"
    assert any(text.startswith("When did Ottilie Brandmoor move") for text in asked)
    assert any("_" in text or "..." in text or "[blank]" in text for text in asked)


def test_tasks_hold_their_answers(corpus: Corpus) -> None:
    made = 0
    for seed in range(40):
        rng = Random(seed)
        tasks = [
            paragraph_task(corpus, rng, 10, 60, 6, 0.3),
            passages_task(corpus, rng, 3, 0.2, 1.0),
            country_task(corpus, rng, open_book=True),
            summary_task(corpus, rng),
        ]
        for task in tasks:
            if task is None:
                continue
            made += 1
            context = "\n".join((*task.passages, task.own))
            for question in task.questions:
                assert question.answer == REFUSAL or question.answer in context
    assert made > 60


def test_a_question_about_another_date_is_refused(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.pretrain.reading.MISTAKEN", 1.0)
    dated = [
        (date.group(), question.answer, "\n".join(task.passages))
        for seed in range(100)
        if (task := passages_task(corpus, Random(seed), 1, 0.0, 0.0))
        for question in task.questions
        if (date := DATE.search(question.text))
    ]
    assert any(date not in text for date, _, text in dated)
    assert all(answer == REFUSAL for date, answer, text in dated if date not in text)


def test_the_capital_is_asked_for_by_heart(corpus: Corpus) -> None:
    tasks = [country_task(corpus, Random(seed), open_book=False) for seed in range(10)]
    asked = {
        question.text: question.answer for task in tasks if task for question in task.questions
    }
    assert all(not task.passages for task in tasks if task)
    assert "Velden" in asked.values()
