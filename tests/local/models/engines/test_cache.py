import random

import torch
from transformers.cache_utils import DynamicLayer

from ragtune.models.engines.cache import ROOM, RoomyLayer, roomy


def test_a_roomy_layer_holds_what_a_plain_one_holds() -> None:
    chance, plain, ours = random.Random(0), DynamicLayer(), RoomyLayer()
    rows = 3
    for _ in range(60):
        tokens = chance.choice([1, 1, 1, 5, ROOM])
        keys, values = torch.randn(rows, 2, tokens, 4), torch.randn(rows, 2, tokens, 6)
        for there, wanted in zip(
            ours.update(keys, values), plain.update(keys, values), strict=True
        ):
            assert torch.equal(there, wanted)
        assert ours.get_seq_length() == plain.get_seq_length()
        if chance.random() < 0.3:
            chosen = torch.tensor([chance.randrange(rows) for _ in range(chance.randint(1, 4))])
            plain.batch_select_indices(chosen)
            ours.batch_select_indices(chosen)
            rows = len(chosen)


def test_an_empty_layer_can_be_chosen_from() -> None:
    layer = RoomyLayer()
    layer.batch_select_indices(torch.tensor([0]))
    assert layer.get_seq_length() == 0


def test_layers_that_a_model_does_not_name_are_roomy_too() -> None:
    cache = roomy()
    cache.update(torch.randn(1, 1, 2, 4), torch.randn(1, 1, 2, 4), 1)
    assert [type(layer) for layer in cache.layers] == [RoomyLayer, RoomyLayer]
