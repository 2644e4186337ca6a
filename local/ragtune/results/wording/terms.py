"""What things are called in sentences, and what figures mean in a few words."""

from ragtune.recipe.arms import Arm
from ragtune.results.metrics.registry import title
from ragtune.results.schema import Added, Cause, Flip

ARMS: dict[str, str] = {
    "base": "the model as it is",
    "fewshot": "examples in the prompt",
    "tuned": "tuning",
    "rag-records": "retrieval over the training records",
    "rag": "retrieval",
    "tuned+rag": "retrieval and tuning together",
}
"""What an arm is called in a sentence."""
SHOWS: dict[Arm, str] = {
    "fewshot": "fewshot has the nearest training records in its prompt as examples: what the "
    "records can do without tuning",
    "rag-records": "rag-records retrieves from the training records alone, the same text that "
    "tuning saw: technique apart from corpus",
}
"""What the arms that are there for fairness are for."""
ADDS: dict[Added, str] = {
    "retrieval": "retrieval",
    "tuning": "tuning",
    "examples": "examples",
    "records": "retrieval over the training records",
}
"""What a step adds."""
FLIPS: dict[Flip, str] = {
    "retrieval_fixed": "retrieval fixed it",
    "retrieval_broke": "retrieval broke it",
    "tuning_fixed": "tuning fixed it",
    "tuning_forgot": "tuning forgot it",
    "only_both": "only both knew it",
    "examples_fixed": "examples fixed it",
    "examples_broke": "examples broke it",
    "records_fixed": "the records as passages fixed it",
    "records_broke": "the records as passages broke it",
}
CAUSES: dict[Cause, str] = {
    "not_found": "the gold passage was not found",
    "refused": "the gold passage was found, but scored below rag.refuse_below",
    "left_out": "the gold passage was found, but had no room in the prompt",
    "misread": "the gold passage was in the prompt",
    "not_refused": "the documents hold no answer, and it gave one",
    "no_gold": "no gold document is named, so retrieval cannot be judged",
}
"""Why an arm with passages was wrong."""
CAUSES_IN_SHORT: dict[Cause, str] = {
    "not_found": "gold not found",
    "left_out": "gold left out",
    "misread": "misread",
    "refused": "refused by score",
    "not_refused": "not refused",
}
"""For the terminal, in this order; without a gold document there is nothing to say."""

METRICS: dict[str, str] = {
    "right": "share of the questions that have an answer",
    "recall": "share of the reference's words that are in the answer",
    "similarity": "how near the meanings are, by the embedder, 0 to 1",
    "accuracy": "share of answers that name their label and no other",
    "numeric_error": "how far numbers are from the reference's; 0 is best",
    "token_f1": "how many words of answer and reference agree, 0 to 1",
    "exact_match": "share of answers that equal the reference",
    "rouge_l": "the longest run of words in the reference's order, 0 to 1",
    "macro_f1": "F1 of each label, all labels counting alike",
}
"""What a metric means, in a few words; for those that ship."""
JUDGES = {"right": "right, as in this report"}
"""Judges that are held against a person, where the name does not say it."""
RIGHT_MEANS = (
    "An answer is right where it says what a reference says, numbers and dates by value; where the "
    "documents hold no answer, when it says so."
)
"""When an answer counts as right."""


def judge(name: str) -> str:
    """What a judge is called that is held against a person."""
    return JUDGES.get(name) or f"{title(name)} from 0.5"


def named(arm: str) -> str:
    """What an arm is called in a sentence."""
    return ARMS.get(arm, arm)
