import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ragtune.core import hub
from ragtune.core.errors import ModelError, OfflineError, RecordsError
from tests.conftest import record_rows, write_jsonl


def test_only_loopback_can_be_reached() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    with server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername()[0] == "127.0.0.1"
    for family, address in (
        (socket.AF_INET, ("192.0.2.1", 80)),
        (socket.AF_INET6, ("2001:db8::1", 80, 0, 0)),
    ):
        with socket.socket(family) as refused, pytest.raises(OfflineError, match="refused"):
            refused.connect(address)
    with (
        socket.socket(type=socket.SOCK_DGRAM) as datagrams,
        pytest.raises(OfflineError, match="refused"),
    ):
        datagrams.sendto(b"x", ("192.0.2.1", 53))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("databricks/databricks-dolly-15k", True),
        ("meta-llama/Llama-3.2-1B", True),
        ("Qwen/Qwen2.5-0.5B", True),
        ("tests/docs", True),
        ("records.jsonl", False),
        ("data/records.jsonl", False),
        ("data/rows.csv", False),
        ("data/rows.PARQUET", False),
        ("models/tiny.gguf", False),
        ("here/tiny", False),
        ("builtin", False),
        ("../models/x", False),
        ("a/b/c", False),
        ("/abs/olute", False),
    ],
)
def test_a_hub_id_has_two_parts_and_is_no_path(name: str, expected: bool, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    assert hub.is_id(name, tmp_path) is expected
    assert hub.named(name, tmp_path) == (name if expected else None)
    assert hub.named(f"hub:{name}", tmp_path) == name


def test_a_split_may_follow_a_hub_id() -> None:
    assert hub.split_of("hub:org/tiny#test[:10]") == ("org/tiny", "test[:10]")
    assert hub.named("hub:squad#validation", Path()) == "squad"


def test_splits_configurations_and_labels_of_a_data_set_are_read(tmp_path: Path) -> None:
    import datasets

    folder = tmp_path / "tiny"
    for name in ("de", "fr"):
        (folder / name).mkdir(parents=True)
        for split in ("train", "validation"):
            label = datasets.ClassLabel(names=["no", "yes"])
            features = datasets.Features({"question": datasets.Value("string"), "answer": label})
            rows = {"question": [f"{name} {split} {n}" for n in range(3)], "answer": [1, 0, -1]}
            table = datasets.Dataset.from_dict(rows, features=features)
            table.to_parquet(str(folder / name / f"{split}.parquet"))
    (folder / "README.md").write_text(
        "---\nconfigs:\n"
        + "".join(f"- config_name: {n}\n  data_dir: {n}\n" for n in ("de", "fr"))
        + "---\n",
        encoding="utf-8",
    )
    found = list(hub.dataset_rows(str(folder), None, "validation", "fr"))
    assert found[0] == {"question": "fr validation 0", "answer": "yes"}
    assert [row["answer"] for row in found] == ["yes", "no", -1]
    with pytest.raises(RecordsError, match=r"name its configuration, records\.hub_config: de, fr"):
        hub.dataset_rows(str(folder), None)
    with pytest.raises(RecordsError, match=r"records\.hub_config: de, fr"):
        hub.dataset_rows(str(folder), None, "train", "it")
    with pytest.raises(RecordsError, match=r"records\.hub_split: train, validation"):
        hub.dataset_rows(str(folder), None, "test", "de")


def test_what_is_not_cached_cannot_be_fetched_offline() -> None:
    with pytest.raises(OfflineError, match="model no-body/no-thing: not on this machine"):
        hub.snapshot("no-body/no-thing", None, "model", ModelError)


REPOSITORY = {
    "config.json": True,
    "generation_config.json": True,
    "chat_template.jinja": True,
    "additional_chat_templates/tool_use.jinja": True,
    "model-00001-of-00002.safetensors": True,
    "model-00002-of-00002.safetensors": True,
    "model.safetensors.index.json": True,
    "tokenizer.json": True,
    "tokenizer.model": True,
    "tokenizer_config.json": True,
    "special_tokens_map.json": True,
    "vocab.json": True,
    "merges.txt": True,
    "1_Pooling/config.json": True,
    "ragtune.yaml": True,
    "pytorch_model.bin": False,
    "modeling_mine.py": False,
    "original/consolidated.00.pth": False,
    "original/params.json": False,
    "consolidated.safetensors": False,
    "onnx/config.json": False,
    "model.gguf": False,
    "README.md": False,
}


def test_a_download_takes_all_that_a_model_needs_and_nothing_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import huggingface_hub
    from huggingface_hub.utils._paths import filter_repo_objects

    def download(name: str, *, revision: str | None, **patterns: Any) -> str:
        chosen: Any = filter_repo_objects(REPOSITORY, **patterns)
        for file in chosen:
            path = tmp_path / str(file)
            path.parent.mkdir(exist_ok=True)
            path.touch()
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    folder = hub.snapshot("org/model", None, "model", ModelError)
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    wanted = {name for name, wanted in REPOSITORY.items() if wanted}
    assert found == wanted
    for name in found:
        (folder / name).unlink()
    hub.snapshot("org/model", None, "model", ModelError, weights=False)
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert found == {name for name in wanted if not name.endswith(".safetensors")}


CACHED = """
import sys, pathlib, shutil, datasets
from ragtune.core import hub, offline
from ragtune.core.errors import ModelError, RecordsError
home, source = pathlib.Path(sys.argv[1]), sys.argv[2]
datasets.load_dataset(source, split="train")  # what a download leaves behind, made from a folder
shutil.move(home / "datasets" / "tiny", home / "datasets" / "org___tiny")
commit = "a" * 40
model = home / "hub" / "models--org--llama"
(model / "snapshots" / commit).mkdir(parents=True)
(model / "snapshots" / commit / "config.json").write_text("{}")
(model / "refs").mkdir()
(model / "refs" / "main").write_text(commit)
offline.go_offline()
from ragtune.recipe.records import Records
from ragtune.sources.records import load
path = home / "org" / "tiny"
named = load(path, Records(source="hub:org/tiny#train[:5]"))
assert named == load(path, Records(source="r.jsonl"), questions="hub:org/tiny#train[:5]")
assert len(named.records) == 5
assert named.read[0].startswith("hub:org/tiny#train[:5]: hub data set, split train[:5]; ")
rows = list(hub.dataset_rows("org/tiny", None))
print(len(rows), rows[0]["instruction"])
print((hub.snapshot("org/llama", None, "model", ModelError) / "config.json").read_text())
next((home / "datasets" / "org___tiny").rglob("*.arrow")).unlink()
try:
    hub.dataset_rows("org/tiny", None)
except RecordsError as error:
    print(error)
"""


def test_cached_hub_data_sets_and_models_are_read_offline(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    write_jsonl(tmp_path / "tiny" / "train.jsonl", record_rows())
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CACHED, str(tmp_path), str(tmp_path / "tiny")],
        cwd=Path(__file__).resolve().parents[3],
        env={**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert first == f"12 {record_rows()[0]['instruction']}"
    assert second == "{}"
    assert third.startswith("data set org/tiny: cannot be loaded: ")
