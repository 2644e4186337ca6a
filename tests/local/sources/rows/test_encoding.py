"""Bytes become text in the encoding they are in, or are refused; never in another one."""

import json

import pytest

from ragtune.sources.rows.encoding import UnknownEncoding, decoded

GERMAN = "Wann öffnet der Hafen für die Fähre? Um sechs Uhr früh, außer an Feiertagen – 5 € Gebühr."
FRENCH = (
    "À quelle heure ouvre le port ? À six heures, dès l’aube, sauf à Noël : ça dépend du bateau."
)
SPANISH = "¿A qué hora abre el puerto? A las seis de la mañana, según el capitán; nº 3."
SWEDISH = "När öppnar hamnen för färjan? Klockan sex på morgonen, även på lördagar och söndagar."
CZECH = "Kdy se otevírá přístav? V šest hodin ráno, kromě neděle; lístek stojí třicet korun."
POLISH = (
    "Kiedy otwiera się port? O szóstej rano, z wyjątkiem niedziel; bilet kosztuje pięć złotych."
)
HUNGARIAN = "Mikor nyit a kikötő? Reggel hatkor, kivéve az ünnepnapokat; a jegy őt forintba kerül."
TURKISH = "Liman ne zaman açılıyor? Sabah altıda, pazar günleri dışında; bilet beş lira, şöyle ki."
RUSSIAN = "Когда открывается гавань? В шесть утра, кроме воскресенья; билет стоит три кроны."
GREEK = "Πότε ανοίγει το λιμάνι; Στις έξι το πρωί, εκτός από τις Κυριακές."
CHINESE = "港口什么时候开门？早上六点开门，星期日除外；船票三十元，请在码头的办公室购买，不要迟到。"
TAIWAN = "港口什麼時候開門？早上六點開門，星期日除外；船票三十元，請在碼頭的辦公室購買，不要遲到。"
JAPANESE = "港はいつ開きますか。朝の六時に開きますが、日曜日は休みです。切符は三百円です。"
KOREAN = "항구는 언제 문을 엽니까? 일요일을 빼고 아침 여섯 시에 문을 엽니다. 표는 삼천 원입니다."
READ = [
    *[(text, "cp1252") for text in (GERMAN, FRENCH, SPANISH, SWEDISH)],
    (CHINESE, "gb18030"),
    (TAIWAN, "big5"),
    (JAPANESE, "cp932"),
    (JAPANESE, "euc_jp"),
    (KOREAN, "cp949"),
]
REFUSED = [
    *[(text, "cp1250") for text in (CZECH, POLISH, HUNGARIAN)],
    (TURKISH, "cp1254"),
    (RUSSIAN, "cp1251"),
    (RUSSIAN, "koi8_r"),
    (GREEK, "cp1253"),
    (GERMAN.replace("–", "-").replace("€", "Euro"), "cp850"),
    (FRENCH.replace("’", "'"), "mac_roman"),
]
EVERY = [text for text, _ in (*READ, *REFUSED)]


def written(text: str) -> str:
    """Five lines of JSON, as a data set would have them."""
    rows = [{"question": text, "answer": f"{text[:20]} {n}"} for n in range(5)]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.mark.parametrize(("text", "codec"), READ, ids=lambda v: v[:12])
def test_an_encoding_that_is_certain_is_read(text: str, codec: str) -> None:
    found = decoded(written(text).encode(codec))
    assert (found.text, found.encoding) == (written(text), codec)


@pytest.mark.parametrize(("text", "codec"), REFUSED, ids=lambda v: v[:12])
def test_an_encoding_that_is_not_certain_is_refused_and_can_be_named(text: str, codec: str) -> None:
    content = written(text).encode(codec)
    with pytest.raises(UnknownEncoding, match=r"save it as UTF-8, or name the encoding in records"):
        decoded(content)
    assert decoded(content, codec).text == written(text)


@pytest.mark.parametrize("text", EVERY, ids=lambda v: v[:12])
@pytest.mark.parametrize(
    ("codec", "mark", "name"),
    [
        ("utf-8", "", "UTF-8"),
        ("utf-8", "\ufeff", "UTF-8 with a byte-order mark"),
        ("utf-16-le", "\ufeff", "UTF-16"),
        ("utf-16-be", "\ufeff", "UTF-16"),
        ("utf-16-le", "", "UTF-16 without a byte-order mark"),
        ("utf-16-be", "", "UTF-16 without a byte-order mark"),
        ("utf-32-le", "\ufeff", "UTF-32"),
    ],
)
def test_every_unicode_encoding_is_read(text: str, codec: str, mark: str, name: str) -> None:
    found = decoded((mark + written(text)).encode(codec))
    assert (found.text, found.encoding, found.broken) == (written(text), name, False)


def test_a_damaged_line_leaves_the_others_what_they_are() -> None:
    found = decoded(written(CHINESE).encode() + b"\xff\xfe\n")
    assert found.encoding == "UTF-8"
    assert found.broken
    assert found.text.startswith(written(CHINESE))


def test_an_encoding_that_does_not_fit_or_exist_is_named() -> None:
    with pytest.raises(UnknownEncoding, match=r"records\.encoding: utf-8: .* can't decode byte"):
        decoded(GERMAN.encode("cp1252"), "utf-8")
    with pytest.raises(UnknownEncoding, match=r"records\.encoding: utf8000: unknown encoding"):
        decoded(b"a", "utf8000")
