"""Mails (EML): who wrote what to whom, and the text."""

import email
import email.policy
from email.message import MIMEPart
from pathlib import Path
from typing import Any

from ragtune.core.errors import DocumentsError
from ragtune.core.text import charset
from ragtune.sources.readers import html
from ragtune.sources.readers.base import Document, one_line
from ragtune.sources.readers.blocks import Blocks

_HEADERS = ("Subject", "From", "To", "Cc", "Date")


def read(path: Path, name: str) -> list[Document]:
    """The main headers, and the text, or the HTML where there is none; attachments are named."""
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    if not message.keys():
        raise DocumentsError("cannot be read: not what its name says")
    blocks = Blocks()
    lines = [f"{key}: {one_line(str(message[key]))}" for key in _HEADERS if message[key]]
    blocks.text("\n".join(lines))
    body = message.get_body(("plain", "html"))
    if body is not None:
        said = _content(body)
        if body.get_content_subtype() == "html":
            html.add(blocks, said)
        else:
            blocks.text(said)
    attached = [one.get_filename() or one.get_content_type() for one in message.iter_attachments()]
    left_out = [f"the attachment {one}: save it as a file of its own" for one in attached]
    subject = one_line(str(message["Subject"] or ""))
    return [blocks.document(name, subject or path, left_out=left_out)]


def _content(part: "MIMEPart[Any, Any]") -> str:
    """The text of a part; letters that its declared encoding does not have are replaced."""
    try:
        charset.codec(part.get_content_charset("utf-8"))
        return str(part.get_content())
    except (LookupError, UnicodeError):
        return bytes(part.get_payload(decode=True) or b"").decode("utf-8", errors="replace")
