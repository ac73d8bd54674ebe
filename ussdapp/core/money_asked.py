"""Knows whether a text asks its reader to send money to a private MSISDN, in Kiswahili or English.

Citizens pay public bodies by control number, or by a till of theirs. What tells an ask from a
notice is the word that governs the MSISDN: "tuma pesa kwa 0754..." asks, "kwa maelezo piga
0754..." does not.
"""

import re
from collections.abc import Sequence
from typing import Final

from ussdapp.core.folded import words

_PRIVATE: Final = re.compile(r"(?<![\d/])(?:\+?255|0)[ .-]?[67]\d(?:[ .-]?\d){7}(?!\d)")
_MARK: Final = "\x01"
# In one sentence with these, an MSISDN is no payee: the bill, or the till, is named.
_OFFICIAL: Final = re.compile(
    r"(?<!\d)99\d{10}(?!\d)|(?:control (?:number|no)|namba ya (?:malipo|udhibiti|kumbukumbu)|"
    r"bill number|pay ?bill|till|lipa namba|merchant)[^\d\x01]{0,15}(?:\d{5,}|0x00)"
)
_ABBREVIATED: Final = re.compile(r"\b(tshs?|tzs|shs?|na|no|mr|bw|bi)\.")
_SENTENCES: Final = re.compile(r"[!?;\n]+|\.(?!\d)")
_TOKENS: Final = re.compile(rf"{_MARK}|\d[\d,.]*\d(?:/[=-])?|[\w'’-]+|,")
_AMOUNT: Final = re.compile(r"\d{1,3}(?:[,.]\d{3})+(?:/[=-])?|\d+/[=-]|\d{1,4}000")
_WARNED: Final = re.compile(
    r"\b(?:if|when|whenever)\b.*\b(?:asks?|asked|tells?|told)\b|\b(?:anyone|anybody|someone|"
    r"scammers?|fraudsters?|thief|thieves|nobody|never|matapeli|tapeli|wezi|mwizi|kataa|epuka|"
    r"(?:a|wa|u|m)ki(?:ku)?(?:omb|amb|shawish)\w*|(?:anaye|wanao|atakaye)\w+|"
    r"ha(?:tu|ta|wa|i)?(?:ta)?(?:ku|wa|ki)?(?:omb|hitaj|dai)\w*)\b"
)

_CONTACT: Final = words(
    "piga pigia upige mpigie tupigie nipigie kupiga wasiliana uwasiliane kuwasiliana mawasiliano "
    "maelezo maswali msaada uliza ulizia call calling contact whatsapp ring dial reach enquiries "
    "inquiries questions hotline helpline"
)
_TELEPHONE: Final = words("simu phone tel telephone mobile")
_PAY: Final = words(
    "lipa lipeni ulipe mlipe lipia lipieni ulipie mlipie tulipe kulipa kulipia pay deposit remit"
)
_SEND: Final = words(
    "tuma tumeni utume mtume kutuma tutumie nitumie ututumie unitumie tumieni weka uweke toa utoe "
    "peleka upeleke rusha urushe nirushie hamisha uhamishe changia uchangie fanya ufanye yafanyike "
    "send transfer wire forward make sending"
)
_MONEY: Final = words(
    "pesa fedha hela shilingi tzs tsh tshs sh shs ada malipo mchango michango faini elfu laki "
    "milioni mpesa m-pesa tigopesa money cash fee fees payment payments shillings fine"
)
_PAPER: Final = words(
    "risiti stakabadhi receipt slip nakala copy uthibitisho proof picha photo fomu form taarifa "
    "jina name barua ombi maombi request application details ujumbe neno message sms meseji text"
)
_FOR: Final = words("ya za wa la cha for of")
_TO: Final = words("kwa kwenda kwenye kupitia to via at")
_NUMBER: Final = words("namba nambari number no hii this")
_OWN: Final = words("yako zako yenu your")
_NOT: Final = words("not don't don’t dont cannot can't without")
_OTHERS: Final = words("we they he she it i who will would shall")


def holds_msisdn(text: str) -> bool:
    """Whether an MSISDN stands in it, however it is spelt."""
    return _PRIVATE.search(text) is not None


def asks_money(text: str) -> bool:
    """Whether it does. The text is folded and in small letters."""
    marked = _ABBREVIATED.sub(r"\1 ", _PRIVATE.sub(f" {_MARK} ", text))
    return any(_asks(one) for one in _SENTENCES.split(marked) if _MARK in one)


def _asks(sentence: str) -> bool:
    if _OFFICIAL.search(sentence):
        return False
    tokens = _TOKENS.findall(sentence)
    return any(_is_payee(tokens, at) for at, token in enumerate(tokens) if token == _MARK)


def _is_payee(tokens: Sequence[str], at: int) -> bool:
    """Whether the nearest word that says what the MSISDN is for tells the reader to pay there."""
    if _OWN & set(tokens[max(at - 2, 0) : at]):
        return False
    for place in range(at - 1, -1, -1):
        if tokens[place] in _CONTACT or _is_telephone(tokens, place):
            return False
        if tokens[place] in _PAY | _SEND:
            return _tells(tokens, place) and not _hands_in(tokens[place:at])
    return _is_named_first(tokens, at) and any(
        _tells(tokens, place) and not _TO & set(tokens[place:])
        for place in range(at + 1, min(at + 7, len(tokens)))
    )


def _is_telephone(tokens: Sequence[str], place: int) -> bool:
    """Whether it begins "simu 0754...", and does not end "kwa namba ya simu"."""
    return tokens[place] in _TELEPHONE and (place == 0 or tokens[place - 1] == ",")


def _is_named_first(tokens: Sequence[str], at: int) -> bool:
    """ "Kwa namba 0754... tuma pesa" """
    before = [token for token in tokens[max(at - 3, 0) : at] if token not in _NUMBER]
    return bool(before) and before[-1] in _TO


def _tells(tokens: Sequence[str], place: int) -> bool:
    """Whether it tells the reader to pay, and does not tell of somebody, or forbid."""
    if tokens[place] not in _PAY and not (
        tokens[place] in _SEND and any(map(_is_money, tokens[max(place - 5, 0) :]))
    ):
        return False
    near = tokens[max(place - 3, 0) : place]
    if _NOT & set(near) or _WARNED.search(" ".join(tokens[:place])):
        return False
    return not (near and near[-1] in _OTHERS and "you" not in near)


def _is_money(token: str) -> bool:
    return token in _MONEY or _AMOUNT.fullmatch(token) is not None


def _hands_in(tokens: Sequence[str]) -> bool:
    """Whether what the verb names is a paper or a word, as in "tuma risiti ya malipo": no sum, nor
    what a payment is for, as in "malipo ya fomu"."""
    return not any(map(_AMOUNT.fullmatch, tokens)) and any(
        token in _PAPER and tokens[place - 1] not in _FOR
        for place, token in enumerate(tokens)
        if place
    )
