"""The words that the judgement knows: small ones, denials, titles, opposites, spellings.

Lists, for there is no library of them without a model of the language or a data set beside it.
"""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


NEGATORS = _set("""
not no never without neither nor none nobody nothing nowhere except excluding forbidden
prohibited banned disallowed nicht kein keine keinen keiner nie ohne verboten pas jamais sans
aucun aucune interdit nunca sin tampoco prohibido ningun ninguna hardly false
""")
"""What denies what stands near it."""
TITLES = _set("""
mr mrs ms miss dr prof professor sir madam herr frau monsieur madame mme mlle senor senora sr
sra don dona doctor captain capt
""")
"""What may be left out before a name."""
OTHER_OFFICES = _set("""
vice non anti semi pseudo ex deputy assistant stellvertretender stellvertretende stellvertretenden
""")
"""What makes another person or thing of the word behind it: the vice chair is not the chair."""
OFFICES = _set("ex deputy assistant")
"""Those of them that may stand before a name and say what its bearer is."""
YES = _set("""
yes yeah yep yup aye correct right true affirmative certainly absolutely definitely indeed sure
ja jawohl doch richtig wahr oui si vrai exact claro cierto verdadero sim da
""")
"""First words that agree."""
NO = _set("""
no nope nay incorrect wrong false negative never nein falsch nicht non faux falso not nao cannot
nie niemals jamais nunca
""")
"""First words that do not."""
YES_BEGINNINGS = tuple(_set("是 对 對 可以 能 会 有 正确 はい ええ うん そうです 네 예 ใช่ ได้"))
NO_BEGINNINGS = tuple(_set("不 否 没 沒 无 無 错 いいえ いや ちがい 違い 아니 ไม่"))
"""What agreement and disagreement begin with in scripts without spaces."""
SIDES_ALONE = _set("是 是的 对 否 不 不是 はい いいえ 네 아니요 ใช่ ไม่")
"""References that ask for yes or no in scripts without spaces."""
OPPOSITES = _set("""
open/closed inside/outside above/below left/right first/last increase/decrease
increases/decreases rise/fall rises/falls always/never more/less before/after early/late
high/low higher/lower hot/cold on/off north/south east/west northern/southern eastern/western
minimum/maximum clockwise/anticlockwise clockwise/counterclockwise up/down upper/lower
top/bottom push/pull lock/unlock locked/unlocked start/end opens/closes arrive/depart near/far
long/short large/small big/small day/night wet/dry front/back public/private male/female
full/empty legal/illegal safe/unsafe true/false older/younger faster/slower internal/external
buy/sell accept/reject with/without
""")
"""Pairs that answers about documents turn on; an ontology would know more, and weigh more."""
