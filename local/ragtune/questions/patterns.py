"""What figures, dates, names, codes, reasons and short clauses look like in English sentences."""

import re

_WORD = r"[\w\u2019'-]+"
_TEN = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_NUMBER_WORD = (
    rf"{_TEN}|(?:thir|four|fif|six|seven|eigh|nine)teen|"
    "(?:twen|thir|for|fif|six|seven|eigh|nine)ty|"
    "(?:a|one|two|three) hundred|half an?|one and a half"
)
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH = "|".join((*MONTHS, "Januar", "Februar", "März", "Mai", "Juni", "Juli", "Oktober"))
_DAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_UNIT = (
    "percent|per cent|%|degrees(?: Celsius)?|°C?|"
    "(?:kilo|centi|milli)?(?:met(?:re|er)|gram(?:me)?)s?|kilos?|kg|km|cm|mm|m|g|tonnes?|tons?|"
    "lit(?:re|er)s?|ml|pounds?|ounces?|inch(?:es)?|feet|foot|miles?|yards?|knots?|"
    "watts?|kilowatts?|volts?|bar|hectares?|square (?:met(?:re|er)|kilomet(?:re|er)|mile)s?|sq km|"
    "seconds?|minutes?|hours?|days?|nights?|weeks?|months?|years?|"
    "euros?|dollars?|cents?|francs?|crowns?|EUR|USD|GBP|CHF|million|billion"
)
_FIGURE = rf"(?:\d[\d.,]*\d|\d|(?:{_NUMBER_WORD})(?:-(?:{_TEN}|one))?)"
MONEY = re.compile(r"[$£€¥]\s?\d(?:[\d,.]*\d)?(?: (?:million|billion))?")
MEASURE = re.compile(
    rf"(?<![\w.,/-]){_FIGURE}(?:(?:-| to | and |\u2013| or ){_FIGURE})?[ -]?(?:{_UNIT})(?![\w])"
    r"(?: (?:an? (?:hour|day|week|month|year|head|person|night|piece))(?!\w))?",
    re.I,
)
COUNT = re.compile(rf"(?<![\w.,/:$£€-]){_FIGURE}(?=(?: [a-z]+){{0,2}} [a-z]+(?:s|people|men)\b)")
_ORDINAL = "last|first|second|third|fourth"
DATE = re.compile(
    rf"(?:(?:{_ORDINAL}) (?:{_DAY}|day|week) (?:of|in) (?:the |each |every )?"
    rf"(?:{_MONTH}|month|quarter|year))|"
    rf"(?:\d{{1,2}}(?:st|nd|rd|th|\.)? (?:of )?(?:{_MONTH})(?:,? \d{{4}})?)|"
    rf"(?:(?:{_MONTH}) \d{{1,2}}(?:st|nd|rd|th)?(?:, \d{{4}})?(?!\d))|"
    rf"(?:\b(?:{_MONTH})\b(?: \d{{4}})?(?: (?:to|until|and) (?:{_MONTH}))?)|"
    rf"(?:(?:every|each) (?:other |second )?"
    rf"(?:{_DAY}|day|week|month|quarter|year|evening|morning))|"
    rf"(?:{_DAY}s?(?: (?:morning|afternoon|evening|night))?(?:(?: and | to |, ){_DAY}s?)*)|"
    r"(?<![\w.,£$€-])(?:1[5-9]\d\d|20\d\d)(?![\w.,]\d|\w)|"
    r"(?:once|twice|three times) (?:a|every|each) \w+"
)
_CAPITAL = r"[A-ZÄÖÜ][\w\u2019'-]"
_BEFORE = r"(?:[A-Z]\. ?|[A-Z]{2,} )*"
"""Initials and words in capitals alone that belong to the name behind them."""
NAME = re.compile(
    rf"(?:(?:Dr|Mr|Mrs|Ms|Prof|St|Mount|Lake)\.? )?{_BEFORE}{_CAPITAL}*[a-zäöüß][\w\u2019'-]*"
    r"(?: (?:of the |of |the |de |von |van |and (?=[A-Z]\w+ (?:[A-Z]|Street|Road)))?"
    rf"(?:(?:[A-Z]\.){{2,}}|[A-Z]\.(?= [A-Z])|{_CAPITAL}+))*"
)
CODE = re.compile(
    r"(?:[\w.+-]+@[\w-]+\.[\w.-]*\w)|(?:https?://\S+[\w/])|(?:\bwww\.\S+\w)|"
    r"(?:\b(?=[A-Z0-9-]*\d)(?=[A-Z0-9-]*[A-Z])[A-Z0-9]+(?:-[A-Z0-9]+)*\b)|"
    r"(?:(?<=extension )\d+|(?<=number )\d+|(?<=room )\d+|(?<=channel )\d+|(?<=code )\d+)|"
    r"(?:\b0\d[\d ]{5,}\d\b)|(?:“[^”]{2,40}”|\"[^\"]{2,40}\")"
)
REASON = re.compile(
    r"\b(because|since (?=it|they|the)|so that|in order to|so as to) (?:\S+ ?){2,12}"
)
DEFINITION = re.compile(
    rf"^(?P<what>(?:An? |The )?{_WORD}(?: {_WORD}){{0,4}}) (?:is|are|means|was) "
    r"(?P<is>(?:an?|the) (?:(?! and |, )[^.;:]){8,90})(?: and |, |[.;]|$)"
)
_ITEM = rf"{_WORD}(?: {_WORD}){{0,3}}"
LIST = re.compile(
    r"(?:: |\b(?:includes?|are|of|brings?|needs?|contains?|carry|carries|offers?|sells?|takes?) )"
    rf"(?P<list>(?:{_ITEM}, ){{1,5}}{_ITEM},? (?:and|or) {_ITEM})(?=[.;,]|$)"
)
_STOP = (
    r"(?:and|or|but|if|when|while|where|which|who|that|because|so|unless|until|before|after|as|"
    r"for|in|on|at|by|with|from|to|into|is|are|was|were|will|must|may|can|should|has|have|had|"
    r"than|then|during|without|within|through|under|over|between|not|only|do|does|did|be|been|"
    r"every|each|once)"
)
_PHRASE = (
    rf"(?:(?!{_STOP}\b){_WORD})(?: (?!{_STOP}\b|of\b){_WORD}){{0,3}}"
    rf"(?: of (?:the |an? )?(?:(?!{_STOP}\b){_WORD})(?: (?!{_STOP}\b){_WORD}){{0,2}})?"
)
PLACE = re.compile(
    r"\b(?:in|on|at|behind|under|beside|near|next to|inside|outside|above|below|opposite) "
    r"(?:the|an?|his|her|its|their|your|our) "
    rf"{_PHRASE}(?=[.,;:)]| {_STOP}\b|$)"
)
OBJECT = re.compile(
    r"\b(?:must|should|may|can|cannot|has to|have to|needs?|wears?|brings?|gets?|receives?|uses?|"
    r"pays?|carr(?:y|ies)|calls?|takes?|gives?|keeps?|holds?|asks?|tells?|informs?|provides?)"
    rf"(?: (?!be\b|not\b)[a-z]+)?? (?P<what>(?:the|an?|their|your|his|her) {_PHRASE})"
    rf"(?=[.,;:)]| {_STOP}\b|$)"
)
NO_NAME = re.compile(
    rf"^(?:{_MONTH}|{_DAY}s?|The|This|That|These|Those|If|When|While|Every|Each|All|Any|Some|Most|"
    r"Many|Both|No|Not|It|He|She|They|We|You|I|Its|His|Her|Their|Our|Your|My|In|On|At|For|From|To|"
    r"By|With|After|Before|During|Until|Since|As|But|And|Or|So|There|Here|One|Two|Three|Four|Five|"
    r"Six|Only|Once|Then|Please|Anyone|Everyone|Nobody|Whoever|Except|Unless|Because|Although|A|"
    r"An|What|Which|Who|Whom|Whose|Where|Why|How)$"
)
"""Words with a capital that are no name, as a sentence begins with them."""
