from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import ModelError
from ragtune.models.hardware import probe
from ragtune.retrieval.passages import Passage
from ragtune.retrieval.rerank import Reranker


def test_passages_stand_in_the_order_of_the_cross_encoders_scores(cross_encoder: Path) -> None:
    from sentence_transformers import CrossEncoder

    texts = ["the bell rings", "soup is sold", "the harbour opens"]
    passages = [Passage(str(n), "d.md", "", text, 0.5) for n, text in enumerate(texts)]
    ranked = Reranker(cross_encoder, probe()).rank("the bell", passages, 2)
    plain: Any = CrossEncoder(str(cross_encoder), device="cpu")
    scores = dict(zip(texts, plain.predict([("the bell", t) for t in texts]), strict=True))
    assert [p.text for p in ranked] == sorted(texts, key=lambda t: -scores[t])[:2]
    assert [p.score for p in ranked] == pytest.approx([scores[p.text] for p in ranked], abs=1e-5)


def test_a_folder_without_a_cross_encoder_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"rag\.rerank: .*no usable cross-encoder"):
        Reranker(tmp_path, probe())
