"""How a model reads best: chunk length by number of passages, on a demo's TRAINING records.

The figures of ``data/models/*/ragtune.yaml`` are from here. Records are spread evenly over the
training file and asked as questions, each with what hybrid search finds in the demo's documents;
no test question is read.

    python -m scripts.bench.defaults data/demo/handbook/recipe.yaml --model smollm2-reader
    python -m scripts.bench.defaults data/demo/handbook/recipe.yaml --model smollm2 \
        --set template=chat --set study.max_new_tokens=48
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from ragtune.arms.arm import Arm
from ragtune.prompts.registry import format_of
from ragtune.recipe.schema import Recipe
from ragtune.results.metrics.answers import token_f1
from ragtune.results.rightness import is_right
from ragtune.retrieval import index
from ragtune.retrieval.passages import Passage
from ragtune.runs import defaults
from ragtune.runs.materials import Materials
from ragtune.sources.records import Record

Found = list[list[Passage]]


def spread(records: Sequence[Record], count: int) -> list[Record]:
    """So many of the records, evenly spread over their order."""
    return [records[n * len(records) // count] for n in range(min(count, len(records)))]


def searched(recipe: Recipe, materials: Materials, asked: Sequence[Record], most: int) -> Found:
    """The best ``most`` passages for each record, from an index made for it."""
    rag = recipe.rag.model_copy(update={"top_k": most})
    with tempfile.TemporaryDirectory() as folder:
        known = materials.embedder_fingerprint
        index.update(
            materials.corpus, rag, materials.embedder, fingerprint=known, folder=Path(folder)
        )
        opened = index.Retriever(Path(folder), rag, materials.embedder, known, None)
        try:
            return opened.search([record.instruction for record in asked])
        finally:
            opened.close()


def main() -> None:
    """Print a line for each combination: token F1, share right, seconds an answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--chunk-tokens", type=int, nargs="+", default=[64, 96, 128])
    parser.add_argument("--top-k", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--records", type=int, default=60)
    parser.add_argument("--answers", type=int, default=0, help="how many answers to print")
    options = parser.parse_args()
    own = [f"model.local={options.model}", "records.context=passage", *options.set]
    recipe = defaults.load(options.recipe, tuple(own))
    materials = Materials(recipe)
    asked = spread(materials.train, options.records)
    engine = materials.engine(None, "")
    form = format_of(recipe.template.build(), materials.tokenizer)
    arm = Arm(engine, form, recipe.study.max_new_tokens, show_context=False)
    for chunk_tokens in options.chunk_tokens:
        rag = recipe.rag.model_copy(update={"chunk_tokens": chunk_tokens})
        one = recipe.model_copy(update={"rag": rag})
        found = searched(one, materials, asked, max(options.top_k))
        for top_k in options.top_k:
            started = time.perf_counter()
            answers = arm.ask_all(asked, [passages[:top_k] for passages in found], 16)
            seconds = (time.perf_counter() - started) / len(asked)
            pairs = list(zip(asked, answers, strict=True))
            f1 = mean(
                token_f1(answer.text, record.references, refusals=recipe.study.all_refusals)
                for record, answer in pairs
            )
            right = mean(
                is_right(record, answer.text, recipe.study.all_refusals) for record, answer in pairs
            )
            print(
                f"chunk_tokens {chunk_tokens} top_k {top_k}: token F1 {f1:.3f}, right {right:.2f}, "
                f"{seconds:.2f} s an answer",
                flush=True,
            )
            for record, answer in pairs[: options.answers]:
                print(f"    {record.instruction} | {record.response} | {answer.text!r}")


if __name__ == "__main__":
    main()
