import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer

from ragtune.core.bundled import builtin_model
from ragtune.models.load import load_tokenizer
from ragtune.models.smollm import PUBLISHED, READER, smollm_folder
from ragtune.models.tokenizer import PlainTokenizer
from ragtune.prompts.registry import format_of
from ragtune.prompts.template import Template
from tests.conftest import ROOT

TEXTS = [
    "",
    " ",
    "How many days of paid leave are there?",
    "  two blanks,\ttabs\n\n\nand lines \n",
    "Ünïcödé, 日本語 and 🙂, 1,234.5 %",
    "<s>a</s> <|im_start|>user\nHi<|im_end|> <pad><|endoftext|>",
    "half a <|im_start",
]


def plain_and_whole(folder: Path) -> tuple[PlainTokenizer, Any]:
    """The tokenizer of a folder as ragtune reads it, and as transformers does."""
    from transformers import AutoTokenizer

    plain, whole = load_tokenizer(folder), AutoTokenizer.from_pretrained(folder)
    assert isinstance(plain, PlainTokenizer)
    if whole.pad_token is None:
        whole.pad_token = whole.eos_token
    return plain, whole


@pytest.fixture(params=["builtin", PUBLISHED, READER, "tiny"])
def folder(request: pytest.FixtureRequest, tiny_llama: Path) -> Path:
    """Each of the models that ship, and the tests' own."""
    if request.param == "tiny":
        return tiny_llama
    return builtin_model() if request.param == "builtin" else smollm_folder(request.param)


def test_texts_have_the_tokens_that_transformers_gives_them(folder: Path) -> None:
    plain, whole = plain_and_whole(folder)
    for special in (True, False):
        for split in (True, False):
            options = {"add_special_tokens": special, "split_special_tokens": split}
            wanted = whole(TEXTS, **options)["input_ids"]
            assert plain(TEXTS, **options)["input_ids"] == wanted
            assert [plain(text, **options)["input_ids"] for text in TEXTS] == wanted
    for ids in whole(TEXTS)["input_ids"]:
        assert plain.convert_ids_to_tokens(ids) == whole.convert_ids_to_tokens(ids)
        for skipped in (True, False):
            text = plain.decode(ids, skip_special_tokens=skipped)
            assert text == whole.decode(ids, skip_special_tokens=skipped)


def test_it_says_of_itself_what_transformers_does(folder: Path) -> None:
    plain, whole = plain_and_whole(folder)
    kinds = ("bos", "eos", "unk", "pad")
    for name in [
        *(f"{kind}_token{end}" for kind in kinds for end in ("", "_id")),
        *("model_max_length", "chat_template", "name_or_path"),
    ]:
        assert str(getattr(plain, name)) == str(getattr(whole, name)), name
    assert len(plain) == len(whole)
    assert repr(plain.added_tokens_decoder) == repr(whole.added_tokens_decoder)


def test_a_demos_prompts_have_the_same_ids(folder: Path) -> None:
    plain, whole = plain_and_whole(folder)
    lines = (ROOT / "data/demo/handbook/records.jsonl").read_text(encoding="utf-8").splitlines()
    forms = [Template()]
    if plain.chat_template:
        forms.append(Template(format="chat", prompt="{context}\n\n{instruction}"))
    for template in forms:
        ours, theirs = format_of(template, plain), format_of(template, whole)
        assert ours.stops == theirs.stops
        for row in map(json.loads, lines[:10]):
            asked = row["instruction"], row.get("passage") or "", [TEXTS[5], TEXTS[4]]
            assert ours.prompt(*asked) == theirs.prompt(*asked)
            learnt = row["instruction"], "", row["response"]
            assert ours.row(*learnt) == theirs.row(*learnt)


def test_what_it_does_not_do_is_done_by_transformers(folder: Path, tmp_path: Path) -> None:
    plain, whole = plain_and_whole(folder)
    asked = {"return_attention_mask": True, "max_length": 3, "truncation": True}
    assert dict(plain(TEXTS[2], **asked)) == dict(whole(TEXTS[2], **asked))
    assert plain.convert_tokens_to_ids(["a"]) == whole.convert_tokens_to_ids(["a"])
    plain.save_pretrained(tmp_path)
    assert load_tokenizer(tmp_path)(TEXTS)["input_ids"] == plain(TEXTS)["input_ids"]


def settings(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "tokenizer_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def backend(change: Callable[[Tokenizer], Any]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        change(tokenizer)
        tokenizer.save(str(folder / "tokenizer.json"))

    return changed


def older(name: str, content: dict[str, Any]) -> Callable[[Path], None]:
    def written(folder: Path) -> None:
        (folder / name).write_text(json.dumps(content))

    return written


@pytest.mark.parametrize(
    "change",
    [
        settings(clean_up_tokenization_spaces=True),
        settings(extra_special_tokens=["<mine>"]),
        settings(image_token="<image>"),
        settings(split_special_tokens=True),
        settings(unk_token="<unknown>"),
        settings(bos_token={"__type": "AddedToken", "content": "<s>", "special": True}),
        settings(tokenizer_class="PreTrainedTokenizer"),
        settings(added_tokens_decoder={"0": {"content": "<s>", "special": True, "lstrip": True}}),
        backend(lambda t: t.enable_truncation(8)),
        backend(lambda t: t.enable_padding(pad_id=2, pad_token="<pad>")),
        backend(lambda t: t.add_special_tokens([AddedToken("</s>", special=True, lstrip=True)])),
        older("special_tokens_map.json", {"eos_token": "<s>"}),
        older("added_tokens.json", {"<mine>": 320}),
    ],
)
def test_whatever_else_a_folder_says_is_left_to_transformers(
    change: Callable[[Path], None], tiny_llama: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_llama, tmp_path / "copy")
    assert isinstance(load_tokenizer(folder), PlainTokenizer)
    change(folder)
    found = load_tokenizer(folder)
    assert not isinstance(found, PlainTokenizer)
    assert list(found("a day").input_ids)
