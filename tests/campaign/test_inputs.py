"""A small share of the campaign of mutated inputs."""

from scripts.campaign.inputs import campaign


def test_mutated_inputs_give_the_right_result_or_one_clear_line() -> None:
    tally = campaign(30, seed=7)
    assert tally.tried == 31
    assert not tally.failures
