from pathlib import Path
from typing import Any

import ragtune
from ragtune.runs import notebook

ANSWER: dict[str, Any] = {
    "arm": "rag",
    "question": "Who <b>?",
    "text": "<script>Zoë</script>",
    "refused": False,
    "reason": "",
    "support": [{"sentence": "<i>", "share": 0.0, "source": None, "supported": False}],
    "sources": [{"document": "<a>.md", "locator": "p. 1", "text": "<p>"}],
    "prompt_tokens": 3,
    "completion_tokens": 2,
    "seconds": 0.5,
}


def test_an_answer_is_shown_with_its_sources_and_nothing_in_it_is_markup() -> None:
    html = notebook.answer(ANSWER)
    assert "&lt;script&gt;Zoë&lt;/script&gt;" in html
    assert "&lt;a&gt;.md p. 1" in html
    assert "in no source: &lt;i&gt;" in html
    for markup in ("<script", "<b>?", "<a>", "<i>\n"):
        assert markup not in html
    refused = notebook.answer({**ANSWER, "refused": True, "reason": "no answer"})
    assert "refused: no answer" in refused
    assert "in no source" not in refused


def test_an_open_run_and_its_answers_are_shown_as_html(finished_run: Path) -> None:
    with ragtune.open(finished_run) as run, ragtune.open(finished_run) as beside:
        html = run._repr_html_()
        assert finished_run.name in html
        assert html.count("<tr>") == 1 + len(run.recipe.arms)
        assert "of 3" in html or " of " in html
        answer = beside.ask("How often does the bell ring?", arm="rag")
        assert "fog.md" in answer._repr_html_()
        assert answer["index"]["documents"] == 6
    assert list((finished_run / ".open").iterdir()) == []
