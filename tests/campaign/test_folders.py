"""A small share of the campaign of model folders."""

from scripts.campaign.folders import campaign


def test_changed_model_folders_are_refused_in_one_line() -> None:
    tally = campaign(8, seed=7)
    assert tally.tried == 8
    assert not tally.failures
