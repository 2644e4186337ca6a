"""A tokenizer that is all in ``tokenizer.json``, read without transformers.

The import of transformers takes as long as a question to a small model. What its plain class would
do with such a folder is done here; whatever the folder's settings say beyond that is left to it.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken
from tokenizers import Tokenizer as Backend

CLASSES = ("TokenizersBackend", "PreTrainedTokenizerFast")
"""The two names of the class of tokenizers that are all in ``tokenizer.json``."""
NAMED = tuple(f"{name}_token" for name in ("bos", "eos", "unk", "sep", "pad", "cls", "mask"))
"""Settings that give a special token's text."""
HEEDED = frozenset(
    {*NAMED, "tokenizer_class", "model_max_length", "chat_template", "added_tokens_decoder"}
)
INERT = frozenset({"backend", "is_local", "local_files_only", "name_or_path", "padding_side"})
"""Settings that decide nothing of a text's tokens."""
OLDER = ("special_tokens_map.json", "added_tokens.json", "additional_chat_templates")
"""Further files that transformers reads settings from."""
MANY = 100_000
"""Beyond so many tokens transformers looks for a mistake of Mistral's in the file, and mends it."""
ENCODING = frozenset({"add_special_tokens", "split_special_tokens"})
"""Options of a call that need no transformers."""
UNBOUNDED = int(1e30)
"""What transformers gives as ``model_max_length`` where nobody says it."""


class PlainTokenizer:
    """A fast tokenizer of transformers', of which the usual part is done without it.

    Texts, ids and what it says of itself need no transformers. At anything else, such as saving it,
    rendering a chat or changing it, transformers' own takes its place.
    """

    def __init__(self, plain: "_Plain", whole: Callable[[], Any]) -> None:
        """``whole`` loads transformers' tokenizer of the same folder."""
        vars(self).update(_now=plain, _whole=whole)

    def __call__(self, text: str | Sequence[str], **options: Any) -> Any:
        """Encode a text, or several; the result maps ``input_ids`` to token ids."""
        if options.keys() <= ENCODING:
            return self._now(text, **options)
        return self._replaced()(text, **options)

    def __len__(self) -> int:
        return len(self._now)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by Python itself, which goes on without
            raise AttributeError(name)
        now = vars(self)["_now"]
        return getattr(now if hasattr(now, name) else self._replaced(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._replaced(), name, value)

    def _replaced(self) -> Any:
        if isinstance(self._now, _Plain):
            vars(self)["_now"] = self._whole()
        return self._now


class _Plain:
    """What is used of a tokenizer for questions, answers and rows."""

    def __init__(self, folder: Path, backend: Backend, settings: dict[str, Any]) -> None:
        self._backend = backend
        self.name_or_path = str(folder)
        self.model_max_length: int = settings.get("model_max_length", UNBOUNDED)
        self.chat_template: str | None = settings.get("chat_template")
        for name in ("bos_token", "eos_token", "unk_token", "pad_token"):
            token = settings.get(name)
            setattr(self, name, token)
            setattr(self, f"{name}_id", None if token is None else backend.token_to_id(token))

    def __call__(
        self,
        text: str | Sequence[str],
        add_special_tokens: bool = True,
        split_special_tokens: bool = False,
    ) -> dict[str, Any]:
        texts = [text] if isinstance(text, str) else list(text)
        self._backend.encode_special_tokens = split_special_tokens
        found = self._backend.encode_batch(texts, add_special_tokens=add_special_tokens)
        ids = [encoding.ids for encoding in found]
        return {"input_ids": ids[0] if isinstance(text, str) else ids}

    def __len__(self) -> int:
        return int(self._backend.get_vocab_size(with_added_tokens=True))

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """Tokens that are found in a text before all others, by id."""
        found: dict[int, AddedToken] = self._backend.get_added_tokens_decoder()
        return found

    def decode(self, ids: int | Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """The text of tokens."""
        given = [ids] if isinstance(ids, int) else list(ids)
        return str(self._backend.decode(given, skip_special_tokens=skip_special_tokens))

    def convert_ids_to_tokens(self, ids: Sequence[int]) -> list[str | None]:
        """Tokens as the vocabulary writes them; None for one that it does not have."""
        return [self._backend.id_to_token(int(number)) for number in ids]


def plain_tokenizer(folder: Path, whole: Callable[[], Any]) -> PlainTokenizer | None:
    """The tokenizer of a folder, which pads with EOS unless it says otherwise.

    None where transformers would do more than is done here; ``whole`` loads its own.
    """
    if any((folder / name).exists() for name in OLDER):
        return None
    try:
        settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        if settings.get("tokenizer_class") not in CLASSES or not _is_known(settings):
            return None
        template = folder / "chat_template.jinja"
        if template.is_file():
            settings["chat_template"] = template.read_text(encoding="utf-8")
        settings["pad_token"] = settings.get("pad_token") or settings.get("eos_token")
        backend = Backend.from_file(str(folder / "tokenizer.json"))
        if not _is_whole(backend, settings):
            return None
    except Exception:  # tokenizers raises Exception itself; whatever it is, transformers words it
        return None
    return PlainTokenizer(_Plain(folder, backend, settings), whole)


def _is_known(settings: dict[str, Any]) -> bool:
    given = {name: value for name, value in settings.items() if value is not None}
    if given.pop("clean_up_tokenization_spaces", False):
        return False
    texts = {name: given[name] for name in (*NAMED, "chat_template") if name in given}
    return given.keys() <= HEEDED | INERT and all(isinstance(t, str) for t in texts.values())


def _is_whole(backend: Backend, settings: dict[str, Any]) -> bool:
    """Whether the file says all: its special tokens are those that the settings name."""
    added: dict[int, AddedToken] = backend.get_added_tokens_decoder()
    plain = {
        token.content
        for token in added.values()
        if token.special
        and not (token.normalized or token.lstrip or token.rstrip or token.single_word)
    }
    said = settings.get("added_tokens_decoder") or {}
    same = {int(n): AddedToken(**token) for n, token in said.items()} == added if said else True
    return (
        same
        and {settings[name] for name in NAMED if settings.get(name) is not None} <= plain
        and backend.truncation is None
        and backend.padding is None
        and backend.post_processor is not None
        and backend.get_vocab_size() <= MANY
    )
