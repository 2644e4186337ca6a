"""Inputs that are well, to be mutated: one or two of each kind that people have."""

import io
import json
import zipfile

RECIPE = b"""name: tiny
seed: 10
model: {local: builtin, precision: float32}
records:
  source: records.jsonl
  context: passage
  test_fraction: 0.3
  fields: {instruction: frage}
documents: {source: docs, max_file_mb: 5}
tune: {epoch: 2, learning_rate: 0.01}
rag: {chunk_tokens: 64, top_k: 2, language: "de, en"}
study: {max_new_tokens: 4, refusals: [no idea, "cannot say"]}
needs: {p95_latency_ms: 800.5, cite_sources: yes}
"""
ROW = {"instruction": "When does it open?", "response": "six", "context": "It opens at six.\u2014"}
JSONL = b"".join(json.dumps(ROW | {"document": f"{n}.md"}).encode() + b"\n" for n in range(8))
CSV = b"question,answer,context\n" + b'"When, then?",six,"It ""opens"" at six"\n' * 8
HTML = b"""<!doctype html><html><head><meta charset="utf-8"><title>Harbour</title></head><body>
<nav class="menu"><a href=/>x</a></nav><main><h1>Harbour</h1><p>It opens at six &amp; closes.</p>
<ul><li>one<li>two</ul><table><tr><th colspan=2>room<th>price<tr><td rowspan=2>Heron<td>2<td>90
<tr><td>4<td>140</table></main></body></html>"""
MARKDOWN = b"# Harbour\n\nIt opens at six.\n\n| room | price |\n|---|---|\n| Heron | 90 |\n"
MAIL = b"""Subject: Harbour\nFrom: a@example.org\nContent-Type: text/plain; charset=utf-8\n
It opens at six.\n"""
RTF = rb"{\rtf1\ansi{\b Harbour} It opens at six.\par}"


def docx() -> bytes:
    """A Word document with a heading, a paragraph and a table."""
    import docx

    document, held = docx.Document(), io.BytesIO()
    document.add_heading("Harbour")
    document.add_paragraph("It opens at six.")
    document.add_table(2, 2).rows[0].cells[0].text = "room"
    document.save(held)
    return held.getvalue()


def xlsx() -> bytes:
    """A workbook with one sheet."""
    import openpyxl

    book, held = openpyxl.Workbook(), io.BytesIO()
    for row in (["question", "answer"], ["When?", "six"], ["How much?", 90.5]):
        book.active.append(row)
    book.save(held)
    return held.getvalue()


def parquet() -> bytes:
    """A table of records."""
    import pyarrow
    from pyarrow.parquet import write_table

    held = io.BytesIO()
    write_table(pyarrow.table({"question": ["When?"] * 9, "answer": ["six"] * 9}), held)
    return held.getvalue()


def odt() -> bytes:
    """An OpenDocument text."""
    names = "office:1.0", "text:1.0"
    spaces = " ".join(
        f'xmlns:{name.split(":")[0]}="urn:oasis:names:tc:opendocument:xmlns:{name}"'
        for name in names
    )
    content = (
        f"<office:document-content {spaces}><office:body><office:text><text:h>Harbour</text:h>"
        "<text:p>It opens at six.</text:p></office:text></office:body></office:document-content>"
    )
    return zipped({"META-INF/manifest.xml": b"<manifest/>", "content.xml": content.encode()})


def pdf() -> bytes:
    """A page with one line of text."""
    stream = b"BT /F1 12 Tf 72 720 Td (It opens at six.) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(body)
    return body + b"xref\n0 6\n0000000000 65535 f \n" + table + end


def zipped(parts: dict[str, bytes]) -> bytes:
    """An archive of these parts."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return held.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """The parts of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}
