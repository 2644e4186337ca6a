from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from ragtune.core.errors import DocumentsError
from ragtune.sources.documents import from_folder
from ragtune.sources.readers import Document


def read(folder: Path, made: Any) -> Document:
    made.save(str(folder / "a.docx"))
    (document,) = from_folder(folder).read("a.docx")
    return document


def xml(inner: str) -> Any:
    return parse_xml(inner.replace(">", f" {nsdecls('w')}>", 1))


def test_text_and_headings_are_where_they_are(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph("The rules", style="Title")
    made.add_paragraph("Contents", style="TOC Heading")
    made.add_paragraph("Rules\t1")
    made.add_paragraph("")
    for heading, text in (("Rules", "Be kind."), ("Fees", "None.")):
        made.add_heading(heading, 2)
        made.add_paragraph(text)
    document = read(tmp_path, made)
    text = document.text
    assert text == "The rules\n\nContents\n\nRules\t1\n\nRules\n\nBe kind.\n\nFees\n\nNone."
    assert document.headings == (
        (0, "The rules"),
        (text.rindex("Rules"), "Rules"),
        (text.index("Fees"), "Fees"),
    )
    assert document.locator_at(text.index("None."), len(text)) == "Fees"


def test_headings_of_a_translated_word_are_known_by_the_name_of_their_style(tmp_path: Path) -> None:
    made = docx.Document()
    made.styles["Heading 1"].element.set(docx.oxml.ns.qn("w:styleId"), "berschrift1")
    made.add_heading("Regeln", 1)
    assert read(tmp_path, made).headings == ((0, "Regeln"),)


def test_a_tables_rows_are_a_line_each_and_what_is_nested_stays_in_its_cell(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph("Prices.")
    table = made.add_table(2, 3)
    for cell, text in zip(table._cells, ["room", "beds", "price", "Heron", "2", ""], strict=True):
        cell.text = text
    inner = table.cell(1, 2).add_table(1, 2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "90", "crowns"
    made.add_paragraph("From May.")
    table = made.add_table(1, 3)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "merged"
    document = read(tmp_path, made)
    assert document.text == (
        "Prices.\n\nroom: Heron | beds: 2 | price: 90: crowns\n\nFrom May.\n\nmerged"
    )


def test_headers_come_first_and_footers_last_each_once(tmp_path: Path) -> None:
    made = docx.Document()
    made.sections[0].header.paragraphs[0].text = "The ferry company"
    made.sections[0].footer.paragraphs[0].text = "Page"
    made.add_paragraph("One.")
    made.add_section().header.is_linked_to_previous = False
    made.sections[1].header.paragraphs[0].text = "The ferry company"
    made.add_paragraph("Two.")
    assert read(tmp_path, made).text == "The ferry company\n\nOne.\n\nTwo.\n\nPage"


def test_links_insertions_and_controls_are_read_and_deletions_are_not(tmp_path: Path) -> None:
    made = docx.Document()
    paragraph = made.add_paragraph("See ")._p
    run = "<w:r><w:t>{}</w:t></w:r>"
    paragraph.append(xml(f"<w:hyperlink>{run.format('the link')}</w:hyperlink>"))
    paragraph.append(xml(f"<w:ins>{run.format(', now')}</w:ins>"))
    paragraph.append(xml("<w:del><w:r><w:delText>not this</w:delText></w:r></w:del>"))
    control = f"<w:sdt><w:sdtContent><w:p>{run.format('Chosen.')}</w:p></w:sdtContent></w:sdt>"
    paragraph.addnext(xml(control))
    assert read(tmp_path, made).text == "See the link, now\n\nChosen."


@pytest.mark.parametrize("content", [b"PK no zip", b"<html>"])
def test_what_is_no_docx_is_left_out_with_the_reason(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.docx").write_bytes(content)
    with pytest.raises(DocumentsError, match="cannot be read: "):
        from_folder(tmp_path).read("a.docx")


def test_an_empty_document_holds_no_text(tmp_path: Path) -> None:
    with pytest.raises(DocumentsError, match="holds no text"):
        read(tmp_path, docx.Document())
