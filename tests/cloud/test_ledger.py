import datetime
import threading
from pathlib import Path

import pytest

from ragtune.core.errors import CloudError
from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.ledger import Entry, Ledger, clean_up
from tests.cloud.made_up import Ear

SOON = datetime.datetime(2030, 1, 1, 12, tzinfo=datetime.UTC)
LONG_AGO = datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.UTC)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run folder in which nothing is."""
    return RunFolder(tmp_path / "run")


def filled(run: RunFolder) -> Ledger:
    ledger = Ledger(run)
    for name in ("one", "two"):
        for kind in ("model", "endpoint-config", "endpoint"):
            ledger.add(kind, name, "us-east-1", 1.515 if kind == "endpoint" else None, SOON)
    return ledger


def test_what_is_noted_is_found_by_another_process_until_it_is_struck_out(run: RunFolder) -> None:
    assert Ledger(run).open() == []
    assert not CloudFolder(run).path.exists()
    Ledger(run).add("endpoint", "one", "us-east-1", 1.515, SOON)
    Ledger(run).add("imported-model", "two", "eu-central-1")
    first, second = Ledger(run).open()
    assert (first.hourly_usd, first.delete_by) == (1.515, "2030-01-01T12:00:00+00:00")
    assert (second.hourly_usd, second.delete_by) == (None, None)
    Ledger(run).remove("endpoint", "one", "eu-central-1")
    assert len(Ledger(run).open()) == 2
    Ledger(run).remove("endpoint", "one", "us-east-1")
    Ledger(run).remove("endpoint", "one", "us-east-1")
    assert [entry.name for entry in Ledger(run).open()] == ["two"]
    Ledger(run).remove(*second.key)
    assert Ledger(run).open() == []
    assert Ledger(run).regions == ["eu-central-1", "us-east-1"]


def test_a_thing_that_is_noted_again_is_one_thing(run: RunFolder) -> None:
    ledger = filled(run)
    again = ledger.add("model", "one", "us-east-1")
    assert len(Ledger(run).open()) == len(ledger.added) == 6
    assert Ledger(run).open()[-1] == ledger.added[-1] == again


def test_an_entry_says_its_price_and_whether_it_is_overdue(run: RunFolder) -> None:
    entry = Ledger(run).add("endpoint", "one", "us-east-1", 1.515, LONG_AGO)
    assert str(entry) == (
        "endpoint one in us-east-1, $1.51 an hour, to be deleted by 2020-01-01T12:00:00+00:00, "
        "which is overdue"
    )
    assert str(Entry("model", "one", "us-east-1")) == "model one in us-east-1"


def test_several_processes_lose_no_entry_of_each_other(run: RunFolder) -> None:
    def add(number: int) -> None:
        Ledger(run).add("endpoint", str(number), "us-east-1")

    threads = [threading.Thread(target=add, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {entry.name for entry in Ledger(run).open()} == {str(n) for n in range(12)}


@pytest.mark.parametrize("content", ["{", "[]", '{"open": [{"kind": 1}], "regions": []}'])
def test_a_broken_ledger_is_refused_and_stays_as_it_is(run: RunFolder, content: str) -> None:
    path = CloudFolder(run).ledger
    path.parent.mkdir(parents=True)
    path.write_text(content)
    for ask in (Ledger(run).open, lambda: Ledger(run).add("model", "one", "us-east-1")):
        with pytest.raises(CloudError, match="not as ragtune wrote it; `ragtune cloud costs`"):
            ask()
    assert path.read_text() == content


def test_nothing_is_noted_where_the_ledger_cannot_be_written(run: RunFolder) -> None:
    run.path.mkdir()
    CloudFolder(run).path.write_text("a file in the way")
    with pytest.raises(CloudError, match=r"ledger\.json: cannot be written"):
        Ledger(run).add("model", "one", "us-east-1")


def test_everything_is_tried_newest_first_and_every_error_is_told(run: RunFolder) -> None:
    filled(run)
    tried: list[str] = []
    ear = Ear()

    def delete(entry: Entry) -> None:
        tried.append(f"{entry.kind} {entry.name}")
        if tried[-1] == "endpoint two":
            raise CloudError("two: it is still creating")
        if tried[-1] == "model one":
            raise ValueError("what is that?")

    kinds = ("endpoint", "endpoint-config", "model")
    with pytest.raises(CloudError) as caught:
        clean_up(Ledger(run), dict.fromkeys(kinds, delete), ear)
    assert tried == ["endpoint two", "endpoint one", "endpoint-config one", "model one"]
    assert str(caught.value).splitlines() == [
        "error: two: it is still creating",
        "error: model one in us-east-1, to be deleted by 2030-01-01T12:00:00+00:00: "
        "ValueError: what is that?",
    ]
    assert ear.said == ["one: endpoint deleted", "one: endpoint-config deleted"]
    left = [f"{entry.kind} {entry.name}" for entry in Ledger(run).open()]
    assert left == ["model one", "model two", "endpoint-config two", "endpoint two"]


def test_only_what_is_given_is_deleted_and_an_unknown_kind_is_named(run: RunFolder) -> None:
    Ledger(run).add("balloon", "red", "us-east-1")
    ledger = Ledger(run)
    ledger.add("endpoint", "one", "us-east-1")
    clean_up(ledger, {"endpoint": lambda entry: None}, Ear(), ledger.added)
    with pytest.raises(CloudError, match="balloon red in us-east-1: nothing here deletes a ball"):
        clean_up(ledger, {"endpoint": lambda entry: None}, Ear())
    assert [entry.name for entry in Ledger(run).open()] == ["red"]


def test_what_a_killed_process_left_is_taken_over_by_the_next_of_the_same_maker(
    run: RunFolder,
) -> None:
    killed = Ledger(run, "study one")
    killed.add("endpoint", "one", "us-east-1", 1.515, SOON)
    killed.add("endpoint", "kept", "us-east-1", 1.515)
    Ledger(run, "study two").add("endpoint", "two", "us-east-1", 1.515, SOON)
    Ledger(run).add("endpoint", "three", "us-east-1", 1.515, SOON)
    following = Ledger(run, "study one")
    following.add("endpoint", "new", "us-east-1", 1.515, SOON)
    assert following.take_over()[0].name == "one"
    assert {entry.name for entry in following.added} == {"one", "new"}


def test_what_a_signal_breaks_off_while_it_is_noted_is_struck_out_again(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written_and_struck(path: Path, content: object) -> None:
        write_json(path, content)
        raise KeyboardInterrupt

    ledger = Ledger(run)
    with monkeypatch.context() as patch:
        patch.setattr("ragtune_cloud.ledger.write_json", written_and_struck)
        with pytest.raises(KeyboardInterrupt):
            ledger.add("endpoint", "one", "us-east-1", 1.515, SOON)
    assert [entry.name for entry in ledger.open()] == ["one"]
    clean_up(ledger, {"endpoint": lambda entry: None}, Ear(), ledger.added)
    assert ledger.open() == []
