from pathlib import Path

from ragtune.core.bundled import builtin_model
from scripts.bench import contender, tuning
from scripts.bench.task import BATCH, LENGTH, Task, write_rows
from tests.conftest import record_rows, write_jsonl


def test_the_table_says_how_far_losses_are_apart_and_how_much_faster_ragtune_is() -> None:
    ours = {"shape": "s", "contender": "ragtune", "tokens_a_second": 300.0, "seconds": 10.0}
    theirs = {"shape": "s", "contender": "trl-plain", "tokens_a_second": 100.0, "seconds": 30.0}
    ours |= {"cpu_seconds": 20.0, "peak_gib": 1.0, "held_out_loss": 2.0}
    theirs |= {"cpu_seconds": 50.0, "peak_gib": 2.0, "held_out_loss": 2.01}
    lines = tuning.table([ours, theirs]).splitlines()
    assert lines[3] == "| s | trl-plain | 100 | 30.0 | 2.00 | 2.0100 | +0.50% | 3.00x | 2.50x |"


def test_every_row_that_the_contenders_share_teaches_something(tmp_path: Path) -> None:
    long = {"instruction": "Why? " * LENGTH, "context": "", "response": "because"}
    source = write_jsonl(tmp_path / "r.jsonl", [*record_rows(), long, long])
    rows, held = write_rows(source, BATCH, 4, tmp_path)
    task = Task(str(builtin_model()), str(rows), str(held), str(tmp_path), 1, micro_batch=4)
    assert len(task.read("rows")) == BATCH
    assert len(task.read("held")) == 4
    assert all(row.supervised for which in ("rows", "held") for row in task.rendered(which))


def test_what_a_contender_writes_is_measured_through_plain_peft(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "r.jsonl", record_rows())
    rows, held = write_rows(source, BATCH, 4, tmp_path)
    task = Task(str(builtin_model()), str(rows), str(held), str(tmp_path), 3, micro_batch=4)
    losses = []
    for name, rate in (("still", 1e-8), ("moving", 1e-2)):
        moved = Task(**{**task.to_json(), "learning_rate": rate})
        (tmp_path / name).mkdir()
        assert contender.ragtune(moved, tmp_path / name / "adapter").cpu > 0
        losses.append(contender.held_out(task, tmp_path / name / "adapter"))
    assert losses[1] < losses[0]
