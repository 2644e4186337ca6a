"""A question in other words than its sentence has, by words that mean the same in nearly any text.

People who ask have not read the sentence, so they share a quarter of its words rather than most of
them. The table holds pairs that were written for this by hand; nothing in it is from any text that
questions were measured on. A noun is exchanged only where no noun can follow it: "the car is", and
not "the car park".
"""

import re
from functools import cache

from ragtune.questions.stems import content

_NOUNS = """
employee member of staff|employees members of staff|worker employee|workers employees
passenger traveller|passengers travellers|traveller passenger|travellers passengers
child youngster|children youngsters|pupil schoolchild|pupils schoolchildren
doctor physician|doctors physicians|physician doctor|physicians doctors
lorry truck|lorries trucks|truck lorry|trucks lorries|car automobile|cars automobiles
trip journey|trips journeys|journey trip|journeys trips|voyage journey|voyages journeys
fee charge|fees charges|salary pay|salaries pay|wage pay|wages pay
box container|boxes containers|rubbish waste|waste rubbish
garbage rubbish|lamp light|lamps lights|shop store|shops stores|job post|jobs posts
team group|teams groups|phone telephone|telephone phone|telephones phones
path track|paths tracks|ships vessels|boat vessel|boats vessels
vessel ship|vessels ships|aeroplane aircraft|aeroplanes aircraft|plane aircraft|planes aircraft
bicycle bike|bicycles bikes|bike bicycle|bikes bicycles|engine motor|engines motors|motor engine
motors engines|accident mishap|accidents mishaps|mistake error|mistakes errors|error mistake
errors mistakes|rule regulation|rules regulations
picture image|pictures images|photograph photo|photographs photos|photo photograph
photos photographs|film movie|films movies|movie film|movies films|region area|regions areas
border boundary|borders boundaries|animal creature|animals creatures|lunch midday meal
dinner evening meal|supper evening meal|breakfast morning meal|beverage drink|beverages drinks
clothes clothing|clothing clothes|gift present|gifts presents|prize award|prizes awards
award prize|awards prizes|owner proprietor|owners proprietors|author writer|authors writers
writer author|writers authors|soldiers troops|teacher instructor|teachers instructors
instructor teacher|instructors teachers|colleague co-worker|colleagues co-workers
customer client|customers clients|client customer|clients customers|supplier vendor
suppliers vendors|firm company|firms companies|company firm|companies firms
luggage baggage|baggage luggage|parcel package|parcels packages|package parcel|packages parcels
basement cellar|cellar basement|attic loft|loft attic
toilet lavatory|toilets lavatories|fog mist|dawn daybreak|dusk nightfall|noon midday|midday noon
duration length of time|percentage share|illness sickness|sickness illness
illnesses sicknesses|task job|tasks jobs|staircase stairs|inhabitants residents
residents inhabitants|timetable schedule|schedule timetable|income earnings|earnings income
beginning start
forest wood|forests woods|stone rock|stones rocks|cloth fabric|fabric cloth|vicinity neighbourhood
"""
_WORDS = """
begin start|begins starts|starts begins|began started|finishes ends|ends finishes|ended finished
buy purchase|buys purchases|bought purchased|purchased bought|repaired mended|mended repaired
required needed|requires needs|require need|needed required|needs requires
forbidden prohibited|prohibited forbidden|banned forbidden
obtain get|obtains gets|obtained got|receive get|receives gets|received got|gets receives
informed told|informs tells|inform tell|checked inspected|inspected checked
examined inspected|examines inspects|chosen selected|chooses selects|choose select
selected chosen|selects chooses|built constructed|build construct|constructed built|closed shut
rebuilt reconstructed|closes shuts|sent dispatched|sends dispatches|helped assisted|helps assists
shown displayed|displayed shown|founded established|leads heads
established founded|led headed|contains holds|contained held|lives resides|lived resided
rented hired|collected gathered|collects gathers|collect gather|delivered brought|delivers brings
deliver bring|finished completed|completed finished|discovered found|destroyed wrecked
decides determines|supervises oversees|supervised overseen
oversees supervises|oversee supervise|departs leaves|depart leave|transported carried
transports carries|manufactured produced|manufactures produces|produced manufactured
demolished torn down|postponed put off|cancelled called off|fed given food
annual yearly|yearly annual|annually each year|maximum greatest|minimum lowest|largest biggest
biggest largest|large big|big large|small little|main principal|principal main|ill sick|sick ill
extra additional|additional extra|private personal|whole entire|entire whole|expensive costly
cheap inexpensive|costly expensive|famous well-known|important significant
previous earlier|former earlier|initially at first|usually as a rule
normally as a rule|frequently often|entirely wholly|immediately at once
quickly fast|rapidly fast|nearly almost|almost nearly
"""
_PHRASES = """
responsible for|in charge of
in charge of|responsible for
takes place|happens
take place|happen
thrown away|discarded
divided into|split into
free of charge|without payment
picked up|collected
set up|established
made up of|composed of
"""
_FORMS = (
    (r"^How much (?:does|do) (.+?) cost\b(.*)\?$", r"What is the price of \1\2?"),
    (r"^How much (?:does|do|did) (.+?) weigh\b(.*)\?$", r"What is the weight of \1\2?"),
    (r"^How long (?:does|do) (.+?) last\b(.*)\?$", r"What is the duration of \1\2?"),
    (r"^How (?:high|tall) is (.+)\?$", r"What is the height of \1?"),
    (r"^How deep is (.+)\?$", r"What is the depth of \1?"),
    (r"^How wide is (.+)\?$", r"What is the width of \1?"),
    (r"^How heavy is (.+)\?$", r"What is the weight of \1?"),
    (r"^What is (.+) called\?$", r"By what name is \1 known?"),
)
"""Questions whose verb or adjective is the sentence's, and the same with a noun."""
_AFTER_NOUN = (
    r"(?=\?|,| (?:is|are|was|were|has|have|had|be|to|of|in|on|at|by|for|from|with|that|who)\b)"
)
_NO_OBJECT = r"(?! (?:to|out|off|up|for|down|away|after|on|over|by phone)\b)"


def in_other_words(question: str, sentence: str) -> str:
    """The question, with what it has from its sentence in other words where these are known.

    Words with a capital are names, and stay.
    """
    said = set(content(sentence))
    for verbal, nominal in _FORMS:
        question = re.sub(verbal, nominal, question)
    for words, look, other in _pairs():
        if words <= said and not re.search(rf"\b{re.escape(other)}\b", question):
            question = look.sub(other, question, count=1)
            question = re.sub(rf"\b([Aa])n? (?={re.escape(other)}\b)", rf"\1{_n(other)} ", question)
    return question


def _n(word: str) -> str:
    """What the article before a word has more than "a"."""
    return "n" if word[0] in "aeio" else ""


@cache
def _pairs() -> list[tuple[set[str], re.Pattern[str], str]]:
    """The stems that a sentence has to have, what is looked for, and what stands there instead."""
    phrases = [line.split("|") for line in _PHRASES.strip().splitlines()]
    found = [(old, new, "") for old, new in phrases]
    found += [(old, new, _AFTER_NOUN) for old, new in _listed(_NOUNS)]
    found += [(old, new, _NO_OBJECT) for old, new in _listed(_WORDS)]
    return [(set(content(old)), re.compile(rf"\b{old}\b{after}"), new) for old, new, after in found]


def _listed(table: str) -> list[tuple[str, str]]:
    pairs = [pair.split(" ", 1) for line in table.strip().splitlines() for pair in line.split("|")]
    return [(old, new) for old, new in pairs]
