"""Which of the offered options a short message picks: by its number, or by its title."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz.fuzz import ratio

from bot.nlu.numbers import unit_value
from bot.nlu.phrases import without_article
from bot.nlu.text import MAX_CHARS, clean, is_arabic, normalise, plain, skeleton, word_set, word_skeleton

_CLOSE = 92
"""How alike (0 to 100) a message and a title must be."""
_FEWEST_BONES = 3
"""Consonants a title must have to be compared by its skeleton."""

# What may stand around the number: "rep", "l'option", "la", "raqm", "ni3", "c'est", "je choisis", "svp".
_AROUND = word_set(
    "rep repn reps reponse reponce repons r la l le les lo opt option loption l'option choix lchoix chwa numero num nr "
    "no n jaweb jawb jawbo jawbt jwabi ljawab nombre "
    "ra9m raqm nmra nemra nmera nimero c'est c cest ca je j'ai choisi choisis dis prends prend jwab ljwab "
    "jawab lkhtiyar khtart kht khtit ghadi svp stp please 3afak 3afakom merci b bon est alors ok oui ah hia "
    "hiya howa dyal d de du ana bghit had hada hadi lwla wa7da bagha question reponses premier الجواب جواب "
    "الجواب: رقم الرقم نمرة النمرة الاختيار اختيار اخترت ختاريت عافاك عفاك شكرا هي هو ديال بغيت هاد السوال "
    "انا الى ال نعم اه ايه الخيار خيار"
)
_ORDINALS = {
    1: (
        r"1er|1ere|premier|premiere|prem|lwl|lwel|loula|lawl|lowla|lewla|lowel|lwla|louwla|الاول"
        r"|الاولي|لول|لولا|اللول|اللولا|الاولا|اولا"
    ),
    2: (
        r"2eme|2e|2nd|deuxieme|second|seconde|tanya|ttanya|tani|ttani|tania|ttania|الثانيه|الثاني"
        r"|التاني|التانيه|ثانيه|ثانيا|تانيه"
    ),
    3: r"3eme|3e|troisieme|talta|ttalta|talt|ttalt|tlta|talita|الثالثه|الثالث|التالته|التالت|ثالثا|تالته",
    4: r"4eme|4e|quatrieme|rab3a|rrab3a|rab3|rrab3|الرابعه|الرابع|رابعا|رابعه",
    5: r"5eme|5e|cinquieme|khamsa|lkhamsa|khames|الخامسه|الخامس",
    6: r"6eme|6e|sixieme|sadsa|السادسه|السادس",
    7: r"7eme|7e|septieme|sab3a|السابعه|السابع",
}
_LAST = re.compile(r"derniere?|lakhra|lekhra|lakher|lekher|الاخيره|الاخير|اللخره|لخره|اللخر")
_ORDINAL_FORMS = [(number, re.compile(pattern)) for number, pattern in _ORDINALS.items()]
_LETTERS = {"a": 1, "b": 2, "c": 3, "d": 4, "ا": 1, "ب": 2, "ج": 3, "د": 4}
_DIGITS = re.compile(r"\d{1,2}")
_KEYCAP = re.compile("\ufe0f?\u20e3")
_GLUED = re.compile(r"^(?:l|la|الـ|ال|no|n|b|ب|ل|r|rep|reponse|opt|option|choix|num)?(\d{1,2})$")
_MEASURE = re.compile(r"\d\s*[%€$°]|[€$½¼¾]")
"""A number that measures something: no option."""
_LONGEST = 40
_SAY_LITTLE = word_set(
    "ma mon mes ta ton le la les l un une des du de d en et ou oui non pas tout je ne rien seulement "
    "b f w wla dyal dyali ghir mn 3la hadi had ana 3ndi kolchi chi ديال ديالي غير من على هاد انا عندي شي كلشي ف ب و"
)
"""Words that alone do not tell one title from another."""
_SHORTEST_PART = 3
_MOST_WORDS = 6


def option_number(text: str, count: int | None = None) -> int | None:
    """Give the number an answer consists of (`2`, `٢`, `2)`, `Rep: 2`, `jouj`, `b`, `الثانية`), or None.

    `count` is how many options there are, for "the last one".
    """
    text = _KEYCAP.sub("", text[:MAX_CHARS])
    message = normalise(text)
    if not message or len(message) > _LONGEST or _MEASURE.search(text):
        return None
    if (letter := _LETTERS.get(plain(text))) is not None:
        return letter
    words = [word for word in plain(text).split() if word]
    if len(words) > _MOST_WORDS:
        return None
    numbers = [_value(word, count) for word in words if word not in _AROUND or _value(word, count)]
    if len(numbers) == 2 and numbers[0] == numbers[1]:
        numbers = numbers[:1]
    return numbers[0] if len(numbers) == 1 and numbers[0] else None


def _value(word: str, count: int | None) -> int | None:
    """Read one word as the number of an option, 1 to 99."""
    if glued := _GLUED.match(word):
        return int(glued[1]) or None
    for number, pattern in _ORDINAL_FORMS:
        if pattern.fullmatch(word):
            return number
    if count and _LAST.fullmatch(word):
        return count
    value = unit_value(word)
    return value if value and value < 20 else None


def match_title(text: str, titles: Sequence[str]) -> int | None:
    """Give the place of the title a message repeats, in any script and nearly the same letters, or None.

    Part of one title will do: `mon plan` is `Mon plan 90 jours` where no other title has these words.
    """
    message, bones = plain(text), skeleton(text)
    if not message or len(message) > 2 * _LONGEST:
        return None
    scores = [_likeness(message, bones, title) for title in titles]
    best = max(range(len(titles)), key=scores.__getitem__, default=None)
    if best is None or scores[best] < _CLOSE:
        return _only_part(message.split(), [plain(title).split() for title in titles])
    return best if scores.count(scores[best]) == 1 else None


def _only_part(words: Sequence[str], titles: Sequence[Sequence[str]]) -> int | None:
    """Give the place of the one title that has all these words in this order, or None."""
    if not any(len(word) >= _SHORTEST_PART and word not in _SAY_LITTLE for word in words):
        return None
    places = [place for place, title in enumerate(titles) if _stands_in(words, title)]
    return places[0] if len(places) == 1 else None


def _stands_in(words: Sequence[str], title: Sequence[str]) -> bool:
    rest = iter(title)
    return all(any(_same(word, other) for other in rest) for word in words)


def _same(word: str, other: str) -> bool:
    """Tell whether two words are one, the article apart; across scripts by their consonants."""
    first, second = without_article(word), without_article(other)
    if first == second or word == other:
        return True
    bones = word_skeleton(first)
    return is_arabic(first) != is_arabic(second) and len(bones) >= _FEWEST_BONES and bones == word_skeleton(second)


def _likeness(message: str, bones: str, title: str) -> float:
    if clean(title) == clean(message) or plain(title) == message:
        return 100.0
    alike = ratio(message, plain(title))
    title_bones = skeleton(title)
    if len(title_bones.replace(" ", "")) >= _FEWEST_BONES and len(message) > 2:
        alike = max(alike, min(99.0, ratio(bones, title_bones)))
    return alike
