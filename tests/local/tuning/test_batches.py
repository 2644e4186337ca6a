import torch

from ragtune.prompts.base import IGNORED
from ragtune.tuning.batches import collate, epoch_steps, micro_batches
from ragtune.tuning.samples import Sample


def test_each_epoch_has_its_own_order_of_whole_batches() -> None:
    first = epoch_steps(10, 4, seed=1, epoch=0)
    assert [len(step) for step in first] == [4, 4]
    assert len({n for step in first for n in step}) == 8
    assert epoch_steps(10, 4, seed=1, epoch=0) == first
    assert epoch_steps(10, 4, seed=1, epoch=1) != first


def test_the_longest_micro_batch_comes_first() -> None:
    samples = [Sample([0] * n, [0] * n) for n in (3, 9, 5, 7, 1)]
    assert [[len(s.ids) for s in m] for m in micro_batches(samples, 2)] == [[9, 7], [5, 3], [1]]


def test_samples_lie_end_to_end_and_none_predicts_the_next() -> None:
    batch = collate([Sample([1, 2, 3], [IGNORED, 2, 3]), Sample([4, 5], [4, 5])])
    assert batch.ids.tolist() == [[1, 2, 3, 4, 5]]
    assert batch.positions.tolist() == [[0, 1, 2, 0, 1]]
    assert batch.segments == (3, 2)
    assert batch.places.tolist() == [0, 1, 3]
    assert batch.targets.tolist() == [2, 3, 5]


def test_a_packed_sample_is_several_segments() -> None:
    batch = collate([Sample([1, 2, 3, 4], [1, 2, 3, 4], segments=(2, 2))])
    assert batch.positions.tolist() == [[0, 1, 0, 1]]
    assert batch.targets.tolist() == [2, 4]
    assert torch.equal(batch.ids[0, batch.places + 1], batch.targets)


def test_padded_each_part_is_a_row_and_the_mask_says_where_it_ends() -> None:
    samples = [Sample([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], segments=(3, 2)), Sample([6], [6])]
    batch = collate(samples, segments=False)
    assert batch.ids.tolist() == [[1, 2, 3], [4, 5, 0], [6, 0, 0]]
    assert batch.mask is not None
    assert batch.mask.tolist() == [[1, 1, 1], [1, 1, 0], [1, 0, 0]]
    assert batch.positions.tolist() == [[0, 1, 2]] * 3
    assert batch.segments == ()
    assert batch.places.tolist() == [0, 1, 3]
    assert batch.targets.tolist() == collate(samples).targets.tolist() == [2, 3, 5]


def test_nothing_padded_needs_no_mask() -> None:
    assert collate([Sample([1, 2], [1, 2]), Sample([3, 4], [3, 4])], segments=False).mask is None
