from ragtune.arms.attribution import support

PASSAGES = ["The ferry Petrel leaves Applewick at 6:30.", "Soup costs 3 crowns in the canteen."]


def test_a_sentence_is_supported_by_the_passage_that_holds_its_words_and_numbers() -> None:
    first, second = support("The soup is 3 crowns. The Petrel left at 6:30!", PASSAGES)
    assert (first["source"], first["share"], first["supported"]) == (2, 1.0, True)
    assert (second["sentence"], second["source"]) == ("The Petrel left at 6:30!", 1)


def test_another_number_or_other_words_are_not_supported() -> None:
    (figure,) = support("In the canteen soup costs 4 crowns.", PASSAGES)
    assert figure["source"] == 2
    assert not figure["supported"]
    (words,) = support("Dogs travel free.", PASSAGES)
    assert words == {
        "sentence": "Dogs travel free.",
        "share": 0.0,
        "source": None,
        "supported": False,
    }


def test_words_of_two_passages_together_support_nothing() -> None:
    (mixed,) = support("The Petrel leaves with soup from the canteen.", PASSAGES)
    assert not mixed["supported"]
    assert support("It is the.", PASSAGES) == []
    assert support("Soup costs 3 crowns.", [])[0]["supported"] is False
