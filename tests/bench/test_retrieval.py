from pathlib import Path

import pytest

from scripts.bench import retrieval, retriever


def test_the_table_shows_both_and_how_many_times_better_ragtune_is() -> None:
    ours = {"part": "store", "contender": "ragtune", "chunks": 1000, "chunks/s": 300.0}
    theirs = {"part": "store", "contender": "llama-index", "chunks": 1000, "chunks/s": 100.0}
    ours |= {"open ms": 10.0, "p50 ms": 1.0, "p95 ms": 2.0, "recall@10": 0.99}
    theirs |= {"open ms": 250.0, "p50 ms": 20.0, "p95 ms": 21.0, "recall@10": 1.0}
    lines = retrieval.table("store", [ours, theirs]).splitlines()
    assert lines[2] == "| ragtune | 1000 | 300 | 10 | 1 | 2 | 0.99 | - |"
    assert lines[4] == "| **ragtune is** |  | 3.00 x | 25.00 x | 20.00 x | 10.50 x |  |  |"


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
@pytest.mark.parametrize("contender", retrieval.CONTENDERS)
def test_each_store_finds_what_exact_search_finds(tmp_path: Path, contender: str) -> None:
    found = retriever.store(contender, 300, 5, tmp_path, "")
    assert found["chunks"] == 300
    assert found["recall@10"] == 1.0
    assert found["p50 ms"] > 0


def test_what_only_ragtune_does_is_a_row_alone() -> None:
    one = {"part": "change", "contender": "ragtune", "chunks": 10, "share": 0.005}
    assert retrieval.table("change", [one]).splitlines()[2:] == ["| ragtune | 10 | - | - | 0.005 |"]


def test_texts_are_a_files_contexts_or_made_up_ones(tmp_path: Path) -> None:
    records = tmp_path / "r.jsonl"
    records.write_text('{"context": "one"}\n{"context": ""}\n{"context": "one"}\n{"context": "2"}')
    assert retriever.texts(10, str(records)) == ["one", "2"]
    assert len(set(retriever.texts(50, ""))) == 50
