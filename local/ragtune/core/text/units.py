"""Units of measure: their names and signs, and which of them may be compared.

quantulum3 and pint know thousands more, and take seconds to load and milliseconds a text. The
table here has what answers about documents hold; a word that is not in it is compared as a word
(4 crowns and 4 pounds differ either way).
"""

import re
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its name, what it measures, and how many of the base unit it is."""

    name: str
    measures: str
    size: Fraction = Fraction(1)


_TABLE = """
second|time|1|s sec secs second seconds sekunde sekunden seconde secondes segundo segundos
second|time|1|秒
minute|time|60|min mins minute minutes minuten minuto minutos 分钟 分鐘 分間
hour|time|3600|h hr hrs hour hours stunde stunden heure heures hora horas 小时 小時 時間
hour|time|3600|个小时 個小時
day|time|86400|day days tag tage tagen jour jours día días dia dias 天
week|time|604800|week weeks fortnights wk wks woche wochen semaine semaines semana semanas
week|time|604800|周 週間 个星期 星期 个周
month|month|1|month months monat monate monaten mois mes meses 个月 個月 か月 ヶ月 カ月
month|month|1|ヵ月 月間
year|month|12|year years yr yrs jahr jahre jahren an ans année années año años 年間
decade|month|120|decade decades
milligram|mass|1/1000|mg milligram milligrams milligramme milligrammes milligramm 毫克
microgram|mass|1/1000000|µg μg mcg ug microgram micrograms
gram|mass|1|g gram grams gramme grammes gramm gramos 克
kilogram|mass|1000|kg kgs kilo kilos kilogram kilograms kilogramme kilogrammes kilogramm
kilogram|mass|1000|公斤 千克 キロ
tonne|mass|1000000|t tonne tonnes 吨 トン
lb|lb|1|lb lbs
ounce|oz|1|oz ounce ounces
stone|stone|1|st stones
nanometre|length|1/1000000000|nm
micrometre|length|1/1000000|µm μm micron microns
millimetre|length|1/1000|mm millimetre millimetres millimeter millimeters milímetros 毫米
centimetre|length|1/100|cm centimetre centimetres centimeter centimeters zentimeter 厘米
centimetre|length|1/100|公分
metre|length|1|m metre metres meter meters mètre mètres metro metros 米
kilometre|length|1000|km kms kilometre kilometres kilometer kilometers kilómetros
kilometre|length|1000|kilomètres 公里 千米
mile|mile|1|mi mile miles meilen 英里
inch|inch|1|inch inches zoll
foot|inch|12|ft foot feet fuß
yard|inch|36|yd yds yard yards
nautical mile|nmi|1|nm nmi nautical-mile
square metre|area|1|m2 sqm m^2 平方米
square kilometre|area|1000000|km2 km^2
hectare|area|10000|ha hectare hectares hektar
acre|acre|1|acre acres
cubic metre|volume|1000|m3 m^3 cbm 立方米
litre|volume|1|l L litre litres liter liters litro litros 升 リットル
millilitre|volume|1/1000|ml mL millilitre millilitres milliliter milliliters 毫升
centilitre|volume|1/100|cl cL centilitre centilitres
gallon|gallon|1|gal gallon gallons
pint|pint|1|pint pints
degree|temperature|1|° deg degree degrees grad degré degrés grado grados 度
celsius|celsius|1|°C C celsius centigrade 摄氏度 攝氏度
fahrenheit|fahrenheit|1|°F F fahrenheit
kelvin|kelvin|1|kelvin kelvins
percent|percent|1|% percent per-cent pct prozent por-ciento pour-cent パーセント
permille|percent|1/10|‰ permille per-mille promille
percentage point|points|1|pp percentage-point percentage-points prozentpunkt prozentpunkte
percentage point|points|1|个百分点 百分点 ポイント
volt|volt|1|V volt volts
kilovolt|volt|1000|kV
watt|watt|1|W watt watts
kilowatt|watt|1000|kW kilowatt kilowatts
megawatt|watt|1000000|MW megawatt megawatts
kilowatt hour|energy|1|kWh
ampere|ampere|1|amp amps ampere amperes
milliampere|ampere|1/1000|mA
hertz|hertz|1|Hz hertz
kilohertz|hertz|1000|kHz
megahertz|hertz|1000000|MHz
gigahertz|hertz|1000000000|GHz
bar|pressure|1|bar bars
millibar|pressure|1/1000|mbar millibar millibars hPa
pascal|pascal|1|Pa
kilopascal|pascal|1000|kPa
psi|psi|1|psi
byte|bytes|1|byte bytes
kilobyte|bytes|1000|kB KB kilobyte kilobytes
megabyte|bytes|1000000|MB megabyte megabytes
gigabyte|bytes|1000000000|GB gigabyte gigabytes
terabyte|bytes|1000000000000|TB terabyte terabytes
megabit|bits|1|Mbit Mbps Mbit/s
gigabit|bits|1000|Gbit Gbps Gbit/s
kilometre an hour|km/h|1|km/h kmh kph
mile an hour|mph|1|mph
metre a second|m/s|1|m/s
knot|knot|1|kn kt kts knot knots knoten nœuds nudos
rpm|rpm|1|rpm
newton metre|torque|1|Nm N·m N*m
newton|force|1|newton newtons
ppm|ppm|1|ppm
decibel|decibel|1|dB decibel decibels
calorie|energy food|1|cal
kilocalorie|energy food|1000|kcal
dollar|dollar|1|$ dollar dollars buck bucks dólares dólar 美元 ドル
dollar|USD|1|USD US$ us-dollars us-dollar american-dollars u.s.-dollars
Australian dollar|AUD|1|AUD A$ AU$ australian-dollars
Canadian dollar|CAD|1|CAD C$ CA$ canadian-dollars
Hong Kong dollar|HKD|1|HKD HK$ 港元
Singapore dollar|SGD|1|SGD S$
New Zealand dollar|NZD|1|NZD NZ$
euro|EUR|1|€ EUR euro euros 欧元 ユーロ
pound|pound|1|pound pounds quid livres libras
pound|GBP|1|£ GBP pounds-sterling british-pounds 英镑
penny|GBP|1/100|p penny pence
cent|cent|1|cent cents centavos ct
yen|JPY|1|JPY yen 円
yuan|CNY|1|CNY RMB yuan 元 人民币 块
yen or yuan|¥|1|¥
rupee|INR|1|₹ INR Rs Rs. rupee rupees
won|KRW|1|₩ KRW won 원
rouble|RUB|1|₽ RUB rouble roubles ruble rubles
franc|franc|1|franc francs franken
Swiss franc|CHF|1|CHF SFr swiss-francs
crown|crown|1|crown crowns krone kroner krona kronor kronen kr kr. Kč
Swedish crown|SEK|1|SEK swedish-crowns swedish-kronor
Norwegian crown|NOK|1|NOK norwegian-kroner
Danish crown|DKK|1|DKK danish-kroner
Czech crown|CZK|1|CZK
zloty|PLN|1|PLN zł zloty złoty zlotys
peso|peso|1|peso pesos
Mexican peso|MXN|1|MXN
bitcoin|BTC|1|BTC ₿ bitcoin bitcoins
"""

_UNITS: dict[str, Unit] = {}
"""By their names and signs, each as it is written."""
for _line in _TABLE.strip().splitlines():
    _name, _measures, _size, _signs = _line.split("|")
    for _sign in _signs.split():
        _UNITS.setdefault(_sign.replace("-", " "), Unit(_name, _measures, Fraction(_size)))

_GENERAL = {
    "temperature": {"celsius", "fahrenheit", "kelvin"},
    "dollar": {"USD", "AUD", "CAD", "HKD", "SGD", "NZD"},
    "pound": {"GBP", "lb"},
    "crown": {"SEK", "NOK", "DKK", "CZK"},
    "franc": {"CHF"},
    "peso": {"MXN"},
    "¥": {"JPY", "CNY"},
}
"""Names that leave open which unit is meant, and what they may mean."""
_CENTS = {"dollar", "EUR", "USD", "AUD", "CAD"}

_CURRENCIES = "US$|AU$|CA$|HK$|NZ$|A$|C$|S$|$|€|£|¥|₹|₩|₽|₿|Rs.|Rs|kr"
_CODES = "USD|AUD|CAD|HKD|SGD|NZD|EUR|GBP|JPY|CNY|RMB|INR|KRW|RUB|CHF|SEK|NOK|DKK|CZK|PLN|MXN|BTC"
BEFORE = "|".join(re.escape(sign) for sign in f"{_CURRENCIES}|{_CODES}".split("|"))
"""What is written before an amount, for a pattern."""


def _alternatives(names: list[str]) -> str:
    ordered = sorted(names, key=len, reverse=True)
    return "|".join(re.escape(name).replace(r"\ ", r"[\s-]") for name in ordered)


_SHORT = [n for n in _UNITS if n[0].isascii() and (len(n) <= 2 or not n.islower())]
_SPELT = [n for n in _UNITS if n not in _SHORT and n[0].isalpha() and not n[0] > "\u2e80"]
_SIGNS = [n for n in _UNITS if n not in _SHORT and n not in _SPELT]
UNIT = re.compile(
    rf"\s?(?:degrees?\s(?P<scale>(?i:celsius|fahrenheit)|[CF]\b)"
    rf"|(?P<sign>[{re.escape('%‰°$€£¥₹₩₽')}](?:\s?[CF]\b)?|{_alternatives(_SIGNS)})"
    rf"|(?:-?(?P<spelt>(?i:{_alternatives(_SPELT)}))|(?P<short>{_alternatives(_SHORT)}))(?![\w^/$]))"
)
"""What is written after an amount. Short names are told apart by case (mW, MW); words are not."""


def named(match: re.Match[str]) -> Unit | None:
    """The unit that `UNIT` matched."""
    if match["scale"]:
        return _UNITS["°C" if match["scale"][0] in "cC" else "°F"]
    if match["spelt"]:
        return _UNITS.get(re.sub(r"[\s-]", " ", match["spelt"].lower())) or _UNITS.get(
            match["spelt"]
        )
    return by_sign(match["sign"] or match["short"])


def by_sign(sign: str) -> Unit | None:
    """The unit of a sign or a code, as it is written."""
    return _UNITS.get(re.sub(r"\s", "", sign)) or _UNITS.get(sign)


def ratio(said: Unit, wanted: Unit) -> Fraction | None:
    """How many of ``wanted`` one of ``said`` is; None where they cannot be compared."""
    if said.measures == wanted.measures:
        return said.size / wanted.size
    for general, special in ((said, wanted), (wanted, said)):
        if special.measures in _GENERAL.get(general.measures, ()):
            return said.size / wanted.size
    if said.measures == "cent" and wanted.measures in _CENTS:
        return Fraction(1, 100)
    if wanted.measures == "cent" and said.measures in _CENTS:
        return Fraction(100)
    return None
