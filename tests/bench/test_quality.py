from ragtune.sources.documents import with_context_names
from ragtune.sources.records import Record
from scripts.bench import quality


def test_the_halves_share_no_document_and_leave_nothing_out() -> None:
    records = [
        Record(f"Question {n}?", "x", category=c, document=f"context-{n // 2}")
        for n, c in enumerate(["closed_qa", "information_extraction"] * 20)
    ]
    other = Record("Sum it up.", "x", category="summarization", document="context-1")
    held, rest = (quality.half([*records, other], held_out=h) for h in (True, False))
    assert len(held) + len(rest) == len(records)
    assert held
    assert rest
    assert not {r.document for r in held} & {r.document for r in rest}


def test_every_mode_and_k_is_measured_by_category() -> None:
    texts = ["The harbour opens at six.", "Soup costs three crowns.", "In fog the bell rings."]
    records = [
        Record(f"What of: {text}", "x", context=text, category="closed_qa") for text in texts
    ]
    named = with_context_names(records)
    rows = list(quality.sweep(named, named, [64], [1, 2]))
    assert {(r["mode"], r["k"]) for r in rows if r["category"] == "closed_qa"} == {
        (mode, k) for mode in quality.MODES for k in (1, 2)
    }
    assert all(r["recall_at_k"]["mean"] == 1.0 for r in rows)
    exact = quality.against_exact(named, named)
    assert exact["ndcg@10"] == exact["exact fp32"] == 1.0
