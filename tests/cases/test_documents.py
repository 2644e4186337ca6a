"""Tables torn apart, text without spaces, printed letters, PDFs of every kind."""

import json
from pathlib import Path

import pytest

from ragtune.core import bundled
from ragtune.models.hardware import probe
from ragtune.recipe import file as recipe_file
from ragtune.recipe.rag import Rag
from ragtune.retrieval.embedder import Embedder
from ragtune.retrieval.index import Retriever, update
from ragtune.retrieval.manifest import Manifest
from ragtune.retrieval.passages import Passage, gold_rank
from ragtune.sources import fields
from ragtune.sources.documents import from_folder
from ragtune.sources.gold import absent_evidence
from ragtune.sources.records import Record


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(bundled.builtin_embedder(), probe())


def found_in(
    docs: Path, rag: Rag, embedder: Embedder, questions: list[Record], folder: Path
) -> list[list[Passage]]:
    update(from_folder(docs), rag, embedder, fingerprint="f", folder=folder)
    retriever = Retriever(folder, rag, embedder, "f")
    found = retriever.search([question.instruction for question in questions])
    retriever.close()
    return found


def recall(questions: list[Record], found: list[list[Passage]]) -> float:
    ranks = [gold_rank(*pair) for pair in zip(questions, found, strict=True)]
    return sum(rank is not None for rank in ranks) / len(ranks)


