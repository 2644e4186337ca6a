"""Kinds of files beside text, PDF and Word: one of each, read or named with the reason."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import DocumentsError
from ragtune.sources import readers
from ragtune.sources.documents import from_folder
from ragtune.sources.readers import SUFFIXES, Document, archive

ROWS = [["room", "beds", "price"], ["Heron", "2", "90"], ["Plover", "4", "140"]]
LINES = "room: Heron | beds: 2 | price: 90\nroom: Plover | beds: 4 | price: 140"


def read(folder: Path, name: str, content: str | bytes) -> Document:
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    (document,) = readers.read(folder / name, name)
    return document


def zipped(path: Path, parts: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "room,beds,price\nHeron,2,90\nPlover,4,140\n"),
        ("semicolons.csv", "room;beds;price\r\nHeron;2;90\r\nPlover;4;140\r\n"),
        ("quoted.csv", '"room","beds","price"\n"Heron","2","90"\n"Plover","4","140"'),
        ("a.tsv", "room\tbeds\tprice\nHeron\t2\t90\nPlover\t4\t140\n"),
        ("marked.csv", "\ufeffroom,beds,price\nHeron,2,90\nPlover,4,140\n"),
        ("a.jsonl", '{"room": "Heron", "beds": 2, "price": 90}\n'
                    '{"room": "Plover", "beds": 4, "price": 140}\n'),
        ("a.json", '[{"room": "Heron", "beds": 2, "price": 90},\n'
                   '{"room": "Plover", "beds": 4, "price": 140}]'),
        ("a.md", "| room | beds | price |\n|---|:--:|--:|\n| Heron | 2 | 90 |\n"
                 "| Plover | 4 | 140 |"),
        ("bare.markdown", "room | beds | price\n--- | --- | ---\nHeron | 2 | 90\nPlover | 4 | 140"),
        ("a.org", "| room | beds | price |\n|------+-----+----|\n| Heron | 2 | 90 |\n"
                  "| Plover | 4 | 140 |"),
        ("a.html", "<table><tr><th>room<th>beds<th>price<tr><td>Heron<td>2<td>90"
                   "<tr><td>Plover<td>4<td>140</table>"),
        ("plain.htm", "<table><tr><td>room</td><td>beds</td><td>price</td></tr><tr><td>Heron</td>"
                      "<td>2</td><td>90</td></tr><tr><td>Plover</td><td>4</td><td>140</td></tr>"),
    ],
)  # fmt: skip
def test_rows_say_the_names_of_their_columns(tmp_path: Path, name: str, text: str) -> None:
    document = read(tmp_path, name, text)
    assert document.text.strip() == LINES
    (table,) = document.tables
    assert document.text[table.start : table.end] == LINES


def test_a_table_without_a_header_is_given_none(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", "1,2,3\n4,5,6").text == "1 | 2 | 3\n4 | 5 | 6"
    labels = "<table><tr><th>Open<td>8 to 16<tr><th>Phone<td>555</table>"
    assert read(tmp_path, "a.html", labels).text == "Open: 8 to 16\nPhone: 555"
    either = "<table><tr><td>Name<td>Ida<tr><td>Office<td>harbour</table>"
    document = read(tmp_path, "b.html", either)
    assert document.text == "Name: Ida\nOffice: harbour"
    assert document.tables[0].caption == "Name | Ida"


def test_cells_over_several_rows_and_columns_are_in_each(tmp_path: Path) -> None:
    text = (
        "<table><tr><th rowspan=2>room<th colspan=2>price<tr><th>May<th>June"
        "<tr><td rowspan=2>Heron<td>90<td>95<tr><td>80<td>85</table>"
    )
    assert read(tmp_path, "a.html", text).text == (
        "room: Heron | price May: 90 | price June: 95\nroom: Heron | price May: 80 | price June: 85"
    )


def test_tables_in_code_stay_as_they_are_and_a_rule_is_no_table(tmp_path: Path) -> None:
    text = "```\na | b\n--- | ---\n1 | 2\n```\n\nOne | two\n\n---\n\nThree."
    document = read(tmp_path, "a.md", text)
    assert (document.text, document.tables) == (text, ())


def test_a_tables_heading_and_caption_go_with_it(tmp_path: Path) -> None:
    table = "| room | price |\n|---|---|\n| Heron | 90 |"
    text = f"# Inn\n\n## Rooms\n\nTable 3: prices\n\n{table}\n\nEnd."
    document = read(tmp_path, "a.md", text)
    assert document.tables[0].caption == "Rooms\nTable 3: prices"
    assert document.text.endswith("room: Heron | price: 90\n\nEnd.")
    assert [title for _, title in document.headings] == ["Inn", "Rooms"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.markdown", "# Fees\n\nNone.\n\n## Fog\n\nThe bell rings."),
        ("a.rst", "====\nFees\n====\n\nNone.\n\nFog\n---\n\nThe bell rings."),
        ("a.adoc", "= Fees\n\nNone.\n\n== Fog\n\nThe bell rings."),
        ("a.org", "* Fees\n\nNone.\n\n** Fog\n\nThe bell rings."),
    ],
)
def test_headings_of_plain_kinds_are_places(tmp_path: Path, name: str, text: str) -> None:
    document = read(tmp_path, name, text)
    assert [title for _, title in document.headings] == ["Fees", "Fog"]
    assert document.title == "Fees"
    assert document.locator_at(text.index("The bell"), len(text)) == "Fog"


def test_a_page_is_read_without_what_is_around_it(tmp_path: Path) -> None:
    around = (
        "<body><div id='cookie-banner'><p>We use cookies.</p><button>Accept</button></div>"
        "<header><nav><ul><li><a>Home</a><li><a>Shop</a></ul></nav><h1>Questions</h1></header>{}"
        "<div class='breadcrumb'>Home / Help</div><p hidden>Draft.</p><script>var x</script>"
        "<footer><p>Quay 4, open 8 to 16.</p><ul><li><a>Jobs</a><li><a>Press</a><li><a>Imprint</a>"
        "</ul></footer>"
    )
    inside = {
        "<div><button>When does it leave?</button><div>At seven.</div></div>":
            "When does it leave?\nAt seven.",
        "<main><p>See the <a>list</a>.</p><table><tr><th>room<th>price<tr><td>Heron<td>90</table>"
        "</main>": "See the list.\nroom: Heron | price: 90",
        "<ul><li><a>Larkspur</a><li><a>Applewick</a><li><a>Dunmore</a></ul>":
            "Larkspur\nApplewick\nDunmore",
        "<details><summary>Dogs?</summary><p style='display:none'>Yes.</p></details>":
            "Dogs?\nYes.",
    }  # fmt: skip
    for shown, text in inside.items():
        document = read(tmp_path, "a.html", around.format(shown))
        assert document.text == f"Questions\n{text}\nQuay 4, open 8 to 16."


def test_json_says_the_way_to_each_value(tmp_path: Path) -> None:
    value = {
        "port": {"name": "Larkspur", "open": True},
        "tags": ["fog", "bell"],
        "gates": [{"id": 1, "at": {"hour": 7}}, {"id": 2, "at": None}],
    }
    assert read(tmp_path, "a.json", json.dumps(value)).text == (
        "port.name: Larkspur\nport.open: yes\ntags: fog, bell\n\ngates\n\nid: 1 | at.hour: 7\nid: 2"
    )


def test_mails_say_who_wrote_them_and_name_what_is_attached(tmp_path: Path) -> None:
    text = (
        "From: Ida <ida@x.org>\nTo: Olaf\nSubject: =?utf-8?q?The_f=C3=A4hre?=\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n"
        "<p>It leaves at <b>seven</b>.\n--b\nContent-Type: application/pdf\n"
        "Content-Disposition: attachment; filename=plan.pdf\n\nx\n--b--\n"
    )
    document = read(tmp_path, "a.eml", text)
    assert document.title == "The fähre"
    assert document.text.endswith("To: Olaf\n\nIt leaves at seven.")
    assert document.left_out == ("the attachment plan.pdf: save it as a file of its own",)


def test_rich_text_is_read(tmp_path: Path) -> None:
    text = r"{\rtf1\ansi{\fonttbl\f0 Arial;}\f0 The {\b bell} rings in caf\'e9 \u8220?fog\u8221?.}"
    assert read(tmp_path, "a.rtf", text).text == 'The bell rings in café "fog".'


def test_books_are_read_in_their_order(tmp_path: Path) -> None:
    parts = {
        "META-INF/container.xml": "<container><rootfiles><rootfile full-path='o/p.opf'/>"
        "</rootfiles></container>",
        "o/p.opf": "<package xmlns:dc='http://purl.org/dc/elements/1.1/'><metadata><dc:title>"
        "The bay</dc:title></metadata><manifest><item id='b' href='b.xhtml'/>"
        "<item id='a' href='a.xhtml'/>"
        "<item id='n' href='n.xhtml' properties='nav'/></manifest><spine><itemref idref='n'/>"
        "<itemref idref='a'/><itemref idref='b'/></spine></package>",
        "o/a.xhtml": "<html><body><h1>One</h1><p>Fog.</p></body></html>",
        "o/b.xhtml": "<html><body><h1>Two</h1><p>Bell.</p></body></html>",
        "o/n.xhtml": "<html><body><p>Contents</p></body></html>",
    }
    zipped(tmp_path / "a.epub", parts)
    (document,) = readers.read(tmp_path / "a.epub", "a.epub")
    assert (document.title, document.text) == ("The bay", "One\nFog.\nTwo\nBell.")
    assert [title for _, title in document.headings] == ["One", "Two"]


def test_open_documents_are_read_with_tables_and_notes(tmp_path: Path) -> None:
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "text", "table", "drawing")
    ).replace("xmlns:drawing=", "xmlns:draw=")
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    rows = "".join(
        f"<table:table-row>{''.join(cell.format(c) for c in row)}</table:table-row>" for row in ROWS
    )
    body = (
        "<office:text><text:h>Rooms</text:h><text:p>See<text:s text:c='2'/>below<text:note>"
        "<text:note-body><text:p>since May</text:p></text:note-body></text:note>.</text:p>"
        f"<table:table>{rows}</table:table></office:text>"
    )
    content = f"<office:document-content {spaces}><office:body>{body}</office:body>"
    parts = {
        "content.xml": content + "</office:document-content>",
        "META-INF/manifest.xml": "<manifest/>",
    }
    zipped(tmp_path / "a.odt", parts)
    (document,) = readers.read(tmp_path / "a.odt", "a.odt")
    assert document.text == f"Rooms\n\nSee  below (since May).\n\n{LINES}"
    book = (
        f"<office:spreadsheet><table:table table:name='May'>{rows}<table:table-row "
        "table:number-rows-repeated='1000000'><table:table-cell/></table:table-row>"
        "</table:table></office:spreadsheet>"
    )
    zipped(tmp_path / "a.ods", parts | {"content.xml": parts["content.xml"].replace(body, book)})
    (document,) = readers.read(tmp_path / "a.ods", "a.ods")
    assert (document.text, document.locator) == (LINES, "May")
    parts["META-INF/manifest.xml"] = "<encryption-data/>"
    zipped(tmp_path / "b.odt", parts)
    with pytest.raises(DocumentsError, match="needs a password"):
        readers.read(tmp_path / "b.odt", "b.odt")


def test_slides_are_read_in_the_order_of_the_show(tmp_path: Path) -> None:
    main = "http://schemas.openxmlformats.org/drawingml/2006/main"
    show = "http://schemas.openxmlformats.org/presentationml/2006/main"
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    spaces = f'xmlns:a="{main}" xmlns:p="{show}" xmlns:r="{links}"'

    def shape(text: str, kind: str = "body") -> str:
        return (
            f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r>'
            f"<a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
        )

    def relations(*targets: str) -> str:
        inner = "".join(
            f'<Relationship Id="r{n}" Type="{links}/{t.split("/")[-1][:-4]}" Target="{t}"/>'
            for n, t in enumerate(targets)
        )
        return f"<Relationships>{inner}</Relationships>"

    def slide(inner: str, more: str = "") -> str:
        return f"<p:sld {spaces}{more}><p:cSld><p:spTree>{inner}</p:spTree></p:cSld></p:sld>"

    cell = "<a:tc><a:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></a:txBody></a:tc>"
    rows = "".join(f"<a:tr>{''.join(cell.format(c) for c in row)}</a:tr>" for row in ROWS)
    table = f'<p:graphicFrame><a:tbl><a:tblPr firstRow="1"/>{rows}</a:tbl></p:graphicFrame>'
    parts = {
        "ppt/presentation.xml": f'<p:presentation {spaces}><p:sldIdLst><p:sldId r:id="r1"/>'
        '<p:sldId r:id="r2"/><p:sldId r:id="r0"/></p:sldIdLst></p:presentation>',
        "ppt/_rels/presentation.xml.rels": relations(
            "slides/a.xml", "slides/b.xml", "slides/c.xml"
        ),
        "ppt/slides/a.xml": slide(f"<p:grpSp>{shape('Prices', 'title')}</p:grpSp>{table}"),
        "ppt/slides/b.xml": slide(shape("Fog.") + shape("7", "sldNum")),
        "ppt/slides/c.xml": slide(shape("Secret."), ' show="0"'),
        "ppt/slides/_rels/b.xml.rels": relations("../notesSlides/notesSlide.xml"),
        "ppt/notesSlides/notesSlide.xml": slide(shape("Speak slowly.")),
    }
    zipped(tmp_path / "a.pptx", parts)
    first, last = readers.read(tmp_path / "a.pptx", "a.pptx")
    assert (first.text, first.locator, first.page) == ("Fog.\n\nSpeak slowly.", "slide 1", 1)
    assert (last.text, last.locator) == (f"Prices\n\n{LINES}", "slide 3")


def sheet(path: Path, rows: list[list[Any]], state: str = "visible") -> None:
    """A workbook with one sheet, in as few parts as readers need."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packed = "http://schemas.openxmlformats.org/package/2006"
    cells = "".join(
        f'<row r="{y}">'
        + "".join(
            f'<c r="{chr(65 + x)}{y}"><v>{v}</v></c>'
            if isinstance(v, int | float)
            else f'<c r="{chr(65 + x)}{y}" t="inlineStr"><is><t>{v}</t></is></c>'
            for x, v in enumerate(row)
            if v != ""
        )
        + "</row>"
        for y, row in enumerate(rows, 1)
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    zipped(
        path,
        {
            "[Content_Types].xml": f'<Types xmlns="{packed}/content-types"><Default '
            'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships'
            f'+xml"/><Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
            f'<Override PartName="/xl/s.xml" ContentType="{kind}.worksheet+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{packed}/relationships"><Relationship Id="r" '
            f'Type="{links}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{links}"><sheets><sheet '
            f'name="Rooms" sheetId="1" r:id="r" state="{state}"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packed}/relationships">'
            f'<Relationship Id="r" Type="{links}/worksheet" Target="s.xml"/></Relationships>',
            "xl/s.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
        },
    )


def test_a_sheets_tables_are_found_with_their_captions(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Prices from May"],
        *ROWS[:1],
        ["Heron", 2, 90.5],
        ["Plover", 4, 140],
        [""],
        ["Note"],
    ]
    sheet(tmp_path / "a.xlsx", rows)
    (document,) = readers.read(tmp_path / "a.xlsx", "a.xlsx")
    lines = LINES.replace("90", "90.5")
    assert document.text == f"Prices from May\n\n{lines}\n\nNote"
    assert (document.locator, document.title) == ("Rooms", "a: Rooms")
    assert document.tables[0].caption == "Prices from May"
    sheet(tmp_path / "b.xlsx", rows, "hidden")
    with pytest.raises(DocumentsError, match="holds no text in 0 sheets"):
        readers.read(tmp_path / "b.xlsx", "b.xlsx")


ZIPS = (".docx", ".pptx", ".xlsx", ".odt", ".epub")


@pytest.mark.parametrize("content", [b"PK\x03\x04broken", b"<html>no</html>", b"\0\1\2", b"", b" "])
def test_no_broken_file_of_any_kind_stops_the_others_or_goes_unnamed(
    tmp_path: Path, content: bytes
) -> None:
    for n, kind in enumerate(SUFFIXES):
        (tmp_path / f"broken{kind}").write_bytes(content + b" " * n if content else b"")
    (tmp_path / "good.md").write_text("Fog.")
    found, skipped = from_folder(tmp_path).read_all()
    held = {document.name for document in found}
    assert "good.md" in held
    assert held | skipped.keys() == {"good.md", *(f"broken{kind}" for kind in SUFFIXES)}
    assert not {f"broken{kind}" for kind in ZIPS} & held
    assert all(reason and "\n" not in reason for reason in skipped.values())


def test_a_small_file_that_unpacks_to_too_much_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST", 1000)
    zipped(tmp_path / "a.epub", {"a": "x" * 1001})
    zipped(tmp_path / "a.docx", {"b": "x" * 1001})
    for name in ("a.epub", "a.docx"):
        with pytest.raises(DocumentsError, match="unpacks to"):
            readers.read(tmp_path / name, name)


def test_a_file_of_another_kind_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Fog.")
    (tmp_path / "a.doc").write_bytes(b"x")
    (tmp_path / "Makefile").write_bytes(b"y")
    assert from_folder(tmp_path).skipped == {
        "Makefile": "a file without an ending is not read",
        "a.doc": ".doc is not read; save it as .docx",
    }


@pytest.mark.parametrize(
    "halves", [r"\u-10179?\u-8704?", r"\u55357?\u56832?", r"\uc0\u55357 \u56832 "]
)
def test_an_emoji_in_two_halves_is_one_letter_in_rtf(tmp_path: Path, halves: str) -> None:
    assert read(tmp_path, "a.rtf", rf"{{\rtf1\ansi A {halves} here.}}").text == "A 😀 here."


@pytest.mark.parametrize("rootfile", ["", "<rootfile/>", '<rootfile full-path="../../x"/>'])
def test_a_book_whose_container_leads_nowhere_says_so(tmp_path: Path, rootfile: str) -> None:
    zipped(tmp_path / "a.epub", {"META-INF/container.xml": f"<container>{rootfile}</container>"})
    with pytest.raises(DocumentsError, match="its container names no package that is in it"):
        readers.read(tmp_path / "a.epub", "a.epub")
