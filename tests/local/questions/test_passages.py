from ragtune.questions.passages import TOGETHER, Sentence, passages


def sentences(count: int, heading: str = "") -> list[Sentence]:
    return [
        Sentence(f"The lamp number {n} hangs in the hall.", "a.md", "Lamps", heading, n)
        for n in range(count)
    ]


def test_neighbours_have_one_passage_with_all_of_them() -> None:
    found = passages(sentences(4))
    assert {one.text for one in found} == {" ".join(s.text for s in sentences(4))}


def test_long_sections_are_divided_evenly_and_headings_part_passages() -> None:
    found = passages([*sentences(TOGETHER + 1, "a"), *sentences(2, "b")])
    sizes = [one.text.count("hangs") for one in found]
    assert sizes == [3, 3, 3, 4, 4, 4, 4, 2, 2]
    assert all(one.sentence.text in one.text for one in found)
