import torch

from ragtune.prompts.base import IGNORED
from ragtune.tuning.direct.tree import CHUNK, FINE, TOGETHER, Row, rows_of, tree
from ragtune.tuning.samples import Sample


def row(*ids: int, prompt: int = 2) -> Row:
    return Row([*ids], [IGNORED] * prompt + [*ids[prompt:]])


def seen(rows: list[Row], *, shared: bool) -> list[list[int]]:
    """The tokens that each row's predicting tokens see, their own included, in order."""
    laid = tree(rows, torch.float32, shared=shared)
    found = {}
    for piece in laid.pieces:
        keys = torch.arange(len(laid.ids))[piece.keys]
        for line, place in zip(
            piece.mask, range(piece.queries.start, piece.queries.stop), strict=True
        ):
            assert torch.isfinite(line.softmax(0)).all()
            looked = keys[line == 0]
            assert laid.positions[looked].tolist() == [*range(len(looked))]
            found[place] = laid.ids[looked].tolist()
    return [
        [*found[place], target]
        for place, target in zip(
            laid.predicting[laid.places].tolist(), laid.targets.tolist(), strict=True
        )
    ]


def test_what_rows_begin_with_is_there_once_and_each_sees_its_own_alone() -> None:
    rows = [row(1, 2, 3, 4), row(1, 2, 5), row(9, 2, 5, 6), row(1, 2, 3, 7), row(1, 2, 3, 4)]
    laid = tree(rows, torch.float32, shared=True)
    assert len(laid.ids) == 8  # 6 of them rows'
    assert len(tree(rows, torch.float32, shared=False).ids) == 16  # 14 of them
    expected = sorted([*r.ids[:end]] for r in rows for end in range(3, len(r.ids) + 1))
    assert sorted(seen(rows, shared=True)) == expected
    assert sorted(seen(rows, shared=False)) == expected


def test_tokens_that_predict_nothing_at_a_rows_end_are_not_read() -> None:
    ids = [*range(1, 13)]
    labels = [IGNORED] * 3 + ids[3:6] + [IGNORED] * 6
    laid = tree([Row(ids, labels)], torch.float32, shared=True)
    assert laid.ids.tolist() == [1, 2, 3, 4, 5, 1, 1, 1]
    assert laid.predicting.tolist() == [2, 3, 4, 2]
    assert laid.places.tolist() == [0, 1, 2]
    assert laid.targets.tolist() == [4, 5, 6]


def test_long_rows_attend_in_chunks_and_short_ones_together() -> None:
    long = row(*range(1, CHUNK + 40))
    short = [row(1, 2, n, n) for n in range(TOGETHER)]
    laid = tree([long, *short], torch.float32, shared=True)
    widths = [piece.queries.stop - piece.queries.start for piece in laid.pieces]
    assert max(widths) == CHUNK
    assert sum(widths) == len(laid.ids)
    assert not len(laid.ids) % FINE
    assert len(widths) < 6
    expected = sorted([*r.ids[:end]] for r in (long, *short) for end in range(3, len(r.ids) + 1))
    assert sorted(seen([long, *short], shared=True)) == expected


def test_parts_of_a_sample_are_rows_and_their_first_tokens_are_not_predicted() -> None:
    packed = Sample([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], (2, 3))
    assert [r.ids for r in rows_of([packed])] == [[1, 2], [3, 4, 5]]
    laid = tree(rows_of([packed]), torch.float32, shared=True)
    assert laid.targets.tolist() == [2, 4, 5]


def test_rows_of_which_nothing_is_supervised_are_no_fault() -> None:
    laid = tree([Row([4, 5], [IGNORED, IGNORED])], torch.float32, shared=True)
    assert len(laid.places) == 0
