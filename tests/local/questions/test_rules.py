import pytest

from ragtune.questions.facts import Fact
from ragtune.questions.rules import fault_of, is_new
from tests.local.questions.helpers import collection, fact

PERMIT = "A permit for the upper car park costs 30 crowns a month."


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        ("What does one pay monthly for a permit?", None),
        ("How much is parking on the upper level?", None),
        ("A permit costs 30 crowns.", "is no question"),
        ("What is paid? And when?", "is no question"),
        ("Do 30 crowns a month pay for a permit?", "gives its answer"),
        ("Who pays for a permit in the upper car park?", "asks for something else"),
        ("Why does a permit for the car park cost something?", "asks for something else"),
        ("What does it cost?", "names nothing"),
        ("How much does this permit cost in the car park?", "names nothing"),
        ("How much is charged for one bicycle shed?", "names nothing"),
        ("How much is a permit for the upper car park costs?", "repeats its sentence"),
    ],
)
def test_a_question_has_a_subject_its_own_words_and_a_fitting_form(
    question: str, fault: str | None
) -> None:
    assert fault_of(question, fact(PERMIT, "30 crowns a month", "Staff parking")) == fault


@pytest.mark.parametrize(
    ("text", "answer", "fitting", "other"),
    [
        ("The gate of the yard opens at 6:30 for the carts.", "6:30",
         "When can carts enter the yard?", "Who opens the yard for carts?"),
        ("Complaints about the ferry go to Nadia Weiss.", "Nadia Weiss",
         "Who deals with complaints about the ferry?", "When are ferry complaints read?"),
        ("The yard is swept twice a week by apprentices.", "twice a week",
         "How often do apprentices sweep the yard?", "How long do apprentices sweep the yard?"),
        ("The spare key of the boat hangs behind the ticket window.", "behind the ticket window",
         "Where is the other boat key kept?", "How many spare boat keys are there?"),
    ],
)  # fmt: skip
def test_the_question_word_fits_the_kind_of_answer(
    text: str, answer: str, fitting: str, other: str
) -> None:
    assert fault_of(fitting, fact(text, answer)) is None
    assert fault_of(other, fact(text, answer)) == "asks for something else"


def test_a_figure_is_asked_for_as_one() -> None:
    one = fact("The head cook plans the menu two weeks ahead.", "two weeks")
    assert fault_of("What does the head cook plan for the menu?", one) == "asks for something else"
    assert fault_of("How far ahead does the cook plan the menu?", one) is None


def test_what_happens_after_or_every_so_long_does_not_last_so_long() -> None:
    after = fact("A laptop of the office is replaced after four years.", "after four years")
    assert fault_of("How long is a laptop replaced at the office?", after)
    assert fault_of("After how many years is an office laptop replaced?", after) is None


def test_only_what_a_sentence_counts_is_counted() -> None:
    one = fact("After six wrong tries, an account is locked.", "six")
    assert fault_of("How many times is an account locked?", one) == "asks for something else"
    assert fault_of("How many wrong tries lock an account?", one) is None


def test_a_figure_in_a_question_is_one_of_its_passage_and_counts_the_same() -> None:
    one = fact("In the last 20 years Italy has voted 10 times.", "Italy")
    assert fault_of("Which country voted 20 times?", one) == "asks for something else"
    assert fault_of("Which country voted 10 times?", one) is None


def test_questions_in_other_scripts_are_held_against_the_rules_that_they_can_be() -> None:
    one = fact("停车场 permit 每月 30 crowns 一次。", "30 crowns")
    assert fault_of("停车场每月多少钱\uff1f", one) != "is no question"


def test_two_questions_of_the_same_words_are_one() -> None:
    before = ["What does a permit for the car park cost?"]
    assert not is_new("What does a car park permit cost?", before)
    assert is_new("Who gives out permits for the car park?", before)
    assert is_new("Who opens the library?", ["When does the library open?"])


