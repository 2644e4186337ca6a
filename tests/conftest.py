"""What every test shares: no network, a tiny real Llama, a tiny project."""

import functools
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.utils import get_params_from_function

from ragtune.cli import app as cli
from ragtune.core import offline
from ragtune_cloud.cli import jobs_app

pytest_plugins = ["tests.pace"]

offline.go_offline()
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["OMP_NUM_THREADS"] = (
    "1"  # tiny models gain nothing from more, and lose on a busy machine
)

ROOT = Path(__file__).resolve().parent.parent
parameters_of = functools.cache(get_params_from_function)
"""Typer's, which for each command that is called here would look at all of them again."""
SHARED = ROOT.parent / "shared" / "data"

FACTS = [
    ("harbour.md", "Harbour", "The harbour opens at six.", "When does the harbour open?", "six"),
    ("ferry.md", "Ferry", "The ferry is called Petrel.", "What is the ferry called?", "Petrel"),
    ("canteen.md", "Canteen", "Soup costs three crowns.", "What does soup cost?", "three crowns"),
    ("keys.md", "Keys", "Keys hang in room nine.", "Where do keys hang?", "room nine"),
    ("dogs.md", "Dogs", "A dog travels for one crown.", "What does a dog pay?", "one crown"),
    ("fog.md", "Fog", "In fog the bell rings twice.", "How often does the bell ring?", "twice"),
]


def record_rows() -> list[dict[str, str]]:
    """Twelve records over six documents, two questions a document."""
    rows = []
    for document, _, sentence, question, answer in FACTS:
        for asked in (question, f"Please tell me: {question.lower()}"):
            rows.append(
                {
                    "instruction": asked,
                    "context": sentence,
                    "response": answer,
                    "category": "closed_qa",
                    "document": document,
                    "evidence": sentence,
                }
            )
    return rows


def write_jsonl(path: Path, rows: list[Any]) -> Path:
    """Write one JSON value a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def pytest_addoption(parser: pytest.Parser) -> None:
    """The choice between the suite and the tests that take minutes."""
    parser.addoption("--long", action="store_true", help="run the tests marked long, no others")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the long tests or the others; skip what needs CUDA where there is none."""
    chosen = bool(config.getoption("long"))
    kept = [item for item in items if bool(item.get_closest_marker("long")) == chosen]
    config.hook.pytest_deselected(items=list(set(items).difference(kept)))
    items[:] = kept
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return  # without importing torch
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))


def exit_code(monkeypatch: pytest.MonkeyPatch, arguments: Sequence[object]) -> int:
    """Run the command in this process, with the streams that it has."""
    monkeypatch.setattr(sys, "argv", ["ragtune", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture
def called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command in this process: its exit code, stdout and stderr."""
    plain = [
        (app, kind, [*getattr(app, kind)])
        for app in (cli.app, jobs_app)
        for kind in ("registered_commands", "registered_groups")
    ]

    monkeypatch.setattr("typer.main.get_params_from_function", parameters_of)
    monkeypatch.setattr(offline, "seal", lambda: "")  # it would hold for all tests after this one

    def call(*arguments: object) -> tuple[int, str, str]:
        for app, kind, known in plain:  # each call plugs its verbs in, and all of them are parsed
            monkeypatch.setattr(app, kind, [*known])
        code = exit_code(monkeypatch, arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a real Llama of random weights and its own byte-level BPE tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "tiny"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<s>", "</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([json.dumps(row) for row in record_rows()], trainer)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=320,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=768,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_tokenizer(tiny_llama: Path) -> Any:
    """The tiny Llama's tokenizer."""
    from ragtune.models.load import load_tokenizer

    return load_tokenizer(tiny_llama)


@pytest.fixture(scope="session")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of random weights that scores a pair of texts."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder = tmp_path_factory.mktemp("cross-encoder")
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*marks, "the", "bell", "rings", "soup", "is", "sold", "harbour", "opens"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=64,
        num_labels=1,
        initializer_range=1.0,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture
def project(tmp_path: Path, make_project: Callable[..., Path]) -> Callable[..., Path]:
    """Write a tiny project (records, documents, recipe) and give the recipe's path.

    Keyword arguments replace whole sections of the recipe.
    """
    return functools.partial(make_project, tmp_path / "project")


@pytest.fixture(scope="session")
def make_project(tiny_llama: Path) -> Callable[..., Path]:
    """As `project`, in a folder that is given."""

    def write(folder: Path, **sections: Any) -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "docs").mkdir(parents=True)
        for document, title, sentence, _, _ in FACTS:
            (folder / "docs" / document).write_text(f"# {title}\n\n{sentence}\n", encoding="utf-8")
        write_jsonl(folder / "records.jsonl", record_rows())
        recipe = {
            "name": "tiny",
            "model": {"local": str(tiny_llama), "precision": "float32"},
            "records": {
                "source": "records.jsonl",
                "context": "passage",
                "test_fraction": 0.3,
                "with_passages": 0.5,
            },
            "documents": {"source": "docs"},
            "tune": {
                "epoch": 2,
                "learning_rate": 0.01,
                "max_input_length": 64,
                "per_device_train_batch_size": 1,
                "gradient_accumulation_steps": 2,
            },
            "rag": {"chunk_tokens": 64, "top_k": 2},
            "study": {"max_new_tokens": 4, "latency_questions": 2},
            **sections,
        }
        path = folder / "recipe.yaml"
        path.write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def finished_run(
    make_project: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a run of the tiny project, all four arms; to be copied before it is changed."""
    from ragtune.recipe import file as recipe_file
    from ragtune.runs.pipeline import Pipeline

    folder = tmp_path_factory.mktemp("finished")
    recipe = recipe_file.load(make_project(folder / "project"), ("tune.epoch=1",))
    Pipeline(recipe, folder / "runs" / recipe.run_name).execute()
    return folder / "runs" / recipe.run_name


@pytest.fixture
def shared() -> Iterator[Path]:
    """The folder of real data beside the checkout; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the real data of ../shared/data is not here")
    yield SHARED
