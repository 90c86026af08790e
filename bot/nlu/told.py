"""A free message as the answer to a question of the funding check: money, an age, a count, yes or no, a word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from bot.nlu.numbers import number_at, scale_value, tokens
from bot.nlu.text import Word, plain, word_set

FUNDING = "funding"
"""The kind of the prompt; what it is about is the question's id."""
TELL = "tell_funding"
SKIP = "skip"
_MONEY = ("turnover_mad", "project.amount_mad", "project.own_funds_mad")
_COUNTS = {"staff": "staff", "project.stable_jobs": "staff"}
_AGES = {"firm_age_years": "firm_age", "owner_age": "owner_age"}
_NAMED = {
    "legal_form": "legal_form",
    "sector": "sector",
    "owner_gender": "owner_gender",
    "project.kind": "project_kind",
    "region": "region",
}
"""Questions answered by a name, and the entity that holds it."""
_PLACES = ("commune", "province", "region")
_WORDS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "rural": {
        "yes": word_set(
            "campagne rural rurale douar bled lbled village 3robiya l3robiya 3aroubia badia lbadia jbel "
            "العروبية عروبية فالعروبية دوار الدوار البادية القرية جبل الجبل فالبادية"
        ),
        "no": word_set("ville urbain mdina lmdina flmdina lmedina المدينة مدينة فالمدينة centre"),
    },
    "owner_gender": {
        "f": word_set("femme mra lmra bent une elle امرأة مرا المرا بنت سيدة lalla"),
        "m": word_set("homme rajel rajl un lui راجل رجل الراجل"),
    },
    "exports": {
        "africa": word_set("afrique afri9ya afriqya افريقيا لافريقيا senegal mali cote السنغال"),
        "abroad": word_set("europe france espagne اوروبا فرنسا اسبانيا golfe الخليج"),
    },
}
_NOTHING = word_set("rien walo walou oualou zero 0 sifr والو صفر aucun makaynch ma3ndich ماعنديش ماكاينش")
_MONTH = word_set("mois mensuel chher chhar ch7er lchher fchher شهر الشهر فالشهر شهريا")
_SALES = word_set(
    "ca vente ventes vends vendons mbi3at lmbi3at kanbi3 kanbi3o kanbi3ou nbi3 katbi3 مبيعات المبيعات كنبيع كنبيعو "
    "المعاملات affaires recette recettes mdkhoul lmdkhoul مدخول المدخول kandkhl kandkhel كندخل"
)
_OWN = word_set("apport poche jibi mn3ndi rasslmal ras9mali جيبي راسمال epargne economies")
_UNITS_OF_AGE = word_set("an ans snin 3am 3amin sana سنين عام عامين سنة عوام 3wam")
_AROUND = 6
_SMALLEST_MONEY = 1000
_FEW = 5
_YEARS = range(1900, 2200)
_INTENT_ANSWERS = {"affirm": "yes", "deny": "no", "dont_know": SKIP}
_SURE = 0.5


def asked_field(prompt: Mapping[str, Any]) -> str | None:
    """Give the question of the funding check that is open, or None."""
    return str(prompt.get("about") or "") if prompt.get("kind") == FUNDING else None


def told(
    field: str, text: str, entities: Sequence[Mapping[str, Any]], intent: tuple[str, float], offers: Iterable[str],
    today: date,
) -> str | None:  # fmt: skip
    """Give the choice that a message makes at the question `field`, or None.

    An option by its id; `n…` is a number, `r…-…` a bracket, `q…` a number of which the unit is not clear.
    """
    if (value := _value(field, text, entities, today)) is not None:
        return f"{field}:{value}"
    option = _INTENT_ANSWERS.get(intent[0]) if intent[1] >= _SURE else None
    if option == SKIP:
        return f"{field}:{SKIP}"
    offered = {offer.removeprefix(f"{TELL}:{field}:") for offer in offers}
    return f"{field}:{option}" if option in offered else None


def role_of(words: Sequence[Word], first: int, last: int) -> str | None:
    """Give what a sum is, where words around it say so: sales of a year, or the owner's own money."""
    around = {word.form for word in words[max(0, first - _AROUND) : last + _AROUND]}
    if around & _SALES:
        return "turnover"
    return "own_funds" if around & _OWN else None


def _value(field: str, text: str, entities: Sequence[Mapping[str, Any]], today: date) -> str | None:
    if field in _MONEY:
        return _money(field, text, _first(entities, "amount"))
    if field in _AGES:
        return _number(_first(entities, _AGES[field])) or _age(text, today)
    if field in _COUNTS:
        return _number(_first(entities, _COUNTS[field])) or _count(text)
    if field == "region" and (place := next((e for e in entities if e["entity"] in _PLACES), None)):
        return str(place.get("region") or (place["value"] if place["entity"] == "region" else "")) or None
    if field in _NAMED and (name := _first(entities, _NAMED[field])) is not None:
        return str(name)
    spoken = plain(text).split()
    # "In the village" is one word in Arabic letters: فالدوار.
    forms = {form for word in spoken for form in (word, word[1:] if word[0] in "فبل" else word)}
    found = [option for option, words in _WORDS.get(field, {}).items() if forms & words]
    return found[0] if len(found) == 1 else None


def _money(field: str, text: str, amount: Any) -> str | None:
    yearly = 12 if field == "turnover_mad" and _MONTH & set(plain(text).split()) else 1
    if isinstance(amount, Mapping):
        low, high = amount["min"] * yearly, amount["max"] * yearly
        if field == "turnover_mad":
            return f"r{low:g}-{high:g}" if low < high else None
        return _number(low if field.endswith("own_funds_mad") else high)
    if amount is not None:
        return _number(amount * yearly)
    bare = _bare(text)
    if bare is None:
        return "n0" if _is_nothing(text) else None
    if bare == 0 or bare >= _SMALLEST_MONEY:
        return _number(bare * yearly)
    return f"q{bare:g}"


def _age(text: str, today: date) -> str | None:
    bare = _bare(text, _UNITS_OF_AGE)
    if bare is not None and bare in _YEARS:
        return _number(today.year - bare) if bare <= today.year else None
    return _number(bare)


def _count(text: str) -> str | None:
    bare = _bare(text)
    return _number(bare) if bare is not None else "n0" if _is_nothing(text) else None


def _bare(text: str, beside: frozenset[str] = frozenset()) -> float | None:
    """Give the one number of a short message: `300 000`, `20`, `عشرين`."""
    grouped = re.sub(r"(?<=\d)[\s.\u00a0\u202f](?=\d{3}(?!\d))", "", text)
    words = tokens(grouped, beside)
    if len(words) > _FEW:
        return None
    if re.search(r"[-\u2212]\s*\d", grouped):
        return None
    found = []
    place = 0
    while place < len(words):
        number = number_at(grouped, words, place)
        if number is None or scale_value(words[place].form):
            place += 1
            continue
        found.append(number.value)
        place = number.last
    return found[0] if len(found) == 1 else None


def _is_nothing(text: str) -> bool:
    words = plain(text).split()
    return len(words) <= _FEW and bool(_NOTHING & set(words))


def _number(value: Any) -> str | None:
    if not isinstance(value, (int, float)):
        return None
    return f"n{int(value)}" if value == int(value) else f"n{round(value, 2)}"


def _first(entities: Sequence[Mapping[str, Any]], name: str) -> Any:
    return next((entity["value"] for entity in entities if entity["entity"] == name), None)
