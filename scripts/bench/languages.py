"""How often a question finds its document, by language: words, vectors, and both.

    python -m scripts.bench.languages [--top 2] [FOLDER ...]

Without folders the facts of tests/local/retrieval/facts are asked. A folder holds ``docs``, with a
text file a document, and ``questions.jsonl``, rows of ``instruction`` and ``document``.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ragtune.core.bundled import builtin_embedder
from ragtune.core.text.language import languages_of, named
from ragtune.models.hardware import probe
from ragtune.models.multilingual import multilingual_folder
from ragtune.recipe.rag import Rag
from ragtune.retrieval import index
from ragtune.retrieval.embedder import Embedder
from ragtune.retrieval.section import Mode
from ragtune.sources import documents
from ragtune.sources.readers import Document

FACTS = Path(__file__).parents[2] / "tests/local/retrieval/facts"
Asked = list[tuple[str, str]]
"""Questions, each with the name of its document."""
MODES: tuple[Mode, ...] = ("keyword", "dense", "hybrid")


def sets(folders: list[Path]) -> Iterator[tuple[str, dict[str, str], Asked]]:
    """A name, the texts by name, and the questions of each set."""
    for path in [] if folders else sorted(FACTS.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        texts = {row["document"]: row["text"] for row in rows}
        yield named([path.stem]), texts, [(row["question"], row["document"]) for row in rows]
    for folder in folders:
        paths = sorted((folder / "docs").iterdir())
        lines = (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines if line.strip()]
        texts = {path.name: path.read_text(encoding="utf-8") for path in paths}
        yield folder.name, texts, [(row["instruction"], row["document"]) for row in rows]


def recall(texts: dict[str, str], asked: Asked, embedder: Embedder, top: int) -> dict[Mode, float]:
    """By mode, the share of the questions whose document is among the first ``top`` passages."""
    corpus = documents.from_documents(Document(name, text) for name, text in texts.items())
    rag = Rag(top_k=top, language=", ".join(languages_of(texts.values())))
    questions = [question for question, _ in asked]
    shares: dict[Mode, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "index"
        index.update(corpus, rag, embedder, fingerprint="f", folder=folder)
        retriever = index.Retriever(folder, rag, embedder, "f")
        for mode in MODES:
            found = retriever.search(questions, mode=mode)
            hits = sum(
                gold in {passage.document for passage in passages}
                for (_, gold), passages in zip(asked, found, strict=True)
            )
            shares[mode] = hits / len(asked)
        retriever.close()
    return shares


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--top", type=int, default=2)
    given = parser.parse_args()
    folders = {"builtin": builtin_embedder(), "multilingual": multilingual_folder()}
    embedders = {name: Embedder(folder, probe()) for name, folder in folders.items()}
    print("| documents | questions | words | builtin: vectors | both | multilingual: | both |")
    print("|---|---|---|---|---|---|---|")
    for name, texts, asked in sets(given.folders):
        known, every = (
            recall(texts, asked, embedder, given.top) for embedder in embedders.values()
        )
        shares = (
            known["keyword"],
            known["dense"],
            known["hybrid"],
            every["dense"],
            every["hybrid"],
        )
        cells = " | ".join(f"{share:.2f}" for share in shares)
        print(f"| {len(texts)}, {name} | {len(asked)} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
