import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragtune.core.text import normalised, tokens, words


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("The Old Mill!", "old mill"),
        ("“cafè”", "cafe"),
        ("well-known", "well known"),
        ("Zoë’s", "zoe"),
        ("don’t", "do not"),
        ("N.A.T.O.", "nato"),
        ("G. K. Ames", "g.k. ames"),
        ("R&D", "r and d"),
        ("ﬂag", "flag"),
        ("Mon", "Monday"),
        ("soft\u00adware", "software"),
        ("1,250", "1250"),
        ("1.250,75 €", "1250.75 euros"),
        ("4,20,000", "420000"),
        ("9 300", "9300"),
        ("٤٫٥", "4.5"),
        ("๔๒", "42"),
        ("part Ⅷ", "part 8"),
        ("6×10³", "6000"),
        ("2^10", "1024"),
        ("−7", "minus seven"),
        ("3/8", "0.375"),
        ("2½", "2.5"),
        ("add ½ cup", "add 1/2 cup"),
        ("$4.5bn", "4.5 billion dollars"),
        ("18%", "eighteen percent"),
        ("19 °C", "19 degrees Celsius"),
        ("2 hours 30 minutes", "2.5 hours"),
        ("1939-45", "1939-1945"),
        ("the 5th", "fifth"),
        ("two dozen", "24"),
        ("eighteen sixty-five", "1865"),
        ("三万五千", "35000"),
        ("二〇二二年", "2022年"),
        ("siebenundzwanzig Tage", "27 Tage"),
        ("quatre-vingts euros", "80 €"),
        ("veintidós", "22"),
        ("마흔두 명", "42명"),
        ("1억 2천만 원", "120000000원"),
        ("이백오십 명", "250명"),
        ("แปดสิบเอ็ดคน", "81คน"),
        ("2.5 ล้านบาท", "2500000บาท"),
    ],
)
def test_one_notation_for_all(text: str, same: str) -> None:
    assert normalised(text) == normalised(same)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("2.4", "24"),
        ("-7", "7"),
        ("C++", "C#"),
        ("C", "C++"),
        ("a > b", "a < b"),
        ("vitamin A", "vitamin"),
        ("v1.10", "v1.1"),
        ("5 mW", "5 MW"),
        ("3 %", "3 percentage points"),
        ("0071", "71"),
        ("1:4", "4:1"),
        ("東京", "東北"),
    ],
)
def test_what_differs_stays_different(text: str, other: str) -> None:
    assert normalised(text) != normalised(other)


def test_scripts_without_spaces_are_cut_into_characters() -> None:
    assert words("图书馆") == ["图", "书", "馆"]
    assert words("24小时") == ["24", "hour"]
    assert words("ดี มาก") == list("ดีมาก")


def test_where_stripping_leaves_nothing_the_text_stays() -> None:
    assert words("???") == ["???"]
    assert words("   ") == words("") == []


def test_articles_go_and_names_stay() -> None:
    assert words("an apple") == ["apple"]
    assert words("option A") == ["option", "a"]
    assert words("A barn") == ["barn"]


def test_a_point_divides_thousands_where_the_text_is_european() -> None:
    assert words("Es kostet 1.200 Euro und 3,50 Euro Pfand.")[2] == "1.2"
    value = tokens("1.200 Euro")[0].value
    assert value is not None
    assert {int(a) for a in getattr(value, "amounts", ()) if a > 2} == {1200}


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    found = tokens(text)
    assert bool(found) or not text.strip() or not normalised(text)
    assert all(t.text for t in found)
