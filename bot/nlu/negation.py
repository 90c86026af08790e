"""Which clauses of a message say no, in French and in Darija of both scripts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.nlu.text import plain, word_set

_PLAIN_NO = word_set(
    "pas pa rien aucun aucune jamais ni non nn nan nope nulle zero "
    "walo walou wallo wlo lla lala machi mashi mush bla "
    "والو بلا ماشي ليس لا لالا كلا بدون دون ابدا"
)
_NOT_AFTER_NO = word_set("seulement que mal ghir gher غير غي")
"""`pas seulement`, `pas mal`, `machi ghir`: no denial."""
_WITHOUT = word_set("sans")
_ONLY_A_NAME = word_set("contact fil papier")
"""`sans contact` names a way to pay."""
_SOMEBODY = word_set("une la par cette chaque d de en 1 meme autre")
_NO_MORE_OPENERS = word_set("n ne ya a")
_NEVER = word_set("3mri 3emri 3omri 3mrna 3emrna 3mmro 3emro 3mrni 3emrni عمري عمرنا عمرني عمرو")
_NOT_EVEN = word_set("7ta 7tta hta hatta ta حتي تا وحتي")
_ANY = word_set(
    "wa7ed wahed wa7d 7ed had hed 7aja haja chi dirham ryal blassa merra mra واحد حاجه حد شي درهم ريال بلاصه مره وحده"
)
_SPLIT_NO = word_set("ma ما وما")
_WHAT = word_set("هو هي هوما")
_DARIJA_AFTER_MA = re.compile(
    r".*[379].*|k[ae]?[nty].*|d[aie]*r.*|dayr.*|drt.*|fih.*|fiha.*|bgh.*|sm3.*|sme3.*|sre?f.*|je?rr?e?b.*|ch[efo]*f?t"
    r"|mswe9.*|b9a.*|.{2,}(?:ch|chi)"
)
_STUCK_NO = re.compile(
    r"w?ma?.{2,14}(?:ch|sh|chi)"
    r"|w?ma(?:3[ae]?nd|k[ae]?[nty]|d[ae]?r[tn]?|dayr|fiha?|fk|9r|b9a|sre?f|je?rr?e?b|t3e?l|sm3).*"
    r"|و?ما.{2,14}(?:ش|شي)|و?م.{3,14}ش"
    r"|و?ما(?:عند|كاي|كان|كن|كت|كي|فكر|قري|در|داي|فيه|بقا|تعلم|جرب|صرف|سمع|باقي).*"
)
_NOT_STUCK = word_set("match marche manche مشماش makina")
_CLAUSE_MARKS = re.compile(r"[,;.:!?\u060c\u061b\u061f\n]+")
_CLAUSE_WORDS = word_set(
    "mais sauf sinon donc seulement juste et w lakin walakin welakin wlakin ghir gher ghi lakine ولكن لكن غير غي والا و"
)
_AROUND_NOTHING = word_set(
    "la ah ya y a il n ne est c ce pour l le instant moment du tout encore vraiment ca de chose on j je ai en "
    "daba had ssa3a saa f fhad lwe9t khoya sara7a hadchi chi 7aja haja kayn kayna kaynch mazal mazel ba9i baqi "
    "bel merra ga3 gaa hna 3ndi 3ndna دابا كاين كاينه مازال باقي حاجه فحتي ڭاع كاع هادشي شي عندي عندنا هنا خويا "
    "فالحقيقه صراحه فالوقت الحالي makayn makaynch makayen ma3ndich ma3ndi ma3ndna ma3ndnach مكاينش ماكاينش ماكاين "
    "ماعندي ماعنديش ماعندناش وحتي فكرنا فكرت مافكرنا مافكرت مافكرتش مافكرناش"
)
_NOTHING = word_set("la mazal mazel")
"""Words that say nothing only when they stand alone."""
_MOST_WORDS_OF_NOTHING = 7


def is_negated(text: str) -> bool:
    """Tell whether a clause of the message says no."""
    return any(map(_says_no, clauses(text)))


def asserted(text: str) -> str:
    """Give the clauses of a message that say no `no`, in its order; empty when all do."""
    return ", ".join(" ".join(words) for words in clauses(text) if not _says_no(words))


def is_nothing(text: str) -> bool:
    """Tell whether a message says "no" or "nothing" and nothing else: `walo`, `rien pour l'instant`, `la`."""
    words = plain(text).split()
    if not 0 < len(words) <= _MOST_WORDS_OF_NOTHING:
        return False
    if all(word in _NOTHING for word in words):
        return True
    return _says_no(words) and all(_adds_nothing(words, place) for place in range(len(words)))


def _adds_nothing(words: Sequence[str], place: int) -> bool:
    """Tell whether a word names no thing that is missing; `ma3ndich` does not, `makanktbch` does."""
    word = words[place]
    if word in _AROUND_NOTHING or word in _ANY or word in _SPLIT_NO or word in _NOT_EVEN:
        return True
    return _no_at(words, place) and _STUCK_NO.fullmatch(word) is None


def clauses(text: str) -> list[list[str]]:
    """Split a message into clauses of `plain` words, at its marks and before `mais`, `ghir`, `et` …"""
    found: list[list[str]] = []
    for part in _CLAUSE_MARKS.split(text):
        clause: list[str] = []
        for word in plain(part).split():
            if word in _CLAUSE_WORDS and clause and clause[-1] not in _PLAIN_NO:
                found.append(clause)
                clause = []
            clause.append(word)
        found.append(clause)
    return [clause for clause in found if clause]


def _says_no(words: Sequence[str]) -> bool:
    return any(_no_at(words, place) for place in range(len(words)))


def _no_at(words: Sequence[str], place: int) -> bool:
    """Tell whether the word at a place denies."""
    word = words[place]
    after = words[place + 1] if place + 1 < len(words) else ""
    before = words[place - 1] if place else ""
    if word in _PLAIN_NO:
        return after not in _NOT_AFTER_NO
    if word in _WITHOUT:
        return after not in _ONLY_A_NAME
    if word == "personne":
        return before not in _SOMEBODY and not before.isdigit()
    if word == "plus":
        return bool(_NO_MORE_OPENERS.intersection(words[max(0, place - 3) : place])) and after != "en"
    if word in _NEVER:
        return not after[:1].isdigit()
    if word in _NOT_EVEN:
        return after in _ANY
    if word in _SPLIT_NO:
        return after not in _WHAT and bool(after) and (word != "ma" or _DARIJA_AFTER_MA.fullmatch(after) is not None)
    return word not in _NOT_STUCK and _STUCK_NO.fullmatch(word) is not None
