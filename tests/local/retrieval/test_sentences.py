"""Sentences of scripts that mark their ends in other ways."""

from typing import Any

import pytest
from llama_index.core.node_parser.text.utils import split_by_sentence_tokenizer

from ragtune.recipe.rag import Rag
from ragtune.retrieval.chunks import Chunker
from ragtune.retrieval.sentences import LONGEST, sentences
from ragtune.sources.readers import Document

split = sentences()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("船七点开。狗免费！真的？是。", ["船七点开。", "狗免费！", "真的？", "是。"]),
        ("他说：“好的。”然后走了。", ["他说：“好的。”", "然后走了。"]),
        ("「はい。」と言う。次です。", ["「はい。」", "と言う。", "次です。"]),
        ("यह नाव है। वह घर है।", ["यह नाव है।", " वह घर है।"]),
        ("等等……真的吗？！好。", ["等等……真的吗？！", "好。"]),
        ("บ้านพักบนภูเขา มีที่นอน", ["บ้านพักบนภูเขา", " มีที่นอน"]),
    ],
)
def test_sentences_end_at_the_marks_of_their_script(text: str, pieces: list[str]) -> None:
    assert split(text) == pieces


@pytest.mark.parametrize(
    "text",
    [
        "The boat leaves at seven. Dogs travel free! Is it so?",
        "Dr. Weiß said: “No.” Then he left… for 3.5 hours.",
        "Le bateau part à sept heures. C’est vrai\u00a0?",
    ],
)
def test_other_texts_are_split_as_before(text: str) -> None:
    assert split(text) == split_by_sentence_tokenizer()(text)


def test_unmarked_text_is_cut_by_length_and_not_inside_a_syllable() -> None:
    text = "กำ้น้ำ" * 80
    pieces = split(text)
    assert "".join(pieces) == text
    assert all(len(piece) <= LONGEST + 2 for piece in pieces)
    assert not any(piece[0] in "้ำ" and piece[0] == "้" for piece in pieces)


def test_chunks_of_chinese_end_with_a_sentence() -> None:
    class Characters:
        """Every character is a token."""

        def tokens(self, text: str) -> list[int]:
            return [0] * len(text)

    embedder: Any = Characters()
    text = "".join(f"第{n}条规定员工可以借用自行车两天。" for n in range(30))
    nodes = Chunker(Rag(chunk_tokens=64), embedder).split([Document("a.md", text)])
    assert len(nodes) > 5
    assert all(node.text.endswith("。") and node.text.startswith("第") for node in nodes)
