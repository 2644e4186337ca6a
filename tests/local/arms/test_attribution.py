from ragtune.arms.attribution import marks, support

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


def test_numbers_are_compared_by_what_they_say() -> None:
    (word,) = support("Soup costs three crowns.", PASSAGES)
    assert (word["share"], word["supported"]) == (1.0, True)
    (clock,) = support("The Petrel leaves Applewick at half past six.", PASSAGES)
    assert clock["supported"]
    (point,) = support("The dose is 15 mg.", ["The dose is 1.5 mg."])
    assert not point["supported"]


def test_scripts_without_spaces_have_words_and_sentences() -> None:
    first, second = support(
        "食堂七点半开门。水箱用塑料做的。", ["食堂早上七点半开门", "水箱用不锈钢做的"]
    )
    assert (first["source"], first["supported"]) == (1, True)
    assert (second["source"], second["supported"]) == (2, False)


def test_the_words_and_values_of_a_sentence_are_found_where_a_passage_holds_them() -> None:
    passage = (
        "A seasonal worker earns two days of leave a month, since 3 March 2024; rent is 1,200 €."
    )

    def marked(sentence: str) -> list[str]:
        return [passage[start:end] for start, end in marks(sentence, passage)]

    assert marked("Workers earn 2 days a month.") == ["worker", "earns", "two", "month"]
    assert marked("It began on 2024-03-03 at 1200 euros.") == ["3", "March", "2024", "1,200"]
    assert marked("Nobody knows.") == []
    chinese = "每年有二十天的假期。"
    assert "二十" in [chinese[start:end] for start, end in marks("假期是20天", chinese)]
