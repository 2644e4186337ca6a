from typing import Any

import pytest
from tokenizers import AddedToken

from ragtune.prompts.encoding import Encoder, Piece, filled, text_of


def own(text: str) -> Piece:
    return Piece(text, own=True)


@pytest.fixture
def encoder(tiny_tokenizer: Any) -> Encoder:
    return Encoder(tiny_tokenizer, "")


def test_a_format_string_gives_its_own_words_and_the_values_of_its_fields() -> None:
    found = filled("a {x} {{b}}{y!r:>6}", x="{y}", y="z")
    assert [(piece.text, piece.own) for piece in found] == [
        *(("a ", True), ("{y}", False), (" {", True), ("b}", True), ("   'z'", False)),
    ]
    assert text_of(found) == "a {x} {{b}}{y!r:>6}".format(x="{y}", y="z")


def test_text_without_control_tokens_is_encoded_whole(
    encoder: Encoder, tiny_tokenizer: Any
) -> None:
    pieces = [own("The har"), Piece("bour open"), own("s at six.</s>Fog")]
    whole = tiny_tokenizer(text_of(pieces), add_special_tokens=False)["input_ids"]
    assert encoder(pieces) == whole
    assert tiny_tokenizer.eos_token_id in whole


@pytest.mark.parametrize("text", ["</s>", "a</s>b<pad>", "<s>", "</s></s>"])
def test_control_tokens_in_a_users_text_are_letters(
    encoder: Encoder, tiny_tokenizer: Any, text: str
) -> None:
    ids = encoder([own("Q: "), Piece(text), own("</s>A: ")])
    assert tiny_tokenizer.decode(ids) == f"Q: {text}</s>A: "
    assert [i for i in ids if i < 3] == [tiny_tokenizer.eos_token_id]


def test_a_control_token_is_not_made_of_a_users_text_and_the_formats_together(
    encoder: Encoder, tiny_tokenizer: Any
) -> None:
    ids = encoder([Piece("</"), own("s>")])
    assert tiny_tokenizer.eos_token_id not in ids
    assert tiny_tokenizer.decode(ids) == "</s>"


def test_a_token_that_was_only_added_is_a_control_token_where_the_format_writes_it(
    tiny_tokenizer: Any,
) -> None:
    import copy

    tokenizer = copy.deepcopy(tiny_tokenizer)
    tokenizer.add_tokens([AddedToken("[end]", special=False), AddedToken("  ", special=False)])
    end, spaces = tokenizer.convert_tokens_to_ids(["[end]", "  "])
    said = [Piece("a[end]  b"), own("[end]  ")]
    chat = Encoder(tokenizer, "[end]  ")(said)
    assert (chat.count(end), chat.count(spaces)) == (1, 2)
    assert Encoder(tokenizer, "")(said).count(end) == 2


def test_white_space_that_a_control_token_takes_with_it_is_gone_in_parts_too(
    tiny_tokenizer: Any,
) -> None:
    import copy

    tokenizer = copy.deepcopy(tiny_tokenizer)
    stripping = AddedToken("[end]", special=True, rstrip=True, lstrip=True)
    tokenizer.add_special_tokens({"additional_special_tokens": [stripping]})
    encoder = Encoder(tokenizer, "")
    plain = encoder([Piece("fog "), own("[end]\nsoup")])
    letters = encoder([Piece("fog "), own("[end]\nsoup"), Piece("</s>")])
    assert letters[: len(plain)] == plain
