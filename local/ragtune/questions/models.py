"""The models that draft and read: those that ship, or one that the user names."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragtune.core.errors import ModelError
from ragtune.models import smollm
from ragtune.models.defaults import has_chat_template, read_defaults
from ragtune.models.find import fingerprint
from ragtune.models.hardware import Hardware
from ragtune.prompts.registry import format_of
from ragtune.prompts.template import CHAT, Template
from ragtune.questions.asked import Asked
from ragtune.questions.drafters import Drafter
from ragtune.questions.reading import ModelReader, Reader
from ragtune.questions.specialist import SPECIALIST, Specialist
from ragtune.questions.templates import Templates

if TYPE_CHECKING:
    from ragtune.models.engines.local import LocalEngine


def shipped(hardware: Hardware) -> Drafter:
    """The specialist; templates where its base model is not installed."""
    try:
        folder = smollm.smollm_folder(smollm.QUESTIONS)
    except ModelError:
        return Templates()
    engine, tokenizer = _engine(folder, hardware)
    return Specialist(engine, tokenizer)


def reader(hardware: Hardware) -> Reader | None:
    """The reader that ships; None where its base model is not installed."""
    try:
        folder = smollm.smollm_folder(smollm.READER)
    except ModelError:
        return None
    engine, tokenizer = _engine(folder, hardware)
    return ModelReader(engine, format_of(SPECIALIST, tokenizer))


def named(engine: str, model: str | None, hardware: Hardware) -> Drafter:
    """A model that the user names: a server's URL and the model there, or a folder.

    Raises ModelError where there is none, or it cannot be used.
    """
    if engine.startswith(("http://", "https://")):
        from ragtune.models.engines.server import Server

        served = Server(engine, {"base": model} if model else {}).engine()
        return Asked(served, format_of(Template(format=CHAT), None), served.model.name)
    folder = Path(engine).expanduser()
    if not folder.is_dir():
        raise ModelError(
            f"--engine: {engine}: no such folder; give a server's URL (http://…/v1) or a model's "
            "folder"
        )
    here, tokenizer = _engine(folder, hardware)
    return Asked(here, format_of(_template(folder), tokenizer), folder.name, batch=16)


def _template(folder: Path) -> Template:
    """What the model's own defaults say, or its chat template, or the instruction form."""
    given = (read_defaults(folder) or {}).get("template.prompt")
    if given:
        return Template(prompt=given)
    return Template(format=CHAT) if has_chat_template(folder) else Template()


def _engine(folder: Path, hardware: Hardware) -> "tuple[LocalEngine, Any]":
    from ragtune.models.engines.opened import open_engine
    from ragtune.models.load import load_tokenizer

    tokenizer = load_tokenizer(folder)
    return open_engine(folder, tokenizer, hardware, lambda: fingerprint(folder)), tokenizer
