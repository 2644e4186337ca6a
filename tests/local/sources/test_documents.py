import os
from pathlib import Path

import pypdfium2
import pytest

from ragtune.core.errors import DocumentsError
from ragtune.sources import documents
from ragtune.sources.readers import ocr
from ragtune.sources.records import Record


def names(corpus: documents.Corpus) -> list[str]:
    return list(corpus.hashes)


def test_a_folder_gives_its_documents_by_name_with_their_titles(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.md").write_text("# The title\n\nText.")
    (tmp_path / "sub" / "a-b.txt").write_text("Plain.")
    found, skipped = documents.from_folder(tmp_path).read_all()
    assert [(d.name, d.title) for d in found] == [("b.md", "The title"), ("sub/a-b.txt", "a b")]
    assert skipped == {}


def test_what_is_not_read_is_named_with_its_reason_and_the_rest_goes_on(
    tmp_path: Path, without_ocr: None
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (tmp_path / "outside.md").write_text("Outside.")
    (folder / "good.md").write_text("Text.")
    (folder / 'odd \n"näme" 🚢.md').write_text("Other text.")
    (folder / "twin.txt").write_text("Text.")
    (folder / "empty.md").write_text(" \n")
    (folder / "latin.txt").write_bytes(b"caf\xe9")
    (folder / "rubbish.txt").write_bytes(b"MZ\x00\x01\x02")
    (folder / "broken.pdf").write_bytes(b"not a pdf")
    (folder / "broken.docx").write_bytes(b"PK no zip")
    (folder / "image.png").write_bytes(b"\x89PNG")
    (folder / "large.txt").write_text("word " * 300_000)
    (folder / ".hidden.md").write_text("secret")
    os.mkfifo(folder / "pipe.txt")
    (folder / "out.md").symlink_to(tmp_path / "outside.md")
    (folder / "gone.md").symlink_to(tmp_path / "nothing.md")
    (folder / "loop").symlink_to(folder)
    (folder / os.fsdecode(b"bad\xff.md")).write_text("Named in bytes.")
    (folder / os.fsdecode(b"bad\xfe")).mkdir()
    (folder / os.fsdecode(b"bad\xfe") / "in.md").write_text("In a folder named in bytes.")
    scan = pypdfium2.PdfDocument.new()
    scan.new_page(200, 200)
    scan.save(folder / "scan.pdf")
    scan.close()
    found, skipped = documents.from_folder(folder, max_file_mb=1).read_all()
    assert [d.name for d in found] == ["good.md", 'odd \n"näme" 🚢.md']
    reasons = {
        "twin.txt": "the same bytes as good.md",
        "empty.md": "holds no text",
        "latin.txt": "cannot be read: not UTF-8: byte 0xe9 at 3; save it as UTF-8",
        "rubbish.txt": "cannot be read: binary, not text",
        "image.png": ".png is not read; save it as a .pdf with recognised text",
        "large.txt": "2 MB, over documents.max_file_mb 1; split it, or allow more",
        "pipe.txt": "not an ordinary file",
        "out.md": "a link that leads out of the folder",
        "gone.md": "a link to nothing",
        "loop": "a link to a folder; links to folders are not followed",
        "bad\\xff.md": "its name is not valid UTF-8; rename it",
        "bad\\xfe/in.md": "its name is not valid UTF-8; rename it",
        "scan.pdf": f"holds no text in 1 page: {ocr.ADVICE}",
    }
    broken = {name: skipped.pop(name) for name in ("broken.pdf", "broken.docx")}
    assert skipped == reasons
    assert all(reason.startswith("cannot be read: ") for reason in broken.values())
    assert not any("Future" in reason for reason in broken.values())


def test_what_the_system_refuses_is_named_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path of the innermost folder, and of a file beside it, is longer than Linux takes."""
    monkeypatch.chdir(tmp_path)
    Path("good.md").write_text("Text.")
    for _ in range(17):
        Path("n" * 250).mkdir()
        os.chdir("n" * 250)
        Path("n" * 252 + ".md").write_text("Text.")
    found, skipped = documents.from_folder(tmp_path).read_all()
    assert [d.name for d in found] == ["good.md"]
    refused = [n for n, why in skipped.items() if why == "cannot be read: File name too long"]
    assert sorted(name.endswith(".md") for name in refused) == [False, True]
    assert set(skipped.values()) - {"cannot be read: File name too long"} == {
        "the same bytes as good.md"
    }


def test_utf_16_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("café".encode("utf-16"))
    (tmp_path / "b.md").write_bytes("# Café".encode("utf-8-sig"))
    first, second = documents.from_folder(tmp_path).read_all()[0]
    assert (first.text, second.title) == ("café", "Café")


def test_markdown_headings_are_locators_and_code_is_none(tmp_path: Path) -> None:
    text = "Before.\n\n# One\n\nFirst.\n\n```\n# no heading\n```\n\n## Two ##\n\nSecond.\n"
    (tmp_path / "a.md").write_text(text)
    (document,) = documents.from_folder(tmp_path).read("a.md")
    assert [title for _, title in document.headings] == ["One", "Two"]
    assert document.locator_at(0, 9) == ""
    assert document.locator_at(0, 20) == "One"
    assert document.locator_at(text.index("First"), len(text)) == "One"
    assert document.locator_at(text.index("Second"), len(text)) == "Two"


def test_html_gives_its_text_without_tags_and_its_headings(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        "<html><head><title>The page</title><style>p {color: red}</style></head><body>"
        "<h1>Hi</h1><p>There <b>&amp;</b> then</p><script>var x</script><h2>Next</h2><p>Last"
    )
    (tmp_path / "b.htm").write_bytes(b'<meta charset="latin-1"><p>caf\xe9')
    corpus = documents.from_folder(tmp_path)
    (document,) = corpus.read("a.html")
    assert document.text == "Hi\nThere & then\nNext\nLast"
    assert document.title == "The page"
    assert document.locator_at(document.text.index("Last"), len(document.text)) == "Next"
    assert corpus.read("b.htm")[0].text == "café"


def test_html_headings_are_where_they_stand_and_not_in_the_contents_before(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.html").write_text(
        "<ul><li>Fees<li>Fog</ul><h1>Fees</h1><p>None.</p><h2><img></h2><p>Yet.</p>"
        "<h2><div><p>Fog</p></div></h2><p>The bell rings."
    )
    (document,) = documents.from_folder(tmp_path).read("a.html")
    text = document.text
    assert document.headings == ((text.rindex("Fees"), "Fees"), (text.rindex("Fog"), "Fog"))
    assert document.locator_at(0, 4) == ""
    assert document.locator_at(text.index("Yet."), len(text)) == "Fees"


def test_html_is_read_as_it_declares_itself_the_way_browsers_do(tmp_path: Path) -> None:
    (tmp_path / "latin.html").write_bytes(b'<meta charset="latin-1"><p>caf\xe9 5 \x80')
    (tmp_path / "wide.html").write_bytes('<meta charset="utf-16"><p>café'.encode())
    found, _ = documents.from_folder(tmp_path).read_all()
    assert [document.text for document in found] == ["café 5 €", "café"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<p>caf\xe9", "not UTF-8: byte 0xe9 at 6"),
        (b'<meta charset="utf-8"><p>caf\xe9', "not utf-8, as it says"),
        (b'<meta charset="klingon"><p>cafe', "not klingon, as it says"),
    ],
)
def test_html_that_is_not_what_it_says_is_left_out_with_the_reason(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    (tmp_path / "a.html").write_bytes(data)
    with pytest.raises(DocumentsError) as caught:
        documents.from_folder(tmp_path).read("a.html")
    assert str(caught.value) == f"cannot be read: {reason}; save it as UTF-8"


def test_an_empty_or_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentsError, match="gives no document: it is empty"):
        documents.from_folder(tmp_path)
    with pytest.raises(DocumentsError, match="no such folder"):
        documents.from_folder(tmp_path / "none")
    (tmp_path / "empty.md").write_text("")
    with pytest.raises(DocumentsError, match=r"gives no document: empty\.md: holds no text"):
        documents.from_folder(tmp_path).read_all()


def test_the_hash_follows_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("One.")
    first = documents.from_folder(tmp_path).hash
    assert documents.from_folder(tmp_path).hash == first
    (tmp_path / "a.md").rename(tmp_path / "b.md")
    second = documents.from_folder(tmp_path).hash
    (tmp_path / "b.md").write_text("Two.")
    assert len({first, second, documents.from_folder(tmp_path).hash}) == 3


def test_a_file_that_changes_between_listing_and_reading_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("One.")
    (tmp_path / "b.md").write_text("Two.")
    corpus = documents.from_folder(tmp_path)
    (tmp_path / "a.md").write_text("Three.")
    (tmp_path / "b.md").unlink()
    with pytest.raises(DocumentsError, match="changed while it was read"):
        corpus.read("a.md")
    with pytest.raises(DocumentsError, match="cannot be read"):
        corpus.read("b.md")


def test_equal_contexts_are_one_document_and_the_gold_of_their_records() -> None:
    records = [Record("q1", "a", context="same"), Record("q2", "b", context="same")]
    corpus = documents.from_contexts(records)
    named = documents.with_context_names(records)
    assert names(corpus) == [named[0].document]
    assert named[0].document == named[1].document
    with pytest.raises(DocumentsError, match="no record has a context"):
        documents.from_contexts([Record("q", "a")])


def test_a_change_that_leaves_size_and_time_alone_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("six o'clock")
    before, noted = documents.from_folder(tmp_path).hashes, file.stat()
    file.write_text("ten o'clock")
    os.utime(file, ns=(noted.st_atime_ns, noted.st_mtime_ns))
    assert documents.from_folder(tmp_path).hashes != before


def test_a_name_that_is_only_an_ending_has_none(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Text.")
    (tmp_path / "md").write_text("Other text.")
    (tmp_path / "b.md.").write_text("More text.")
    found = documents.from_folder(tmp_path)
    assert names(found) == ["a.md"]
    assert found.skipped == dict.fromkeys(("md", "b.md."), "a file without an ending is not read")


def test_files_are_listed_in_the_order_of_their_folders_without_a_path_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def counted(*parts: str) -> Path:
        made.append("/".join(map(str, parts)))
        return Path(*parts)

    monkeypatch.setattr(documents, "Path", counted)
    counts = []
    for many in (3, 30):
        folder = tmp_path / str(many)
        (folder / "a").mkdir(parents=True)
        for n in range(many):
            (folder / "a" / f"{n}.md").write_text(f"Inside {n}.")
            (folder / f"a-{n}.md").write_text(f"Beside {n}.")
        made.clear()
        found = names(documents.from_folder(folder))
        counts.append(len(made))
        assert found == sorted(found, key=lambda name: name.split("/"))
        assert len(found) == 2 * many
    assert counts[0] == counts[1]


def test_names_that_differ_in_case_alone_are_two_documents(tmp_path: Path) -> None:
    """Where the file system tells them apart, as Linux's do."""
    (tmp_path / "A.md").write_text("One harbour.")
    (tmp_path / "a.md").write_text("Two ferries.")
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system has one file for both")
    found, skipped = documents.from_folder(tmp_path).read_all()
    assert {one.name: one.text for one in found} == {"A.md": "One harbour.", "a.md": "Two ferries."}
    assert skipped == {}
