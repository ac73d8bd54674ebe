"""Knows whether a text asks its reader for what nobody may ask: a PIN, a password, a one-time code
or the code of a card, in Kiswahili or English.

What tells an ask from a notice: who is told to do something ("tuma", "send"), not the word alone.
"OTP yako ni 123456", "Usimpe mtu yeyote nywila yako" and "never share your PIN" ask for nothing.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from ussdapp.core.folded import words

# Each as one word, so that what stands around it can be looked at.
_NOUNS: Final = (
    ("otp", "a one-time code (OTP)", r"[o0][\s._*-]{0,2}t[\s._*-]{0,2}p|one[- ]?time[- ]"
     r"(?:password|pin|code|passcode)|(?:verification|security|confirmation|activation|"
     r"authentication|access|login)[- ]code|code (?:you (?:have )?received|(?:we )?sent to you|"
     r"uliyopokea|tuliyokutumia|iliyotumwa)|(?:namba|nambari|msimbo|kodi|code) (?:ya|za|wa) "
     r"(?:uthibitisho|uhakiki|usalama)"),
    ("cvv", "the code of a card (CVV)", r"c[\s._*-]{0,2}v[\s._*-]{0,2}[vc]\d?|cvn|(?:namba|"
     r"tarakimu|digits?|numbers?|code) [^.,;]{0,20}(?:nyuma ya|the back of) (?:your )?"
     r"(?:kadi|card)"),
    ("pin", "a PIN", r"m?-?p[\s._*-]{0,2}[i1!][\s._*-]{0,2}n|(?:namba|nambari|number|no|"
     r"tarakimu|kodi) (?:ya|za|yako ya|zako za|yenu ya)?\s?siri|nambasiri|secret (?:number|code)"),
    ("password", "a password (nywila)", r"n\s?y\s?w\s?i\s?l\s?a|"
     r"neno\s?(?:(?:la|lako la|langu la)\s)?siri|nenosiri|maneno ya siri|msimbo wa siri|"
     r"paswor?di?|p[a4@][s5$]{2}[- ]?(?:w[o0]rd|"
     r"code)s?|secret word"),
)  # fmt: skip
_ANY: Final = re.compile(
    "|".join(rf"(?P<{name}>(?<![a-z0-9])(?:{spelt})(?:s|code)?(?![a-z0-9]))"
             for name, _, spelt in _NOUNS)
)  # fmt: skip
_TOLD: Final = {name: told for name, told, _ in _NOUNS}
_MARK: Final = "§"
_KNOWN: Final = "¤"  # a secret that was given, or is new: it may be keyed in, and not told
# It is given, not asked for: a value of four to eight signs with a digit follows.
_GIVEN: Final = re.compile(
    rf"{_MARK}(?:\s+(?:code|number|namba|yako|zako|yenu|your|ya muda|mpya|ya kuingia|ni|is|hii|"
    r"hizi|this|below|hapa))*\s*[:=-]?\s*[\"'(]?(?=[a-z0-9@#$-]*\d)[a-z0-9@#$-]{4,8}(?![a-z0-9])"
)  # fmt: skip
_FRESH: Final = re.compile(
    rf"(?:\bnew|\bstrong|\bnew strong|\byour new|\ba new)\s+{_MARK}"
    rf"|{_MARK}(?:\s+(?:yako|zako|yenu|lako))?\s+(?:mpya|jipya|imara|thabiti|nyingine|lingine)"
)
_KEPT: Final = re.compile(
    rf"\b(?:weka|wekeni|uweke)\s+(?:siri|salama)\b[^,.]{{0,20}}{_MARK}"
    rf"|\b(?:weka|wekeni|uweke)\s+{_MARK}(?:\s+(?:yako|zako|yenu|lako))?\s+(?:siri|salama|"
    r"kama siri|katika siri|mahali)"
)
_QUESTION: Final = re.compile(
    rf"{_MARK}(?:\s+(?:yako|zako|yenu|lako|ya simu|ya m-pesa))*\s+ni\s*(?:\?|ipi|nini|gani|zipi|"
    rf"lipi|upi|ngapi)|what(?:'s| is| are| was)\s+(?:your|the)\s+(?:\w+\s+)?{_MARK}"
)  # fmt: skip
_WANTED: Final = re.compile(
    rf"(?:{_MARK}\s+(?:yako|zako|yenu|lako)|\byour\s+(?:[\w-]+\s+){{0,2}}{_MARK})\s+"
    r"(?:\w+\s+)?(?:inahitajika|zinahitajika|linahitajika|unahitajika|is required|is needed|"
    r"is requested|are required)"
    rf"|{_MARK}\s+(?:must|should|needs to|has to)\s+be\s+(?:sent|shared|provided|confirmed|"
    r"submitted|given)"
)
_SENTENCES: Final = re.compile(r"[.!?;\n]+")
_TOKENS: Final = re.compile(rf"{_MARK}|[\w'’-]+|,")

_HAND_SW: Final = words(
    "tuma tumeni tutumie tutumieni nitumie nitumieni utume mtume ututumie mtutumie unitumie itume "
    "zitume toa toeni utoe mtoe tupe tupeni nipe nipeni utupe unipe tupatie nipatie utupatie "
    "unipatie taja tajeni utaje tutajie nitajie ututajie sema useme tueleze nieleze utueleze "
    "niambie tuambie utuambie uniambie wasilisha uwasilishe peleka upeleke leta lete ulete "
    "onesha onyesha uoneshe shiriki ushiriki gawa jibu ujibu tusomee nisomee usome fowadi mpe "
    "umpe mtumie umtumie mtajie mwambie umwambie"
)
_KEY_SW: Final = words(
    "weka wekeni uweke mweke ingiza ingizeni uingize mwingize jaza jazeni ujaze mjaze andika "
    "andikeni uandike chapa uchape thibitisha uthibitishe hakiki uhakiki"
)
_ROOT_SW: Final = words(
    "kutuma kutoa kutaja kuweka kuingiza kujaza kuandika kututumia kunitumia kujibu kuthibitisha "
    "kuhakiki kuwasilisha kuleta kutupa kutupatia kutuambia kuniambia kuonesha"
)
_LEADS_SW: Final = words(
    "kwa unatakiwa mnatakiwa utatakiwa unaombwa mnaombwa unapaswa inabidi lazima tafadhali "
    "kumbuka unahitaji unalazimika shurti hakikisha unahitajika utahitaji itabidi"
)
_ASK_SW: Final = words("tunaomba naomba tunahitaji nahitaji tunataka nataka tungependa")
_OWN: Final = words("yako zako yenu lako your")
_HAND_EN: Final = words(
    "send share give provide submit confirm verify forward tell text reply disclose supply reveal "
    "validate whatsapp email present surrender respond"
)
_KEY_EN: Final = words("enter type input")
_TELL_EN: Final = _HAND_EN | _KEY_EN
_ING_EN: Final = words(
    "sending sharing giving providing submitting confirming verifying forwarding texting replying "
    "entering typing responding disclosing supplying"
)
_ASK_EN: Final = frozenset({"need", "require", "want", "request", "needs", "requires"})
_NOT: Final = words(
    "not never don't dont don’t can't cannot won't shouldn't nor without avoid nobody refuse stop "
    "didn't doesn't isn't"
)
_SUBJECTS: Final = words(
    "we they he she it i who that which will shall would may can could has have had been by "
    "anyone someone nobody people staff we'll we’ll they'll officers officer caller ever"
)
_LEADS_EN: Final = words(
    "need needed required requested kindly please asked advised urged must have ought"
)
_WARNED: Final = re.compile(
    r"(?:if|when|whenever|anyone|anybody|someone|asks?|asking|caller|callers|scammers?|"
    r"fraudsters?|thief|thieves|never|nobody|matapeli|tapeli|wezi|mwizi|"
    r"(?:a|wa|u|m)ki(?:ku|wa|m)?(?:omb|amb|uliz|tak|sem|lazim|shawish)\w*|(?:anaye|wanao|atakaye)\w+|"
    r"ha(?:tu|ta|wa|i)?(?:ta)?(?:ku|wa|ki)?(?:omb|hitaj|uliz|dai|tak)\w*|"
    r"(?:usi|msi)(?:kubali|amini|thubutu|jaribu|ruhusu)\w*|kataa|epuka)"
)  # fmt: skip
# What comes between is something else that is told, wanted or done.
_OTHER: Final = re.compile(
    r"(?:taarifa|ripoti|report|malalamiko|(?:u|a|wa)ki\w{3,}|using|use|used|kutumia|ukitumia|bila|without|"
    r"because|about|kuhusu|against|dhidi|change|reset|create|(?:u|ku)?badili\w*|(?:u|ku)?tunz\w*|"
    r"request|ombi|maombi|forg\w+|umesahau|of|if|(?:usi|msi)\w+|kupata|get|receive|kupokea|"
    r"(?:uta|tuta|ata|wata|ita)\w{3,}|never|ni|is|protect|kulinda|linda|keyword|anyone|help|msaada)"
)  # fmt: skip
_NOUN_FIRST: Final = words("kwa kwenda kwetu hapa sasa to us here now haraka mara kupitia via")
_LOST: Final = re.compile(r"(?:ukisahau|umesahau|ukipoteza|umepoteza|kama|if|forg\w+|lost|ili|to)")


def asked_for(text: str) -> str | None:
    """What it asks for, in words; None for most. The text is folded and in small letters."""
    first = _ANY.search(text)
    if first is None:
        return None
    told = _TOLD[first.lastgroup or ""]
    marked = _ANY.sub(_MARK, text.replace(_MARK, " ").replace(_KNOWN, " "))
    if _QUESTION.search(marked) or _WANTED.search(marked):
        return told
    marked = _KEPT.sub(" ", marked)
    for known in (_GIVEN, _FRESH):
        marked = known.sub(lambda match: match[0].replace(_MARK, _KNOWN), marked)
    asks = any(_asks(tokens) for tokens in _clauses(marked, _MARK))
    asks = asks or any(_asks(tokens, keys=False) for tokens in _clauses(marked, _KNOWN))
    return told if asks else None


def _clauses(marked: str, mark: str) -> Iterator[list[str]]:
    for sentence in _SENTENCES.split(marked):
        if mark in sentence:
            yield _TOKENS.findall(sentence.replace(mark, _MARK))


def _asks(tokens: Sequence[str], *, keys: bool = True) -> bool:
    return any(
        _told_before(tokens, at, keys=keys) or _told_after(tokens, at)
        for at, token in enumerate(tokens)
        if token == _MARK
    )


def _told_before(tokens: Sequence[str], at: int, *, keys: bool) -> bool:
    """Whether a verb before the secret, with nothing else in between, tells to hand it over."""
    for place in range(at - 1, max(at - 9, -1), -1):
        token = tokens[place]
        if _tells(tokens, place, at, keys=keys):
            return True
        if _OTHER.fullmatch(token) or (token in ("neno", "word") and place == at - 1):
            return False
    return False


def _tells(tokens: Sequence[str], place: int, at: int, *, keys: bool) -> bool:
    token = tokens[place]
    lead = tokens[place - 1] if place else ""
    if token in _HAND_SW or (keys and token in _KEY_SW):
        return not _warned(tokens, place)
    if token in _ROOT_SW:
        return (lead in _LEADS_SW) and not _warned(tokens, place)
    if token in _ASK_SW:
        return not _warned(tokens, place)
    if token in _ING_EN:
        return lead == "by" and not _warned(tokens, place)
    if token in _ASK_EN:
        near = {*tokens[max(at - 3, 0) : at], *tokens[at + 1 : at + 2]}
        return lead in ("we", "i", "officer") and bool(near & _OWN)
    wanted = _TELL_EN if keys else _HAND_EN
    return token in wanted and _is_told(tokens, place)


def _is_told(tokens: Sequence[str], place: int) -> bool:
    """Whether an English verb tells the reader, and does not tell of somebody, or forbid."""
    while place > 1 and tokens[place - 1] in ("or", "and", "nor", ",") and (
        tokens[place - 2] in _TELL_EN
        or (place > 2 and tokens[place - 2] == "," and tokens[place - 3] in _TELL_EN)
    ):  # fmt: skip
        place -= 2
    before = tokens[max(place - 3, 0) : place]
    near = before[len(before) - before[::-1].index(",") :] if "," in before else before
    if _NOT & set(near) or _forbidden(tokens, place):
        return False
    lead = near[-1] if near else ""
    if lead == "to":
        return len(near) > 1 and near[-2] in _LEADS_EN and not _warned(tokens, place)
    return lead not in _SUBJECTS and not _warned(tokens, place)


def _forbidden(tokens: Sequence[str], place: int) -> bool:
    """ "Do not, under any circumstances, ..." """
    return any(
        tokens[at] in _NOT and tokens[at + 1] == "," for at in range(place - 1) if at + 1 < place
    )


def _warned(tokens: Sequence[str], place: int) -> bool:
    """Whether what comes before in the same clause is a warning of those who ask."""
    for at in range(place - 1, -1, -1):
        if tokens[at] == ",":
            return False
        if _WARNED.fullmatch(tokens[at]):
            return True
    return False


def _told_after(tokens: Sequence[str], at: int) -> bool:
    """ "PIN yako tuma kwa ..." """
    if any(_LOST.fullmatch(token) for token in tokens[max(at - 4, 0) : at]):
        return False
    for place in range(at + 1, min(at + 5, len(tokens))):
        if tokens[place] in _HAND_SW:
            after = tokens[place + 1] if place + 1 < len(tokens) else "kwa"
            return after in _NOUN_FIRST or after[:1].isdigit()
    return False
