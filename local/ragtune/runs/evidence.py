"""What a run measures beside its answers: losses, forgetting, freshness, the learning curve.

Each function takes the workbench, computes one thing, and gives it as JSON or writes it into the
folder that it is given; `pipeline` makes stages of them.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.core.errors import RecipeError, RecordsError
from ragtune.core.files import write_json, write_jsonl
from ragtune.core.progress import Watcher
from ragtune.models.adapter import load_tuned
from ragtune.recipe.schema import Arm
from ragtune.retrieval.passages import Passage
from ragtune.runs.workbench import Workbench


def refusal(bench: Workbench, watcher: Watcher) -> dict[str, Any]:
    """The score below which nothing found is good enough, from the training questions."""
    from ragtune.retrieval.threshold import calibrate

    found = calibrate(
        bench.retriever,
        bench.split.train,
        bench.recipe.seed,
        with_context=bench.show_context,
    )
    watcher.say(
        f"refusal: below {found.below:.4f}; of {found.questions} training questions it "
        f"refuses {found.wrongly:.0%}, and {found.rightly:.0%} without their gold document"
    )
    return dict(found.to_json())


def heldout_loss(bench: Workbench, watcher: Watcher) -> dict[str, Any]:
    """The loss on the reference answers before and after tuning, nats a token."""
    from ragtune.results.heldout import completion_loss

    losses: dict[str, Any] = {}
    for side, engine in (("base", bench.base_engine), ("tuned", bench.tuned_engine)):
        with watcher.progress(f"held-out loss: {side}") as advance:
            measured = completion_loss(
                engine,
                bench.format,
                bench.split.test,
                show_context=bench.show_context,
                advance=advance,
            )
        losses[side] = measured.mean
        losses["tokens"] = measured.tokens
    return losses


def forgetting(bench: Workbench, watcher: Watcher) -> dict[str, Any]:
    """The loss on general text, and how it is continued, before and after tuning."""
    from ragtune.results import forgetting

    text = forgetting.paragraphs(bench.general_text)
    tokenizer = bench.tokenizer
    losses, continued = [], []
    for side, engine in (("base", bench.base_engine), ("tuned", bench.tuned_engine)):
        with watcher.progress(f"forgetting: {side}") as advance:
            losses.append(forgetting.text_loss(engine, tokenizer, text, advance))
            continued.append(forgetting.continuations(engine, tokenizer, text))
    return forgetting.compare(losses, continued)


def freshness(
    bench: Workbench, arm: Arm, texts: Sequence[str], work: Path, watcher: Watcher
) -> dict[str, Any] | None:
    """Seconds from a changed document to a changed answer; None where no document can be changed.

    ``texts`` are the arm's answers to the questions: those answered rightly are changed first.
    The index is copied into ``work``; the run's own is not touched.
    """
    from ragtune.results import freshness
    from ragtune.retrieval import index

    refusal, own = bench.recipe.study.refusal, bench.show_context
    asked = freshness.by_rightness(bench.split.test, texts, refusal)
    made = freshness.changes(bench.corpus, asked, with_context=own)
    if not made:
        return None
    copy = work / "index"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(bench.folder / "index", copy)
    rag, embedder, fingerprint = bench.recipe.rag, bench.embedder, bench.embedder_fingerprint

    def opened(corpus: Any) -> Any:
        index.update(corpus, rag, embedder, fingerprint=fingerprint, folder=copy)
        return bench.open_index(copy)

    with watcher.progress("freshness") as advance:
        measured = freshness.measure(
            made,
            bench.list_documents,
            opened,
            lambda retriever: bench.arm(arm, retriever=retriever),
            refusal=refusal,
            advance=advance,
        )
    return freshness.summary(measured)


def learn(
    bench: Workbench,
    share: float,
    found: dict[Arm, Sequence[Sequence[Passage]]],
    work: Path,
    watcher: Watcher,
) -> None:
    """Tune on a share of the records and answer the questions with what came of it.

    ``found`` holds the tuned arms and the passages of each question. Writes
    ``<arm>.jsonl`` and ``training.json`` into ``work/curve/<share>``.

    Raises RecipeError for a share that leaves nothing to train on.
    """
    from ragtune.results import learning_curve as curve
    from ragtune.tuning import trainer as train

    records = curve.subset(bench.split.train, share, bench.recipe.seed)
    try:
        samples = bench.samples(bench.training_rows(records))
    except RecordsError as error:
        raise RecipeError(
            f"study.learning_curve: {share:g} of the records is too little: {error}"
        ) from None
    with watcher.progress(f"tune on {share:.0%}") as advance:
        tuned = train.tune(
            bench.recipe.tune,
            bench.base,
            samples,
            seed=bench.recipe.seed,
            name=bench.recipe.model.local,
            template_hash=bench.template.hash,
            hardware=bench.hardware,
            folder=work,
            watcher=watcher,
            advance=advance,
        )
    adapter = work / "adapter"
    model = load_tuned(bench.base, adapter, bench.template.hash, bench.hardware)
    engine = bench.engine(model, adapter)
    folder = work / "curve" / f"{share:g}"
    size = bench.recipe.study.batch_size
    for arm, passages in found.items():
        with watcher.progress(f"answers on {share:.0%}: {arm}") as advance:
            learnt = bench.arm(arm, engine=engine)
            answers = learnt.ask_all(bench.split.test, passages, size, advance)
        write_jsonl(folder / f"{arm}.jsonl", [a.to_json() for a in answers])
    write_json(folder / "training.json", {"records": len(records), **tuned.to_json()})