@pytest.mark.parametrize(
    ("text", "answer", "fitting", "contrary"),
    [
        ("The ramp at the pier is closed on Wednesdays.", "Wednesdays",
         "When is the ramp at the pier shut?", "When does the ramp at the pier open?"),
        ("The night bus leaves the clock tower at 12:20.", "12:20",
         "When does the night bus depart from the tower?", "When does the night bus arrive there?"),
        ("Members borrow the heavy saw from Otto Brandt.", "Otto Brandt",
         "Who gives the heavy saw to members?", "Who does not give the heavy saw to members?"),
    ],
)  # fmt: skip
def test_no_question_says_the_opposite_of_its_sentence(
    text: str, answer: str, fitting: str, contrary: str
) -> None:
    asked = fact(text, answer)
    assert fault_of(fitting, asked) != "asks for something else"
    assert fault_of(contrary, asked) == "asks for something else"


def test_how_long_is_not_asked_of_what_happens_so_long_before() -> None:
    asked = fact("The head cook plans the menu two weeks ahead.", "two weeks")
    assert fault_of("How long is the menu of the cook?", asked) == "asks for something else"
    assert fault_of("How far in advance is the menu planned?", asked) is None


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        ("What is the deposit for a tile cutter?", None),
        ("What is the price of a tile cutter?", "asks for something else"),
    ],
)
def test_a_cell_is_asked_for_by_its_own_column(question: str, fault: str | None) -> None:
    row = "tool: Tile cutter | size: 1.2 m | deposit: 40 pounds | fee: 3 pounds"
    assert fault_of(question, fact(row, "40 pounds")) == fault
    assert fault_of("What is the price of a tile cutter?", fact(row, "3 pounds")) is None


COLD = (
    "The fire extinguishers use carbon dioxide. Backups run every night at 1:30. They are kept for "
    "two weeks. Receipts below five crowns are thrown away."
)


def of(text: str, answer: str) -> Fact:
    found = collection({"a.md": ("Server room", COLD)}).facts("a.md")
    return next(one for one in found if (one.sentence.text, one.answer) == (text, answer))


def test_a_question_is_about_what_its_own_sentence_names() -> None:
    nightly = of("Backups run every night at 1:30.", "1:30")
    other = "At what time are the fire extinguishers checked?"
    assert fault_of(other, nightly) == "asks for something else"
    assert fault_of("At what time are backups run at night?", nightly) is None
    assert fault_of("When do the backups of the server room begin?", nightly) is None
    kept = of("They are kept for two weeks.", "two weeks")
    assert fault_of("How long does the server room keep backups?", kept) is None


def test_a_most_or_a_least_is_asked_for_where_there_is_one() -> None:
    small = of("Receipts below five crowns are thrown away.", "five crowns")
    assert fault_of("What is the minimum amount of a receipt in crowns?", small)
    lift = fact("The lift in bay three carries up to 3.5 tonnes.", "up to 3.5 tonnes")
    assert fault_of("What is the maximum load of the lift in bay three?", lift) is None
    assert fault_of("What is the minimum load of the lift in bay three?", lift)


def test_a_clause_with_not_is_asked_about_with_something_like_it() -> None:
    missed = fact("A visit that is not cancelled a day before costs 25 crowns.", "25 crowns")
    assert fault_of("How much does a visit cost a day before?", missed)
    assert fault_of("What is the price of a visit that is not called off?", missed) is None
    bound = fact("The lift carries no more than 350 kilos at a time.", "no more than 350 kilos")
    assert fault_of("How much does the lift carry at a time?", bound) is None
    beside = fact("Loose chalk is not allowed, but chalk balls cost 3 crowns.", "3 crowns")
    assert fault_of("How much do chalk balls cost?", beside) is None


def test_a_bare_number_is_asked_for_by_what_it_counts() -> None:
    four = fact("Only the four members of the night team have a badge.", "four", "Server room")
    assert fault_of("What is the size of the night team in the server room?", four)
    assert fault_of("How many members of the night team hold a badge?", four) is None
