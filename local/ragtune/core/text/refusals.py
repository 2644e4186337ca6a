"""Whether a text says that it has no answer, in English, German, French, Spanish, Chinese, Japanese.

No library does this without a model. The phrases are built from parts: who does not say (the
documents, I), what they do not (say, mention, find), and what is not there (an answer,
information). A sentence counts only where it speaks of the answer's absence: "guests are not
included" is an answer, "this is not included in the documents" is none.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from ragtune.core.text.characters import UNSPACED, cleaned

_SOURCE = (
    r"(?:(?:provided|given|available|supplied|above|retrieved|attached|these|this|any(?: of)?|the|"
    r"my|your|our|of|source|reference|search)\s+)*(?:documents?|documentation|text|texts|passages?|context|"
    r"sources?|manual|pages?|articles?|excerpts?|materials?|information|handbook|records?|files?|"
    r"data|paragraphs?|content|snippets?|knowledge base|results|guide|leaflet|brochure|notes?|"
    r"report|policy|contract|sections?|extracts?|references?|input)(?:\s+(?:provided|given|above|supplied|"
    r"at hand|available|here|you (?:gave|provided|shared)(?: me)?))?"
)
_PAPERS = (
    r"(?:documents?|documentation|texts?|passages?|context|sources?|excerpts?|materials?|"
    r"information(?: (?:provided|given))?|paragraphs?|content|snippets?|knowledge base|extracts?|"
    r"references?|search results|input)(?:\s+(?:provided|given|above|supplied|at hand|available|"
    r"here|you (?:gave|provided|shared)(?: me)?))?"
)
_SAYING = (
    r"(?:say|state|mention|specify|contain|provide|include|give|tell|cover|describe|address|"
    r"indicate|discuss|list|answer|reveal|disclose|explain|name|show|clarify|offer|identify|refer|"
    r"make (?:it|this|that|any)|have|hold|touch|go into|report|note|record|supply|speak|talk|"
    r"make clear|note|comment|spell)"
)
_SAID = (
    r"(?:said|stated|mentioned|specified|provided|given|told|described|indicated|discussed|"
    r"answered|disclosed|explained|revealed|clear|known|found|covered|included|listed|available|"
    r"addressed|contained|present|recorded|documented|noted|named|shown|reported|anywhere|clarified|spelt out|spelled out)"
)
_NOT = r"(?:do|does|did|is|are|was|were|has|have|had|can|could|will|would|am|be)(?:\s*not|n't)"
_ALREADY = r"(?:(?:really|currently|actually|explicitly|clearly|directly|even|yet|been|be|specifically|seem to|appear to|anywhere|seems to|at all|exactly|unfortunately|simply|just|ever|to be)\s+)*"
_FINDING = (
    r"(?:know|find|locate|see|tell|say|answer|determine|provide|give|have|help|identify|be (?:sure|certain)|"
    r"confirm|establish|work out|make out|deduce|infer|respond|sure|certain|aware|able|possible|recall|think (?:the|this|it)|"
    r"come across|comment|conclude|verify|speak to|advise|possess|figure)"
)
_OPENING = (
    r"(?:sorry|i'm sorry|i am sorry|i'm afraid|i am afraid|unfortunately|apologies|my apologies|well|"
    r"hmm|based on|according to|from|as far as i (?:can tell|know|can see)|to my knowledge|"
    r"in)?[^.!?]{0,60}?"
)
_ENGLISH = [
    # Who does not say.
    rf"\b{_PAPERS}\s+(?:{_NOT}|cannot|fails? to|never|neither|makes? no|gives? no|has no|have no|"
    rf"contains? no|provides? no|offers? no|holds? no|says? nothing|says? no|(?:is|are) silent|"
    rf"lacks?|includes? no|omits?|mentions? no|leaves? (?:it|this|that|out|open))\s*{_ALREADY}"
    rf"(?:{_SAYING}|{_SAID}|mention|answer|information|detail|details|data|indication|reference|any|on|about|"
    rf"nothing|such|the|this|enough|sufficient|word|clue|hint|out|silent|$)",
    # A policy that does not cover something answers; one that does not mention it does not.
    rf"\b{_SOURCE}\s+(?:(?:(?:do|does|did)(?:\s*not|n't)|cannot|fails? to|never)\s+{_ALREADY}"
    r"(?:say|state|mention|specify|tell|indicate|discuss|answer|describe|explain|reveal|disclose|"
    r"address|contain (?:any|this|that|the|an)|clarify|make (?:it|this) clear|give (?:any|this|that|an))\b|"
    r"(?:says?|contains?|gives?|mentions?) (?:nothing|no (?:information|answer|details?|mention))|"
    r"makes? no (?:mention|reference)|has no (?:information|answer|details?|mention|data)|"
    r"(?:is|are) silent|lacks? (?:the |this |any |that )?(?:information|details?|answer|data))",
    rf"\b(?:it|this|that|they|nobody|nothing|nowhere)\s+(?:(?:do|does|did)(?:\s*not|n't))\s+{_ALREADY}"
    r"(?:say|state|mention|specify|tell|indicate|appear in|occur in)\b",
    rf"\b(?:i|we|one|you)\s+(?:{_NOT}|cannot|can't|couldn't|am unable to|are unable to|was unable to|am not able to|"
    rf"were unable to|was not able to|failed to|lack|have no|had no|found no|find no|see no|"
    rf"found nothing|find nothing|see nothing|have nothing)\s*"
    rf"{_ALREADY}(?:{_FINDING}|the (?:information|answer|data|knowledge|details)|idea|information|"
    rf"answer|knowledge|clue|way|mention|enough|data|record|details?|reference|about|on|in|any|such|$)\b",
    r"\bi'm (?:not (?:sure|certain|aware|able)|unable|unsure|uncertain)\b|\bi am (?:unsure|uncertain|unaware)\b",
    r"\b(?:unable|impossible|not (?:able|possible)) to (?:find|answer|determine|tell|say|locate|know|provide|give|establish)\b",
    # What is not there.
    rf"\b(?:is|are|was|were|has|have|'s|isn't|aren't|wasn't|hasn't|haven't|could|can|cannot|can't|couldn't)\s*"
    rf"(?:not\s+|n't\s+|nowhere\s+|never\s+|be\s+|been\s+)*{_ALREADY}{_SAID}?\s*(?:anywhere )?\b(?:in|by|from|within|on the basis of|using|with)\s+(?:\w+\s+)?{_SOURCE}\b",
    rf"^(?:{_OPENING})?\b(?:is|are|was|were|has|have)(?:\s+not|n't)\s+(?:been\s+)?{_ALREADY}"
    r"(?:stated|mentioned|specified|disclosed|indicated|documented|known|said|told|clear|revealed|"
    r"described|explained|answered|discussed|addressed|recorded|noted|listed|given|provided|available|found|clarified)"
    r"(?:\s+(?:here|anywhere|there|yet|at all|explicitly))?\W*$",
    rf"\bthere(?:'s| is| are| was| were)(?:\s+(?:no|not|nothing|insufficient|little)|n't)\b[^.]*?\b(?:information|answer|"
    rf"mention|data|details?|indication|record|reference|evidence|statement|clue|hint|way to (?:know|tell)|passage|word|\b(?:in|on|from) {_SOURCE})",
    r"\b(?:is|are|was|were)(?:\s+not|n't)\s+(?:mentioned|stated|specified|said|known|indicated|clear|"
    r"disclosed|recorded|explained)\s+(?:who|what|when|where|how|why|whether|which|whose|if)\b",
    rf"\b{_SOURCE}\s+(?:gives?|states?|mentions?|names?|specif(?:y|ies)|indicates?) no(?:ne|thing)?\b",
    r"\b(?:information|answer|details?|data) (?:is|are|was|were) (?:missing|absent|lacking|unavailable|omitted)\b",
    r"^(?:sorry,? |unfortunately,? |there is )?(?:no|insufficient|not enough|without|lacking)\s+(?:(?:relevant|such|specific|sufficient|further|"
    r"available|clear|definite|direct|explicit|matching|useful)\s+)*(?:information|answer|mention|data|details?|indication|record|reference|"
    r"evidence|idea|clue|statement|results?|context|match)"
    rf"(?:\s+(?:is|are|was|were|has been|can be|could be|about|on|in|for|of|to|regarding|concerning|"
    r"available|given|found|provided|whatsoever|at all|exists?|there|here|from|that)\b|\W*$)",
    rf"\b(?:nothing|no ?where|none|neither|no one|no (?:passage|document|text|source|page|section|part))\b"
    rf"(?:[^.]*\b{_SOURCE}|[^.]*)\b(?:says?|states?|mentions?|tells?|answers?|about|mentioned|stated|"
    rf"specified|found|given|covers?|{_SOURCE})\b",
    rf"^(?:the answer (?:is )?|it (?:is )?|this (?:is )?|that (?:is )?|answer:? ?)?(?:an? )?(?:still |currently )?"
    r"(?:unknown|unclear|unanswerable|undisclosed|unspecified|unstated|undetermined|undocumented|not known|n/?a|"
    r"not applicable|not sure|not certain|not clear|not found|not stated|not given|not mentioned|"
    r"not specified|not provided|not available|not answerable|not disclosed|not listed|no clue|"
    r"dunno|no idea|not enough information|not indicated|not documented|not in (?:there|here)|not covered|not described)"
    r"(?:\s+(?:from|in|by|to|here|based|at all|yet|for|given)\b.*)?\W*$",
    rf"\b(?:not|cannot|can't|isn't|never|nowhere|absent|missing|outside)\s+(?:be\s+|been\s+)?(?:\w+\s+)?(?:{_SAID}\s+)?(?:anywhere\s+)?"
    rf"(?:in|from|by|within|of|part of)\s+{_SOURCE}\b",
    rf"\b(?:beyond|outside)(?: of)? (?:what|the scope of)?\s*{_SOURCE}",
    r"\b(?:cannot|can't|can not|could not|couldn't|impossible to) be (?:answered|determined|found|established|known|"
    r"inferred|deduced|said|told|derived|ascertained|confirmed|worked out)\b",
    r"\b(?:question|this) (?:is unanswerable|has no answer|remains (?:open|unanswered))\b",
    rf"\b(?:isn't|is not|aren't|not) (?:something|anything|a (?:topic|question|point|detail))\b[^.]*\b{_SOURCE}",
    r"\b(?:hard|difficult|impossible) to (?:say|tell|know)\b|\banyone's guess\b|\bwho knows\b",
    r"\b(?:the )?answer (?:is|was) (?:not|nowhere|missing|absent|unknown)\b",
    r"\b(?:insufficient|not enough|too little) (?:information|context|data|detail)",
    r"\bi (?:have|'ve) (?:no|never)\b[^.]*\b(?:idea|information|clue|knowledge|data|record|details)\b",
    r"\b(?:beyond|outside) (?:of )?my knowledge\b",
]  # fmt: skip
_OTHER = [
    # German
    r"\b(?:ich|wir)\s+(?:weiß|weiss|wissen|kann|können|konnte|habe|finde|fand)\b[^.]*\b(?:nicht|keine?n?|nichts)\b",
    r"\b(?:weiß|weiss) (?:ich )?(?:es )?nicht\b|\bkeine (?:ahnung|angaben?|information(?:en)?|antwort|auskunft|hinweise?|daten)\b",
    r"\bnicht (?:bekannt|angegeben|erwähnt|genannt|ersichtlich|enthalten|vermerkt|beantwortbar|beantwortet)\b",
    r"\b(?:dokument\w*|text\w*|quelle\w*|unterlage\w*|abschnitt\w*|passage\w*|kontext\w*)\b[^.]*\b(?:nicht|keine?n?|nichts)\b",
    r"\b(?:nicht|keine?n?|nichts)\b[^.]*\b(?:in|aus|im) (?:\w+ )?(?:dokument|text|quelle|unterlage|abschnitt|kontext)\w*",
    r"\bunbekannt\W*$|\blässt sich (?:\w+ )*nicht (?:beantworten|sagen|ermitteln|finden|feststellen|entnehmen)",
    r"\b(?:steht|findet sich|geht) (?:\w+ )*(?:nicht|nirgends|nichts)\b",
    # French
    r"\b(?:je|nous) (?:ne |n')\w+ (?:pas|rien|aucune?)\b|\bje l'ignore\b|\bj'ignore\b",
    r"\b(?:documents?|texte|passages?|sources?|contexte|extraits?)\b[^.]*(?:\bne\b|\bn')[^.]*\b(?:pas|rien|aucune?)\b",
    r"\b(?:aucune?|pas d')\s*(?:information|réponse|mention|donnée|indication|précision)s?\b",
    r"(?:n'est|ne sont|n'a|n'est-ce) pas (?:été )?(?:mentionnée?|indiquée?|précisée?|connue?|spécifiée?|dite?|disponible|dans (?:les|le) (?:documents?|texte))",
    r"\binconnue?\W*$|\bnon (?:précisée?|mentionnée?|indiquée?|spécifiée?)\b|\bil est impossible de (?:répondre|dire|savoir|déterminer)",
    r"\b(?:ne figure|ne se trouve|n'apparaît) (?:pas|nulle part)\b",
    # Spanish
    r"\bno (?:lo )?(?:sé|sabemos|se sabe|puedo|podemos|encuentro|encontré|consta|dispongo|tengo (?:información|datos|la respuesta))\b",
    r"\b(?:documentos?|texto|pasajes?|fuentes?|contexto|fragmentos?)\s+(?:\w+ )?no\s+(?:lo )?(?:dicen?|mencionan?|indican?|contienen?|especifican?|proporcionan?|incluyen?|responden?|aclaran?|precisan?)\b",
    r"\bno (?:se |está |aparece |figura |es |hay |existe )+(?:\w+ )?(?:menciona|indica|especifica|dice|encuentra|mencionad[oa]|indicad[oa]|especificad[oa]|información|respuesta|datos|mención|conocid[oa]|en (?:los|el) (?:documentos?|textos?)|posible (?:responder|saber|determinar))",
    r"\bno (?:aparece|figura|está|se encuentra) en (?:los|el|la) \w+|\bdesconocid[oa]\W*$|\bse desconoce\b|\bsin (?:información|datos|respuesta)\b",
    r"^no se (?:menciona|indica|especifica|dice|sabe)\b",
]  # fmt: skip
_UNSPACED = [
    # Chinese
    r"(?:没有|沒有|未|并未|無|无|不曾|没)(?:有)?(?:明确|具体|直接|被)?(?:提到|提及|说明|說明|提供|给出|給出|记载|記載|包含|涉及|找到|相关|相關|答案|信息|資訊|说|写|指出|列出|介绍|回答|描述|注明|载明|规定)",
    r"(?:无法|無法|不能|没法|难以)(?:从|從|在|根据|根據|由|确|找|回|得|判|提|确定|知)",
    r"不知道|不清楚|不详|不詳|未知$|不得而知|不确定|找不到|查不到|没有(?:任何)?(?:相关|有关|关于)|无从得知|没提",
    r"(?:文档|文件|资料|資料|文中|原文|上下文|段落|材料|文本)[^。]*(?:没|沒|未|无|無|不)",
    # Japanese
    r"(?:わかり|分かり|わから|分から|判り|存じ)(?:ません|ない|ず|かね)|不明(?:です|$)|不明。",
    r"(?:記載|記述|言及|情報|答え|回答|説明|該当|書かれ|載っ|触れ|示され|述べ|見当たり|見つかり|含まれ|明記|言わ|書い)[^。]{0,12}(?:ません|ない|なし|おりません|ありません|いない)",
    r"(?:文書|資料|本文|文章|文脈|ドキュメント|テキスト|提供された)[^。]*(?:ません|ない|なし)",
    r"(?:回答|答え|お答え|判断|確認|特定)(?:は|が)?(?:でき|出来)(?:ません|ない|かね)",
    # Korean, Thai
    r"모르|알 수 없|없습니다|나와 있지|언급되지|ไม่ทราบ|ไม่พบ|ไม่มีข้อมูล|ไม่ได้ระบุ|ไม่ได้กล่าว",
]  # fmt: skip
_SPACED = re.compile("|".join(f"(?:{p})" for p in (*_ENGLISH, *_OTHER)), re.I)
_CUT = re.compile("|".join(f"(?:{p})" for p in _UNSPACED))
_HAS_UNSPACED = re.compile(f"[{UNSPACED}]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？!?])|\n+")
_BUT = re.compile(
    r"[,;]?\s+\b(?:but|however|though|although|aber|jedoch|mais|pero|sin embargo)\b[\s,]*|"
    r"(?:但是?|不过|しかし|ですが)[,、]?", re.I)  # fmt: skip
_ABOUT_SOURCE = re.compile(rf"\b{_SOURCE}\b|\bthey\b|文档|文件|资料|資料|文書", re.I)
_POLITE = re.compile(
    r"\b(?:please|contact|sorry|afraid|unfortunately|apolog|consult|ask|check|let me know|help|"
    r"provide|more (?:information|context|details)|if you)\b", re.I)  # fmt: skip
_DENIAL = re.compile(
    r"n['o]t\b|\bno\b|\bnot|n't|un|none|nothing|nowhere|never|neither|silent|lack|fail|missing|absent|"
    r"insuff|impossible|beyond|outside|n/a|\bna\b|dunno|omit|leave|hard|difficult|guess|who knows|too little|without|"
    r"kein|nicht|ne |n'|aucun|pas|ignor|inconnu|sin |desconoc|cannot", re.I)  # fmt: skip


def refuses(text: str, phrases: Iterable[str] = ()) -> bool:
    """Whether the text as a whole says that it has no answer.

    It does where its first sentence does and no "but" follows with an answer, or where all that
    comes before a later such sentence is about the documents. ``phrases`` are more wordings, each
    found anywhere in it.
    """
    parts = sentences(text)
    if not parts:
        return False
    more = tuple(phrases)
    said = [says_nothing(part, more) for part in parts]
    if not any(said):
        return False
    if said[0]:
        if _answers_after_all(parts[0], more):
            return False
        return not any(_asserts(p) for p, none in zip(parts[1:], said[1:], strict=True) if not none)
    before = parts[: said.index(True)]
    return all(_ABOUT_SOURCE.search(p) or _POLITE.search(p) or len(p.split()) < 2 for p in before)


def _answers_after_all(sentence: str, phrases: tuple[str, ...]) -> bool:
    """Whether an answer follows a "but": I don't know, but I guess 12 knots."""
    _, *after = _BUT.split(sentence, maxsplit=1)
    return bool(after) and not says_nothing(after[0], phrases) and _asserts(after[0])


