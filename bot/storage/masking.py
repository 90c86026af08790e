"""Mask what tells who somebody is before a message is kept; amounts with their unit, places and trades stay readable.

Rules look at a shadow of the text: lower case, digits 0-9 for all scripts, without accents and marks. What one rule has
settled, the next ones do not see. When in doubt, a number or a word after "my name is" is masked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bot.storage.names import FIRST_NAMES, NOT_NAMES

LONGEST = 1000
"""Characters of a message that are kept: as many as a turn reads."""
TOKENS = ("<email>", "<url>", "<handle>", "<cin>", "<id>", "<bank>", "<phone>", "<date>", "<number>", "<name>")

_TOKEN = re.compile("|".join(TOKENS))
_SETTLED = "\0"
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\u20e3\ufeff]")
_TATWEEL = "\u0640"
_APOSTROPHES = "\u2018\u2019\u201b\u02bc\u02b9\u0060\u00b4\u2032"
_MOST_WORDS_OF_NAME = 4


def mask(text: str, known: Iterable[str] = ()) -> str:
    """Return one line of text with tokens for its personal parts; `known` are words that are no part of a name."""
    text = clean(text)
    shadow = _Shadow(text)
    for rule in _RULES:
        shadow.settle(rule(shadow.signs))
    names = _Names(shadow, {word for part in known for word in _Shadow(clean(part)).signs.split()})
    shadow.settle(names.spans())
    return shadow.masked()


def has_mask(text: str) -> bool:
    """Say whether something of a text was masked."""
    return _TOKEN.search(text) is not None


def clean(text: str) -> str:
    """Return what can be seen of a text, on one line, in characters every database and file can hold."""
    text = text[:LONGEST].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    text = "".join(" " if unicodedata.category(sign) in ("Cc", "Cn", "Co", "Cs") else sign for sign in text)
    return " ".join(text.replace("\ufffd", " ").split())[:LONGEST]


@dataclass(frozen=True)
class Span:
    """A part of the shadow; without a token it stays as it is, and later rules do not see it."""

    start: int
    end: int
    token: str = ""


class _Shadow:
    """A text as the rules see it, and what they have settled."""

    def __init__(self, text: str) -> None:
        self.text = text
        signs = [(form, place) for place, sign in enumerate(text) for form in _forms(sign)]
        self.signs = "".join(form for form, _ in signs)
        self._places = [*(place for _, place in signs), len(text)]
        self._tokens: list[tuple[int, int, str]] = []

    def settle(self, spans: Iterable[Span]) -> None:
        """Take over what a rule found."""
        for span in list(spans):
            if span.token:
                self._tokens.append((self._places[span.start], self._places[span.end], span.token))
            settled = _SETTLED * (span.end - span.start)
            self.signs = self.signs[: span.start] + settled + self.signs[span.end :]

    def is_capital(self, place: int) -> bool:
        """Say whether a sign of the shadow is a capital letter in the text."""
        return self.text[self._places[place]].isupper()

    def masked(self) -> str:
        """Return the text with its tokens, never glued to a word."""
        parts, done = [], 0
        for start, end, token in sorted(self._tokens):
            parts += [self.text[done:start], f" {token} "]
            done = max(done, end)
        return " ".join("".join([*parts, self.text[done:]]).split())


def _forms(sign: str) -> Iterator[str]:
    """Yield what stands in the shadow for a sign: nothing for a mark."""
    for part in unicodedata.normalize("NFD", sign):
        if part == _TATWEEL or unicodedata.category(part) in ("Mn", "Me"):
            continue
        digit = unicodedata.digit(part, None)
        low = part.lower()
        yield str(digit) if digit is not None else "'" if part in _APOSTROPHES else low if len(low) == 1 else part


Rule = Callable[[str], Iterator[Span]]


def _rule(pattern: str, token: str = "", group: int = 0) -> Rule:
    """Return a rule that settles each match of a pattern, or one group of it."""
    compiled = re.compile(pattern)

    def spans(signs: str) -> Iterator[Span]:
        for match in compiled.finditer(signs):
            yield Span(*match.span(group), token)

    return spans


_SEP = r"[ .\-/\\_()·*,،٫٬':–—|]"
_GAP = rf"{_SEP}{{0,3}}"
# A comma with a space separates two numbers of a list, unless their shape says otherwise.
_TIGHT_GAP = r"(?:[ .\-/\\_()·*٫٬':–—|]{0,3}|[,،])"
_LINK = (
    r"(?:[ :=.#°\-]|n[°o](?!\w)|num(?:ero)?(?!\w)|nmra|nemra|ra9m|raqm|رقم|نمره|نمرة|dyal\w{0,4}|ديال\w{0,3}"
    r"|howa|hiya|هو|هي|est(?!\w)|c'est|de l'entreprise|bancaire){0,8}"
)
_UNIT = (
    r"(?:d(?:h|hs|rh|rhm|rahm|irhams?|irhems?|erhams?|erhem|raham)|mad|درهم|دراهم|الدرهم|د\.م|€|\$|euros?|eur|اورو"
    r"|k(?:dh)?|mille|alf|alef|a?alaf|الف|الاف|millions?|m[ei]?l[iy]?y?ou?ns?|mlayn|mlayen|mlaye?n|مليون|ملايين|ملاين"
    r"|milliards?|m[ei]?l[iy]?y?ar|مليار|r[iy]?yals?|rials?|ريال|centimes?|santim|سنتيم)(?!\w)"
)
_OF = r"(?: ?(?:d|de|dyal|ديال|د))? ?"
_SUM = r"(?:[1-9]\d{0,2}(?:[ .,']\d{3}){1,3}|[1-9]\d{0,7})(?:[.,]\d{1,2})?"
_AMOUNT = rf"(?<!\d)(?<!\d{_SEP})(?<!\+){_SUM}{_OF}{_UNIT}"
_UNIT_FIRST = rf"(?<![\d\w])(?<!\d )(?:mad|dhs?|€|\$|درهم) ?{_SUM}(?!{_SEP}?\d)(?!\w)"
_SPELLED = (
    r"(?:zero|un|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingts?|trente"
    r"|quarante|cinquante|soixante|et|w|o|sifr|wa7ed|jouj|tlata|tlat|reb3a|rb3a|khamsa|khmsa|stta|setta|seb3a|sb3a"
    r"|tmnya|tmenya|ts3oud|tes3oud|3chra|صفر|واحد|جوج|تلاته|تلاتة|ثلاثة|ربعه|ربعة|اربعة|خمسه|خمسة|سته|ستة|سبعه|سبعة"
    r"|تمنيه|تمنية|ثمانية|تسعود|تسعة|عشره|عشرة|و)"
)
_NETWORK = (
    r"(?:insta(?:gram)?|ig|snap(?:chat)?|telegram|tiktok|tik tok|facebook|fb|انستا|انستغرام|تيليغرام|تلغرام|تيكتوك"
    r"|فايسبوك)"
)
_TOP = r"com|net|org|info|biz|io|co|ma|fr|app|shop|store|online|site|link|page|dev|me|eu|be|es|it|tv|ly|gl|gle|ee"

_RULES: tuple[Rule, ...] = (
    _rule(
        r"[^\s@<>\0]{1,64} ?(?:\(at\)|\[at\]|(?<=\s)arobas(?:e)?(?=\s)|(?<=\s)اروباز(?=\s)) ?[^\s@\0]{1,64}", "<email>"
    ),
    _rule(r"[^\s@<>\0]{1,64}@ ?[^\s@\0]{1,200}", "<email>"),
    _rule(r"(?:https?:/{0,2}|www\.)[^\s\0]+", "<url>"),
    _rule(
        rf"(?<![\w.])(?:[\w-]{{1,63}}\.){{1,4}}(?:(?:{_TOP})(?![\w])(?:[/?:][^\s\0]*)?|[a-z]{{2,12}}/[^\s\0]+)", "<url>"
    ),
    _rule(r"@ ?[\w.]{2,64}", "<handle>"),
    _rule(r"(?<!\w)(?=\w*_)(?=\w*[^\W\d_])\w{3,64}", "<handle>"),
    _rule(
        rf"(?<!\w)(?:{_NETWORK}(?: (?:dyali|dyalna|ديالي|ديالنا))? ?[:=] ?"
        rf"|{_NETWORK} (?:dyali|dyalna|ديالي|ديالنا) (?:howa|hiya|c'est|هو) |(?:mon|notre) {_NETWORK} (?:c'est|est) )"
        r"([\w.]{2,64})",
        "<handle>",
        1,
    ),
    _rule(
        rf"(?<!\w)(?:cin|c\.i\.n|cnie|carte nationale|carte d'identite|bta9a|bita9a|lakart|البطاقه|البطاقة|بطاقه|بطاقة"
        rf"|لاكارط)(?: (?:lwatania|wataniya|الوطنيه|الوطنية|التعريف))?{_LINK}([a-z]{{0,2}}{_GAP}\d(?:{_GAP}\d){{3,7}})",
        "<cin>",
        1,
    ),
    _rule(r"(?<!\w)(?!(?:de|bi|li|fi|ou|wa)\d)[a-z]{2}[.\-]?\d{4,7}(?!\d)", "<cin>"),
    _rule(rf"(?<!\w)[a-z][.\-]?\d{{5,7}}(?!\d)(?!{_OF}{_UNIT})", "<cin>"),
    _rule(_AMOUNT),
    _rule(_UNIT_FIRST),
    _rule(
        r"(?<!\w)(?:i\.?c\.?e|i\.?f|identifiant(?: fiscal| commun)?|r\.?c|registre (?:de |du )?commerce|c\.?n\.?s\.?s"
        r"|patente|taxe pro\w*|t\.?p|السجل التجاري|سجل تجاري|التعريف الضريبي|التعريف الموحد|الضمان الاجتماعي|الباتنتا"
        rf"|الباتانتا|لاسينيسيس)(?!\w){_LINK}(\d(?:{_GAP}\d){{2,}})",
        "<id>",
        1,
    ),
    _rule(r"(?<!\w)[a-z]{2}\d{2}(?:[ \-]?\d{4}){3,7}(?:[ \-]?\d{1,3})?(?!\d)", "<bank>"),
    _rule(
        r"(?<!\w)(?:rib|iban|compte|cpte|lcompte|hisab|l7isab|7sab|الحساب|حساب|حسابي|carte(?: visa)?|lakart)(?!\w)"
        rf"{_LINK}((?:[a-z]{{2}})?\d(?:{_GAP}\d){{8,}})",
        "<bank>",
        1,
    ),
    _rule(rf"(?<!\d)\d(?:{_GAP}\d){{23}}(?!\d)|(?<!\d)\d{{4}}(?:{_SEP}?\d{{4}}){{3}}(?!\d)", "<bank>"),
    _rule(rf"\(?(?:\+|(?<!\d)00|(?<!\d)){_GAP}212{_GAP}[0o]?{_GAP}[5-8](?:{_GAP}\d){{8}}(?!\d)", "<phone>"),
    _rule(rf"(?:\+|(?<!\d)00){_GAP}[1-9](?:{_GAP}\d){{7,14}}", "<phone>"),
    _rule(rf"\(?(?:(?<!\d)0|(?<![^\W_])o){_GAP}[5-8](?:{_GAP}\d){{8}}(?!\d)", "<phone>"),
    _rule(rf"(?<!\d)[5-8](?:{_GAP}\d){{8}}(?!{_SEP}?\d)", "<phone>"),
    _rule(rf"(?<!\w)(?:zero|sifr|صفر|0)(?:[ -]{{1,2}}(?:{_SPELLED}|\d{{1,2}})(?!\w)){{4,}}", "<phone>"),
    _rule(_AMOUNT),
    _rule(r"(?<!\d)(?:\d{1,2}[/.\-]\d{1,2}[/.\-]\d{4}|\d{4}[/.\-]\d{1,2}[/.\-]\d{1,2})(?!\d)", "<date>"),
    _rule(rf"(?<!\d)\d(?:{_GAP}\d){{14}}(?!\d)", "<id>"),
    _rule(rf"\d(?:{_TIGHT_GAP}\d){{5,}}", "<number>"),
)
"""In this order: what has letters, what has a keyword, amounts, then numbers by their shape."""

# Who says one of these tells a name next.
_MY_NAME = (
    r"je? ?m'? ?ap+el+e?s?|je? ?m'? ?apl|mon (?:pre)?nom(?: complet)? ?(?:c'est|est|:)|^mon (?:pre)?nom"
    r"|moi c'est|smiya dyali|kansm+a|kay3[aei]?y+to liya|السميه ديالي|السمية ديالي|كنتسمي|كنتسمى|كنتسما|كيعيطو ليا"
    # Not "b smiti", "على سميتي": in, on, want my name.
    r"|(?<!\bb )(?<!\b3la )(?<!\bbghit )(?<!على )(?<!بغيت )(?:s+m[iye]{1,4}t[iy]|ismi|esmi|lism|سميتي|سميتى|اسمي)"
)
# A name may follow: it is one when it is a known first name, or has a capital letter.
_MAYBE = (
    r"ana|انا|je suis|jsuis|chui|ici|moi|m3a(?:k|kom|koum)|معاك|معاكم|mr|mme|mlle|monsieur|madame|السيد|السيده|السيدة"
)
# Words of too many other uses: only a known first name counts.
_SELDOM = r"si|sidi|c'est|lalla|moulay|l?7aj+a?|l?haj+a?|السي|سي|سيدي|لاله|لالة|مولاي|الحاج|الحاجه|الحاجة"
_SAID = r"(?: ?[:=]| (?:c'est|est|howa|hiya|هو|هي|ana|انا))* ?"
_INTRODUCTION = re.compile(rf"(?<!\w)(?:(?P<sure>{_MY_NAME})|(?P<maybe>{_MAYBE})|(?P<seldom>{_SELDOM}))(?!\w){_SAID}")
_GLUED = re.compile(r"(?:[cdjlmnst]|qu)'|فال|بال|وكن|وبغ|وعند|وخدام")
"""Starts of words that go on with the sentence: an elided article, a preposition, "and I"."""
_WORD = re.compile(r" ?[-]?((?!\d+(?!\w))\w[\w'\-]*)")


class _Names:
    """Names that somebody introduces, in a text whose numbers are settled."""

    def __init__(self, shadow: _Shadow, known: set[str]) -> None:
        self._shadow = shadow
        self._never = NOT_NAMES | known

    def spans(self) -> Iterator[Span]:
        """Yield each name, with as many of its words as can be told."""
        for found in _INTRODUCTION.finditer(self._shadow.signs):
            first = _WORD.match(self._shadow.signs, found.end())
            if first is not None and self._begins(first, found):
                yield Span(first.start(1), self._end(first), "<name>")

    def _begins(self, word: re.Match[str], introduction: re.Match[str]) -> bool:
        form = word.group(1)
        if introduction["sure"]:
            return form not in NOT_NAMES
        if form in FIRST_NAMES:
            return True
        shouted = self._shadow.text.isupper()
        capital = self._shadow.is_capital(word.start(1)) and not shouted and len(form) > 2
        return bool(introduction["maybe"]) and capital and self._may_go_on(form)

    def _end(self, word: re.Match[str]) -> int:
        end = word.end()
        for _ in range(_MOST_WORDS_OF_NAME - 1):
            following = _WORD.match(self._shadow.signs, end)
            if following is None or not self._may_go_on(following.group(1)):
                break
            end = following.end()
        return end

    def _may_go_on(self, word: str) -> bool:
        return word not in self._never and _GLUED.match(word) is None
