import pytest

from ragtune.core.errors import RecipeError
from ragtune.retrieval.filters import Condition, Filter, conditions


def test_conditions_are_read_with_their_types() -> None:
    assert conditions([]) is None
    assert conditions(["document!=a=b.md", "page>=10"]) == Filter(
        (Condition("document", "!=", "a=b.md"), Condition("page", ">=", 10))
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("document", r"write it as FIELD=VALUE.*fields are document, locator, title, kind, page"),
        ("author=me", "fields are"),
        ("page=ten", "a page is a whole number"),
        ("title>a", "only pages have an order; use = or !="),
    ],
)
def test_what_is_no_condition_is_a_line(text: str, reason: str) -> None:
    with pytest.raises(RecipeError, match=reason):
        conditions([text])
