"""What published studies found, and the comparison here in which it should be seen.

Written down before any run. A sign came out where the 95 % interval of the paired difference lies
on its side of 0, it is contradicted where the interval lies on the other side, and undecided where
the interval holds 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ragtune.recipe.arms import Arm

Asked = Literal["answerable", "unanswerable"]
Side = tuple[str, Arm]
"""A study (`scripts.bench.studies`) and one of its arms."""


@dataclass(frozen=True)
class Comparison:
    """Two sides over the same questions; `category` keeps those of one source."""

    title: str
    left: Side
    right: Side
    asked: Asked = "answerable"
    category: str | None = None


@dataclass(frozen=True)
class Sign:
    """A finding: its source, what of it could be checked, and the side on which left is to be."""

    name: str
    claim: str
    source: str
    expected: Literal["above", "below"]
    comparisons: Sequence[Comparison]


MODELS = ("smollm2", "smollm2-reader", "builtin")
WHOLE = ("smollm2", "builtin")
"""Those of which every study is made; of the third only `plain`, for the sake of time."""


def _by_model(
    left: Side, right: Side, asked: Asked = "answerable", models: Sequence[str] = WHOLE
) -> tuple[Comparison, ...]:
    return tuple(
        Comparison(model, (f"{left[0]}/{model}", left[1]), (f"{right[0]}/{model}", right[1]), asked)
        for model in models
    )


def _by_category(left: Side, right: Side) -> tuple[Comparison, ...]:
    shown = {"dolly": "Dolly", "squad": "SQuAD"}
    return tuple(
        Comparison(
            f"{shown[c]}, {m}",
            (f"{left[0]}/{m}", left[1]),
            (f"{right[0]}/{m}", right[1]),
            category=c,
        )
        for m in MODELS
        for c in shown
    )


REFUSING: tuple[tuple[str, Arm, Arm], ...] = (
    ("without retrieval", "tuned", "base"),
    ("with retrieval", "tuned+rag", "rag"),
)

SIGNS: tuple[Sign, ...] = (
    Sign(
        "retrieval",
        "Retrieval is far above tuning on facts of documents.",
        "Ovadia et al., arXiv 2312.05934: the abstract says that retrieval consistently "
        "outperforms tuning, for knowledge seen in training and for new knowledge. Soudani et al., "
        "arXiv 2403.01432: the abstract says that it surpasses tuning by a large margin, most of "
        "all for the least popular facts.",
        "above",
        (
            *_by_category(("plain", "rag"), ("plain", "tuned")),
            Comparison("made-up facts, 4 wordings", ("facts-4", "rag"), ("facts-4", "tuned")),
        ),
    ),
    Sign(
        "both",
        "Below 3 billion parameters, tuning with retrieval is not below retrieval alone.",
        "Soudani et al., arXiv 2403.01432: 82.1 against 76.1 with 1.6 billion parameters (cited at "
        "second hand; the abstract confirms only that tuning helps small models).",
        "above",
        _by_model(("passages", "tuned+rag"), ("plain", "rag")),
    ),
    Sign(
        "unprepared",
        "A model that was tuned without passages gets worse with them.",
        "RAFT, Zhang et al., arXiv 2403.10131, table 1: 61.06 without and 42.59 with passages "
        "(cited at second hand; the figures could not be checked). It is looked for where tuning "
        "alone answers well, which on facts it does not: the format of the mailroom demo.",
        "below",
        (Comparison("mailroom", ("mailroom", "tuned+rag"), ("mailroom", "tuned")),),
    ),
    Sign(
        "rows",
        "Rows without passages make tuning with retrieval worse than retrieval alone.",
        "RAFT, arXiv 2403.10131, table 1, where it is read as against retrieval alone (that table "
        "compares with the same model without passages, see *unprepared*).",
        "below",
        _by_model(("plain", "tuned+rag"), ("plain", "rag"), models=MODELS),
    ),
    Sign(
        "prepared",
        "Rows with passages are better for tuning with retrieval than rows without.",
        "RAFT, arXiv 2403.10131: the abstract says that training with passages, distractors among "
        "them, consistently improves answers from passages.",
        "above",
        _by_model(("passages", "tuned+rag"), ("plain", "tuned+rag")),
    ),
    Sign(
        "same-text",
        "Retrieval over the training records is above tuning on them: the same text.",
        "Ovadia et al., arXiv 2312.05934: both ways were given the same texts.",
        "above",
        (
            Comparison(
                "made-up facts, 1 wording", ("facts-1", "rag-records"), ("facts-1", "tuned")
            ),
            Comparison(
                "made-up facts, 4 wordings", ("facts-4", "rag-records"), ("facts-4", "tuned")
            ),
        ),
    ),
    Sign(
        "distractors",
        "Passages of which none is the right one are worse than none.",
        "Shi et al., arXiv 2302.00093, and Amiraz et al., arXiv 2505.06914: irrelevant passages "
        "make a model answer wrongly (the abstract of the second says so). *Shown*: each question "
        "comes with its own paragraph, so that `base` has something to lose.",
        "below",
        (
            *_by_model(("distractors", "rag"), ("plain", "base")),
            *(
                Comparison(f"shown, {model}", (f"shown/{model}", "rag"), (f"shown/{model}", "base"))
                for model in WHOLE
            ),
        ),
    ),
    Sign(
        "refusals",
        "Refusals fall after tuning on questions that all have an answer.",
        "Zhang et al. (R-Tuning), arXiv 2311.09677: the abstract says that instruction tuning "
        "makes a model complete a sentence whether or not it knows the answer. Only "
        "`smollm2-reader` and `builtin` refuse before tuning.",
        "below",
        (
            *(
                Comparison(
                    f"{model}, {shown}",
                    (f"plain/{model}", left),
                    (f"plain/{model}", right),
                    "unanswerable",
                )
                for model in MODELS[1:]
                for shown, left, right in REFUSING
            ),
            Comparison(
                "builtin, rows with passages",
                ("passages/builtin", "tuned+rag"),
                ("plain/builtin", "rag"),
                "unanswerable",
            ),
        ),
    ),
    Sign(
        "style",
        "Style is learnt by tuning and not by retrieval.",
        "Zhou et al. (LIMA), arXiv 2305.11206: tuning teaches style and format. KnowSLM, arXiv "
        "2504.04569: the abstract says that retrieval gave a small model facts and lacked the "
        "style that tuning gave.",
        "above",
        (Comparison("mailroom", ("mailroom", "tuned"), ("mailroom", "rag")),),
    ),
    Sign(
        "paraphrases",
        "The same facts in more wordings help tuning.",
        "Ovadia et al., arXiv 2312.05934: the abstract says that numerous variations of a fact in "
        "training could help models to learn it.",
        "above",
        (Comparison("made-up facts, 4 and 1", ("facts-4", "tuned"), ("facts-1", "tuned")),),
    ),
)


def studies(signs: Sequence[Sign]) -> list[str]:
    """The studies that signs need, each once."""
    sides = [side for s in signs for c in s.comparisons for side in (c.left, c.right)]
    return list(dict.fromkeys(study for study, _ in sides))