def sentences(text: str) -> list[str]:
    """The sentences of a cleaned text."""
    return [part.strip() for part in _SENTENCE.split(cleaned(text)) if part.strip()]


def without_refusals(text: str, phrases: Iterable[str] = ()) -> str:
    """The text without the sentences that refuse, and with what follows a "but" in them."""
    more = tuple(phrases)
    kept = []
    for part in sentences(text):
        if says_nothing(part, more):
            _, *after = _BUT.split(part, maxsplit=1)
            kept += after
        else:
            kept.append(part)
    return " ".join(kept)


def says_nothing(sentence: str, phrases: tuple[str, ...] = ()) -> bool:
    """Whether one sentence says that there is no answer."""
    return _says_nothing(sentence, tuple(p for p in phrases if p.strip()))


@lru_cache(maxsize=4096)
def _says_nothing(sentence: str, phrases: tuple[str, ...]) -> bool:
    flat = _flat(sentence)
    if any(f" {_flat(p)} " in f" {flat} " for p in phrases):
        return True
    sentence = sentence.strip(" \t\"'*_([{")
    if _HAS_UNSPACED.search(sentence) and _CUT.search(sentence):
        return True
    return bool(_DENIAL.search(sentence) and _SPACED.search(sentence))


@lru_cache(maxsize=4096)
def _flat(text: str) -> str:
    """Letters and digits alone, spaced; characters each for itself in scripts without spaces."""
    text = _HAS_UNSPACED.sub(lambda m: f" {m[0]} ", cleaned(text).casefold().replace("'", ""))
    return " ".join(re.sub(r"[^\w]+", " ", text).split())


def _asserts(sentence: str) -> bool:
    """Whether a sentence after a refusal answers all the same, rather than being polite."""
    return not (_POLITE.search(sentence) or _ABOUT_SOURCE.search(sentence))