@pytest.mark.parametrize("case", ["table-header", "typography", "unbroken-text"])
def test_the_reported_questions_find_their_passages(
    shared_cases: Path, embedder: Embedder, tmp_path: Path, case: str
) -> None:
    folder = shared_cases / case
    recipe = recipe_file.load(folder / "recipe.yaml", ())
    lines = (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [Record(**fields.read(json.loads(ln), "no")) for ln in lines if ln.strip()]
    found = found_in(folder / "docs", recipe.rag, embedder, questions, tmp_path / "index")
    assert recall(questions, found) == 1
    documents, _ = from_folder(folder / "docs").read_all()
    texts = {document.name: document.text for document in documents}
    assert absent_evidence(questions, texts.keys(), texts.__getitem__) == []
    longest = max(len(passage.text) for passages in found for passage in passages)
    assert longest <= 8 * recipe.rag.chunk_tokens


def table(folder: Path, kind: str) -> list[Record]:
    """A table of 60 rows in a file of its kind, and questions for one cell each."""
    names = ["depth in metres", "boats in summer", "fee in crowns", "year of the jetty"]
    sides = "North South East West Old New Upper Low Inner Outer"
    kinds = "harbour pier quay dock landing bay"
    places = [f"{a} {b}" for a in sides.split() for b in kinds.split()]
    rows = [[p, *(str(3 + (7 * n + 13 * k) % 97) for k in range(4))] for n, p in enumerate(places)]
    if kind == "md":
        bars = [["place", *names], ["---"] * 5, *rows]
        text = "# Moorings\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in bars)
    elif kind == "html":
        head = "".join(f"<th>{name}" for name in ["place", *names])
        body = "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) for row in rows)
        text = f"<h1>Moorings</h1><table><thead><tr>{head}</thead>{body}</table>"
    else:
        text = "\n".join(";".join(row) for row in [["place", *names], *rows])
    (folder / f"moorings.{kind}").write_text(text)
    asked = [(n, k) for n in range(0, 60, 4) for k in (n // 4 % 4,)]
    return [
        Record(
            f"What is the {names[k]} of the {places[n]}?",
            rows[n][k + 1],
            document=f"moorings.{kind}",
            evidence=f"| {' | '.join(rows[n])} |",
        )
        for n, k in asked
    ]


@pytest.mark.parametrize("kind", ["md", "html", "csv"])
def test_a_row_is_found_whole_with_the_names_of_its_columns(
    embedder: Embedder, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "docs").mkdir()
    questions = table(tmp_path / "docs", kind)
    rag = Rag(chunk_tokens=128, top_k=3)
    found = found_in(tmp_path / "docs", rag, embedder, questions, tmp_path / "index")
    assert recall(questions, found) == 1
    rows = [line for ps in found for p in ps for line in p.text.splitlines() if " | " in line]
    assert all(line.startswith("place: ") and line.count(": ") == 5 for line in rows)


PRINTED = {
    "ligatures.md": (
        "The \ufb01re o\ufb03cer has the \ufb02are.",
        "The fire officer has the flare.",
    ),
    "soft.md": ("The light\u00adhouse keeper sleeps.", "The lighthouse keeper sleeps."),
    "broken.txt": ("The harbour mas-\nter is Ida.", "The harbour master is Ida."),
    "quotes.md": ("Ida\u2019s \u201cblue\u201d boat is fast.", 'Ida\'s "blue" boat is fast.'),
    "wide.md": ("Room \uff11\uff12 is \uff2f\uff30\uff25\uff2e.", "Room 12 is OPEN."),
}


def test_printed_letters_are_found_as_they_are_typed(embedder: Embedder, tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for name, (printed, _) in PRINTED.items():
        (docs / name).write_text(printed)
    questions = [Record(text, "", document=n, evidence=text) for n, (_, text) in PRINTED.items()]
    questions += [Record(text, "", document=n, evidence=text) for n, (text, _) in PRINTED.items()]
    rag = Rag(top_k=1, search="keyword")
    found = found_in(docs, rag, embedder, questions, tmp_path / "index")
    assert recall(questions, found) == 1
    shown = {passages[0].document: passages[0].text for passages in found}
    assert shown == {name: text for name, (_, text) in PRINTED.items()}


def test_text_without_spaces_is_bounded_and_pictures_are_left_out_by_name(
    embedder: Embedder, tmp_path: Path
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    picture = "Ab3/" * 9000
    (docs / "a.md").write_text(
        f"The lamp lasts 900 hours.\n\n![x](data:image/png;base64,{picture})"
    )
    (docs / "b.md").write_text(f"The tray is blue.\n\n{picture}\n")
    (docs / "emoji.txt").write_text("👩🏽‍🚀" * 900)
    (docs / "khmer.md").write_text("ខ្ញុំចង់ទៅផ្សារ" * 200)
    (docs / "letters.txt").write_text("ACGT" * 3000)
    rag = Rag(chunk_tokens=64, top_k=9)
    found = found_in(
        docs, rag, embedder, [Record("How long does the lamp last?", "")], tmp_path / "i"
    )
    assert found[0][0].document == "a.md"
    manifest = Manifest.load(tmp_path / "i")
    assert manifest is not None
    assert manifest.parts == {
        "a.md": "36,022 characters of base64, no text",
        "b.md": "36,000 characters of base64, no text",
    }
    assert manifest.documents["a.md"] == manifest.documents["b.md"] == 1
    assert max(len(p.text.encode()) for p in found[0]) <= 8 * 64
    whole = "".join(p.text for p in found[0] if p.document == "emoji.txt")
    assert not whole.replace("👩🏽‍🚀", "")


def test_the_reported_pdfs_are_read_or_named(shared_cases: Path) -> None:
    found, skipped = from_folder(shared_cases / "pdfs" / "docs").read_all()
    texts = {document.name: document.text for document in found}
    for kind in ("aes128", "aes256", "rc4"):
        assert "is Olaf Quist" in texts[f"{kind}-empty.pdf"]
    assert "Name of the keeper: Rut Almgren" in texts["form.pdf"]
    columns = texts["columns.pdf"]
    assert "takes forty minutes." in columns
    assert columns.index("forty minutes") < columns.index("The museum opens")
    assert "room: Plover | beds: 4 | price: 140" in texts["table.pdf"]
    assert "room: Heron | beds: 2 | price in crowns: 90" in texts["prices.docx"]
    assert skipped == {
        "aes256-password.pdf": "needs a password; save it without one",
        "rc4-password.pdf": "needs a password; save it without one",
        "cut.pdf": "cannot be read: cut off before its end; get it again",
        "empty.pdf": "holds no text: the file is empty (0 bytes)",
        "html.pdf": "cannot be read: no PDF but a web page, perhaps an error",
    }
