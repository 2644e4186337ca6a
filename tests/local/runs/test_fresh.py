import json
import shutil
from pathlib import Path

import pytest

import ragtune
from ragtune.core.errors import RunError
from ragtune.core.files import own, write_json
from ragtune.runs.fresh import state
from ragtune.runs.open import open_run

QUESTION = "How often does the bell ring?"


@pytest.fixture(scope="module")
def run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("fresh") / "tree"
    shutil.copytree(finished_run.parent.parent, tree)
    return tree / "runs" / finished_run.name


def test_many_search_a_run_and_nothing_of_theirs_stays(run: Path) -> None:
    with ragtune.open(run) as first, ragtune.open(run) as second:
        assert first.search(QUESTION) == second.search(QUESTION)
        assert len(list((run / ".open").iterdir())) == 2
        own(run).close()
        own(run / "index").close()
        assert first.state == second.state == state(run / "index")
    assert list((run / ".open").iterdir()) == []


def test_while_an_update_has_the_index_the_state_before_is_searched(run: Path) -> None:
    with ragtune.open(run) as opened:
        before = opened.search(QUESTION)
        manifest = run / "index" / "manifest.json"
        was = manifest.read_bytes()
        with open_run(run):  # alone: as `run` and `index` have it
            owner = own(run / "index")
            write_json(manifest, {**json.loads(was), "files": {}, "unfinished": ["fog.md"]})
            assert state(run / "index") is None
            assert opened.search(QUESTION) == before
            manifest.write_bytes(was)
            assert not opened.refresh()
            owner.close()
        assert not opened.refresh()
        assert opened.search(QUESTION) == before


def test_a_run_that_was_made_again_has_to_be_opened_again(run: Path) -> None:
    with ragtune.open(run) as opened, open_run(run) as alone:
        entry = alone.lock.stages["tune/tuned"]
        alone.lock.stages["tune/tuned"] = entry.model_copy(update={"outcome": "another"})
        alone.lock.save(alone.folder)
        try:
            alone.close()
            with pytest.raises(
                RunError, match="tune/tuned was made again meanwhile; open it again"
            ):
                opened.ask(QUESTION, arm="tuned")
        finally:
            alone.lock.stages["tune/tuned"] = entry
            alone.lock.save(alone.folder)
        assert opened.ask(QUESTION, arm="tuned")["arm"] == "tuned"
