"""The wordings of refusals, as patterns of regular expressions.

One paragraph, one pattern; a line's end is not part of it, and ``<name>`` stands for `PARTS`.
"""

PARTS = {
    "source": r"""
(?:(?:provided|given|available|supplied|above|retrieved|attached|these|this|any(?: of)?|the|my|
your|our|of|source|reference|search)\s+)*(?:documents?|documentation|text|texts|passages?|
context|sources?|manual|pages?|articles?|excerpts?|materials?|information|handbook|records?|
files?|data|paragraphs?|content|snippets?|knowledge base|results|guide|leaflet|brochure|notes?|
report|policy|contract|sections?|extracts?|references?|input)(?:\s+(?:provided|given|above|
supplied|at hand|available|here|you (?:gave|provided|shared)(?: me)?))?
""",
    "papers": r"""
(?:documents?|documentation|texts?|passages?|context|sources?|excerpts?|materials?|
information(?: (?:provided|given))?|paragraphs?|content|snippets?|knowledge base|extracts?|
references?|search results|input)(?:\s+(?:provided|given|above|supplied|at hand|available|here|
you (?:gave|provided|shared)(?: me)?))?
""",
    "saying": r"""
(?:say|state|mention|specify|contain|provide|include|give|tell|cover|describe|address|indicate|
discuss|list|answer|reveal|disclose|explain|name|show|clarify|offer|identify|refer|make (?:it|
this|that|any)|have|hold|touch|go into|report|note|record|supply|speak|talk|make clear|note|
comment|spell)
""",
    "said": r"""
(?:said|stated|mentioned|specified|provided|given|told|described|indicated|discussed|answered|
disclosed|explained|revealed|clear|known|found|covered|included|listed|available|addressed|
contained|present|recorded|documented|noted|named|shown|reported|anywhere|clarified|spelt out|
spelled out)
""",
    "not": r"""
(?:do|does|did|is|are|was|were|has|have|had|can|could|will|would|am|be)(?:\s*not|n't)
""",
    "already": r"""
(?:(?:really|currently|actually|explicitly|clearly|directly|even|yet|been|be|specifically|
seem to|appear to|anywhere|seems to|at all|exactly|unfortunately|simply|just|ever|to be)\s+)*
""",
    "finding": r"""
(?:know|find|locate|see|tell|say|answer|determine|provide|give|have|help|identify|be (?:sure|
certain)|confirm|establish|work out|make out|deduce|infer|respond|sure|certain|aware|able|
possible|recall|think (?:the|this|it)|come across|comment|conclude|verify|speak to|advise|
possess|figure)
""",
    "opening": r"""
(?:sorry|i'm sorry|i am sorry|i'm afraid|i am afraid|unfortunately|apologies|my apologies|well|
hmm|based on|according to|from|as far as i (?:can tell|know|can see)|to my knowledge|
in)?[^.!?]{0,60}?
""",
}
"""What several patterns share."""
ENGLISH = r"""
\b<papers>\s+(?:<not>|cannot|fails? to|never|neither|makes? no|gives? no|has no|have no|
contains? no|provides? no|offers? no|holds? no|says? nothing|says? no|(?:is|are) silent|lacks?|
includes? no|omits?|mentions? no|leaves? (?:it|this|that|out|open))\s*<already>(?:<saying>|
<said>|mention|answer|information|detail|details|data|indication|reference|any|on|about|nothing|
such|the|this|enough|sufficient|word|clue|hint|out|silent|$)

\b<source>\s+(?:(?:(?:do|does|did)(?:\s*not|n't)|cannot|fails? to|never)\s+<already>(?:say|
state|mention|specify|tell|indicate|discuss|answer|describe|explain|reveal|disclose|address|
contain (?:any|this|that|the|an)|clarify|make (?:it|this) clear|give (?:any|this|that|an))\b|
(?:says?|contains?|gives?|mentions?) (?:nothing|no (?:information|answer|details?|mention))|
makes? no (?:mention|reference)|has no (?:information|answer|details?|mention|data)|(?:is|
are) silent|lacks? (?:the |this |any |that )?(?:information|details?|answer|data))

\b(?:it|this|that|they|nobody|nothing|nowhere)\s+(?:(?:do|does|did)(?:\s*not|
n't))\s+<already>(?:say|state|mention|specify|tell|indicate|appear in|occur in)\b

\b(?:i|we|one|you)\s+(?:<not>|cannot|can't|couldn't|am unable to|are unable to|was unable to|
am not able to|were unable to|was not able to|failed to|lack|have no|had no|found no|find no|
see no|found nothing|find nothing|see nothing|have nothing)\s*<already>(?:<finding>|
the (?:information|answer|data|knowledge|details)|idea|information|answer|knowledge|clue|way|
mention|enough|data|record|details?|reference|about|on|in|any|such|$)\b

\bi'm (?:not (?:sure|certain|aware|able)|unable|unsure|uncertain)\b|\bi am (?:unsure|uncertain|
unaware)\b

\b(?:unable|impossible|not (?:able|possible)) to (?:find|answer|determine|tell|say|locate|know|
provide|give|establish)\b

\b(?:is|are|was|were|has|have|'s|isn't|aren't|wasn't|hasn't|haven't|could|can|cannot|can't|
couldn't)\s*(?:not\s+|n't\s+|nowhere\s+|never\s+|be\s+|
been\s+)*<already><said>?\s*(?:anywhere )?\b(?:in|by|from|within|on the basis of|using|
with)\s+(?:\w+\s+)?<source>\b

^(?:<opening>)?\b(?:is|are|was|were|has|have)(?:\s+not|n't)\s+(?:been\s+)?<already>(?:stated|
mentioned|specified|disclosed|indicated|documented|known|said|told|clear|revealed|described|
explained|answered|discussed|addressed|recorded|noted|listed|given|provided|available|found|
clarified)(?:\s+(?:here|anywhere|there|yet|at all|explicitly))?\W*$

\bthere(?:'s| is| are| was| were)(?:\s+(?:no|not|nothing|insufficient|little)|
n't)\b[^.]*?\b(?:information|answer|mention|data|details?|indication|record|reference|evidence|
statement|clue|hint|way to (?:know|tell)|passage|word|\b(?:in|on|from) <source>)

\b(?:is|are|was|were)(?:\s+not|n't)\s+(?:mentioned|stated|specified|said|known|indicated|clear|
disclosed|recorded|explained)\s+(?:who|what|when|where|how|why|whether|which|whose|if)\b

\b<source>\s+(?:gives?|states?|mentions?|names?|specif(?:y|ies)|indicates?) no(?:ne|thing)?\b

\b(?:information|answer|details?|data) (?:is|are|was|were) (?:missing|absent|lacking|
unavailable|omitted)\b

^(?:sorry,? |unfortunately,? |there is )?(?:no|insufficient|not enough|without|
lacking)\s+(?:(?:relevant|such|specific|sufficient|further|available|clear|definite|direct|
explicit|matching|useful)\s+)*(?:information|answer|mention|data|details?|indication|record|
reference|evidence|idea|clue|statement|results?|context|match)(?:\s+(?:is|are|was|were|has been|
can be|could be|about|on|in|for|of|to|regarding|concerning|available|given|found|provided|
whatsoever|at all|exists?|there|here|from|that)\b|\W*$)

\b(?:nothing|no ?where|none|neither|no one|no (?:passage|document|text|source|page|section|
part))\b(?:[^.]*\b<source>|[^.]*)\b(?:says?|states?|mentions?|tells?|answers?|about|mentioned|
stated|specified|found|given|covers?|<source>)\b

^(?:the answer (?:is )?|it(?: is|'s)? ?|(?:this|that)(?: is|'s)? ?|answer:? ?)?(?:an? )?(?:still |
currently )?(?:unknown|unclear|unanswerable|undisclosed|unspecified|unstated|undetermined|
undocumented|not known|n/?a|not applicable|not sure|not certain|not clear|not found|not stated|
not given|not mentioned|not specified|not provided|not available|not answerable|not disclosed|
not listed|no clue|dunno|no idea|not enough information|not indicated|not documented|
not in (?:there|here)|not covered|not described)(?:\s+(?:from|in|by|to|here|based|at all|yet|
for|given)\b.*)?\W*$

\b(?:not|cannot|can't|isn't|never|nowhere|absent|missing|outside)\s+(?:be\s+|
been\s+)?(?:\w+\s+)?(?:<said>\s+)?(?:anywhere\s+)?(?:in|from|by|within|of|part of)\s+<source>\b

\b(?:beyond|outside)(?: of)? (?:what|the scope of)?\s*<source>

\b(?:cannot|can't|can not|could not|couldn't|impossible to) be (?:answered|determined|found|
established|known|inferred|deduced|said|told|derived|ascertained|confirmed|worked out)\b

\b(?:question|this) (?:is unanswerable|has no answer|remains (?:open|unanswered))\b

\b(?:isn't|is not|aren't|not) (?:something|anything|a (?:topic|question|point|
detail))\b[^.]*\b<source>

\b(?:hard|difficult|impossible) to (?:say|tell|know)\b|\banyone's guess\b|\bwho knows\b

\b(?:the )?answer (?:is|was) (?:not|nowhere|missing|absent|unknown)\b

\b(?:insufficient|not enough|too little) (?:information|context|data|detail)

\bi (?:have|'ve) (?:no|never)\b[^.]*\b(?:idea|information|clue|knowledge|data|record|details)\b

\b(?:beyond|outside) (?:of )?my knowledge\b
"""
"""Who does not say, what is not there; of a text in English."""
EUROPEAN = r"""
\b(?:ich|wir)\s+(?:weiß|weiss|wissen|kann|können|konnte|habe|finde|fand)\b[^.]*\b(?:nicht|
keine?n?|nichts)\b

\b(?:weiß|weiss) (?:ich )?(?:es )?nicht\b|\bkeine (?:ahnung|angaben?|information(?:en)?|antwort|
auskunft|hinweise?|daten)\b

\bnicht (?:bekannt|angegeben|erwähnt|genannt|ersichtlich|enthalten|vermerkt|beantwortbar|
beantwortet)\b

\b(?:dokument\w*|text\w*|quelle\w*|unterlage\w*|abschnitt\w*|passage\w*|
kontext\w*)\b[^.]*\b(?:nicht|keine?n?|nichts)\b

\b(?:nicht|keine?n?|nichts)\b[^.]*\b(?:in|aus|im) (?:\w+ )?(?:dokument|text|quelle|unterlage|
abschnitt|kontext)\w*

\bunbekannt\W*$|\blässt sich (?:\w+ )*nicht (?:beantworten|sagen|ermitteln|finden|feststellen|
entnehmen)

\b(?:steht|findet sich|geht) (?:\w+ )*(?:nicht|nirgends|nichts)\b

\b(?:je|nous) (?:ne |n')\w+ (?:pas|rien|aucune?)\b|\bje l'ignore\b|\bj'ignore\b

\b(?:documents?|texte|passages?|sources?|contexte|extraits?)\b[^.]*(?:\bne\b|\bn')[^.]*\b(?:pas|
rien|aucune?)\b

\b(?:aucune?|pas d')\s*(?:information|réponse|mention|donnée|indication|précision)s?\b

(?:n'est|ne sont|n'a|n'est-ce) pas (?:été )?(?:mentionnée?|indiquée?|précisée?|connue?|
spécifiée?|dite?|disponible|dans (?:les|le) (?:documents?|texte))

\binconnue?\W*$|\bnon (?:précisée?|mentionnée?|indiquée?|spécifiée?)\b|
\bil est impossible de (?:répondre|dire|savoir|déterminer)

\b(?:ne figure|ne se trouve|n'apparaît) (?:pas|nulle part)\b

\bno (?:lo )?(?:sé|sabemos|se sabe|puedo|podemos|encuentro|encontré|consta|dispongo|
tengo (?:información|datos|la respuesta))\b

\b(?:documentos?|texto|pasajes?|fuentes?|contexto|
fragmentos?)\s+(?:\w+ )?no\s+(?:lo )?(?:dicen?|mencionan?|indican?|contienen?|especifican?|
proporcionan?|incluyen?|responden?|aclaran?|precisan?)\b

\bno (?:se |está |aparece |figura |es |hay |existe )+(?:\w+ )?(?:menciona|indica|especifica|
dice|encuentra|mencionad[oa]|indicad[oa]|especificad[oa]|información|respuesta|datos|mención|
conocid[oa]|en (?:los|el) (?:documentos?|textos?)|posible (?:responder|saber|determinar))

\bno (?:aparece|figura|está|se encuentra) en (?:los|el|la) \w+|\bdesconocid[oa]\W*$|
\bse desconoce\b|\bsin (?:información|datos|respuesta)\b

^no se (?:menciona|indica|especifica|dice|sabe)\b
"""
"""German, French, Spanish."""
OTHER_SCRIPTS = r"""
(?:没有|沒有|未|并未|無|无|不曾|没)(?:有)?(?:明确|具体|直接|被)?(?:提到|提及|说明|說明|提供|给出|給出|记载|記載|包含|涉及|找到|相关|相關|答案|信息|
資訊|说|写|指出|列出|介绍|回答|描述|注明|载明|规定)

(?:无法|無法|不能|没法|难以)(?:从|從|在|根据|根據|由|确|找|回|得|判|提|确定|知)

不知道|不清楚|不详|不詳|未知$|不得而知|不确定|找不到|查不到|没有(?:任何)?(?:相关|有关|关于)|无从得知|没提

(?:文档|文件|资料|資料|文中|原文|上下文|段落|材料|文本)[^。]*(?:没|沒|未|无|無|不)

(?:わかり|分かり|わから|分から|判り|存じ)(?:ません|ない|ず|かね)|不明(?:です|$)|不明。

(?:記載|記述|言及|情報|答え|回答|説明|該当|書かれ|載っ|触れ|示され|述べ|見当たり|見つかり|含まれ|明記|言わ|書い)[^。]{0,12}(?:ません|ない|なし|おりません|
ありません|いない)

(?:文書|資料|本文|文章|文脈|ドキュメント|テキスト|提供された)[^。]*(?:ません|ない|なし)

(?:回答|答え|お答え|判断|確認|特定)(?:は|が)?(?:でき|出来)(?:ません|ない|かね)

모르|알 수 없|없습니다|나와 있지|언급되지|ไม่ทราบ|ไม่พบ|ไม่มีข้อมูล|ไม่ได้ระบุ|ไม่ได้กล่าว
"""
"""Chinese, Japanese, Korean, Thai."""
