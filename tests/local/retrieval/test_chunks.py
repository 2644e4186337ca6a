"""Chunks of tables and of text without spaces, with words as tokens."""

from typing import Any

import pytest

from ragtune.core.errors import DocumentsError
from ragtune.recipe.rag import Rag
from ragtune.retrieval.chunks import BYTES, Chunker
from ragtune.sources.readers import Document, Table
from tests.local.retrieval.killing import Words

WORDS: Any = Words()
SMALL = Rag(chunk_tokens=32)


def texts(document: Document, rag: Rag = SMALL, **more: Any) -> list[str]:
    return [node.text for node in Chunker(rag, WORDS, **more).split([document])]


def with_table(rows: int, before: str = "", after: str = "", caption: str = "") -> Document:
    lines = "\n".join(f"room: R{n} | beds: {n} | price in crowns: {n * 9}" for n in range(rows))
    table = Table(len(before), len(before) + len(lines), caption)
    return Document("a.md", before + lines + after, "Inn", tables=(table,))


def test_rows_stay_whole_below_their_caption() -> None:
    found = texts(with_table(20, "Before it.\n\n", "\n\nAfter it.", "Rooms\nMay"))
    assert found[0] == "Before it."
    assert found[-1] == "After it."
    rows = [line for text in found[1:-1] for line in text.removeprefix("Rooms\nMay\n").split("\n")]
    assert rows == with_table(20).text.split("\n")
    assert all(text.startswith("Rooms\nMay\n") for text in found[1:-1])
    assert max(len(text.split()) for text in found) <= 30 - 1


def test_a_table_that_fits_stays_with_the_text_around_it() -> None:
    document = with_table(2, "# Rooms\n\nAll have a view.\n\n", "\n\nAsk.", "Rooms")
    assert texts(document) == [document.text]


def test_chunks_of_a_table_know_their_place() -> None:
    document = with_table(20, "Before it.\n\n", caption="Rooms")
    headings = ((0, "First"), (document.text.index("room: R9 "), "Later"))
    document = Document("a.md", document.text, headings=headings, tables=document.tables)
    nodes = Chunker(SMALL, WORDS).split([document])
    places = [node.metadata["locator"] for node in nodes]
    assert places == sorted(places)
    assert {*places} == {"First", "Later"}
    starts = [node.start_char_idx for node in nodes]
    assert starts == sorted(starts)
    assert len({node.id_ for node in nodes}) == len(nodes)


def test_a_row_longer_than_a_chunk_is_cut_between_cells_and_keeps_its_first_one() -> None:
    cells = [f"note {n}: {'word ' * 7}end{n}" for n in range(6)]
    answer = "answer: " + " ".join(f"w{n}" for n in range(90))
    line = " | ".join(["room: Heron", *cells, answer])
    document = Document("a.csv", line, tables=(Table(0, len(line)),))
    found = texts(document)
    assert all(text.startswith("room: Heron | ") for text in found)
    assert all(sum(f"end{n}" in text for text in found) == 1 for n in range(6))
    long = [text for text in found if "answer: " in text]
    assert {word for text in long for word in text.split() if word.startswith("w")} >= {"w0", "w89"}
    assert max(len(text.split()) for text in found) <= 30


@pytest.mark.parametrize("letters", ["x", "ก็", "👩🏽‍🚀", "語", "é"])
def test_text_without_spaces_is_bounded_and_nothing_is_lost(letters: str) -> None:
    text = letters * 3000
    found = texts(Document("a.txt", text), Rag(chunk_tokens=32, chunk_overlap=0))
    assert "".join(found) == text
    assert max(len(chunk.encode()) for chunk in found) <= BYTES * 32
    assert all(chunk.startswith(letters) for chunk in found)


def test_a_long_word_among_others_is_cut_and_they_are_not() -> None:
    text = "The lamp lasts. " * 20 + "z" * 2000 + " The tray is blue. " * 20
    found = texts(Document("a.txt", text))
    assert max(map(len, found)) <= BYTES * 32
    assert sum(text.count("z") for text in found) >= 2000
    assert sum("The tray is blue." in text for text in found) > 1


def test_sentences_can_be_found_by_another_rule() -> None:
    text = "一二三。四五六。" * 40

    def rule(text: str) -> list[str]:
        return [f"{part}。" for part in text.split("。") if part]

    found = texts(Document("a.txt", text), Rag(chunk_tokens=32, chunk_overlap=0), sentences=rule)
    assert "".join(found) == text
    assert all(chunk.endswith("。") for chunk in found)


def test_what_cannot_be_split_is_named() -> None:
    class Letters(Words):
        def tokens(self, text: str) -> list[int]:
            return [0] * (99 * len(text))

    letters: Any = Letters()
    with pytest.raises(DocumentsError, match=r"cannot be split: .*raise rag\.chunk_tokens"):
        Chunker(SMALL, letters).split([Document("a.txt", "語語")])


@pytest.mark.parametrize("document", [Document("a.md", "Some words."), with_table(2)])
def test_nothing_is_held_of_documents_that_were_split(document: Document) -> None:
    chunker = Chunker(SMALL, WORDS)
    held = []
    for _ in range(2):
        for _ in range(20):
            chunker.split([document])
        traced = chunker._splitter.callback_manager._trace_map
        held.append(sum(map(len, traced.values())))
    assert held[0] == held[1]
