"""Counts and ages an owner gives: how many people, how old the firm, how old and of which gender the owner is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.nlu.numbers import Number, number_at, scale_value
from bot.nlu.text import Word, plain, word_set

_PEOPLE = re.compile(
    r"[dl]*n+a+s|d*dnnas|dn+as|personnes?|pers|salarie[es]*|employe[es]*|ouvriers?|ouvrieres?|collaborateurs?|collegues?"
    r"|associes?|membres?|adherente?s?|adhrnts?|femmes|hommes|filles|garcons|gars|jeunes|artisane?s?|tisseuses|couturieres"
    r"|apprentie?s?|serveurs?|techniciens?|chauffeurs?|vendeu(?:rs?|ses?)|profs?|maalems?|m3elm[iye]*n|m3almin|eleveurs"
    r"|[dl]*kh[ae]*d+am[aeit]*|[dl]*khddama|[dl]*3[iy]ala?[tea]*|[dl]*3yalat|[dl]*n+sa|[dl]*bnat|[dl]*dra?ri|[dl]*chabab"
    r"|[dl]*mra|[dl]*rjal|wa7din|afrad|chakhs|ouvriere|wa7e?d|3assas|agents?|sn[ea]*3iya|moniteur(?:s|at)|monitrices?|preparatrices?|stagiaires?|mecanos?|enseignante?s?|marins?|pecheurs?|infirmiere?s?|cuisiniere?s?|medecins?|secretaires?|livreurs?|commercia(?:l|ux)|macons?|menuisiers?|kh[ie]?yatat|mo3allim[ai]t?|b7[ae]r[iy]a|potieres?|m3[ae]l+[ae]m|operatrices|operateurs|producteurs|producteur|kssab[a]?|jm3in"
    r"|د?ناس|د?الناس|نفر|انفار|افراد|شخص|اشخاص|خدام[ةهي]?ن?|خياطات|معلمات|بحاره?|استاذات?|اساتذه|د?الخدامه|مستخدم(?:ين)?|عامل(?:ه|ات)?|عمال|العمال|موظف(?:ين)?"
    r"|اجير|اجراء|مرا|نسا|د?النسا|عيالات|د?العيالات|دراري|د?الدراري|بنات|د?البنات|متعلمين|شركا|شركاء|تقنيين|شيفورات"
    r"|صناعيه|معلمين|عضو|اعضاء|منخرط|رجال|واحد|كسابه|منظفه|صنايعيه|وليدات"
)
_EXTRA_PEOPLE = word_set("beni khdama khddam khdamin kheddama dnas dyalnas dl3yalat dnnas dlkhdama")
_MAYBE_CHILDREN = word_set("drari dra ri bnat wlad filles garcons دراري بنات ولاد وليدات")
_HAVE = word_set("3ndi 3andi 3endi andi w3ndi عندي وعندي ai")
_WE_ARE = (
    "on est | nous sommes | on etait | nous etions | 7na | hna | 7naya | ihna | rana | kanin | mjmo3in | "
    "حنا | احنا | نحن | كنا | حنايا | رانا | كاينين | on travaille a | sommes | equipe de | effectif | "
    "une equipe de | effectif de | fiha | fih | فيها | فيه | equipe dyal | groupement de | m3aya | معايا "
    "| khddamin | خدامين"
)
_ALONE = (
    "gha ana | ghir ana | ghi ana | ana w rassi | ghir rassi | personne d autre | sans employe | sans "
    "salarie | aucun salarie | aucun employe | pas d employe | pas de salarie | pas d employes | pas de "
    "salaries | moi meme seulement | غير انا | غي انا | غير راسي | انا وراسي | ما عندي خدامه | ماعنديش "
    "خدامه | ma3ndich khddama | ma3ndich khdama | ma m3aya 7ed | ma m3aya ta wa7ed | ما معايا حد"
)
_BY_MYSELF = word_set(
    "seul seule bo7di bou7di bohdi bouhdi b7di bou7dy bou7dia bo7dy bwa7di w7di wa7di بوحدي وحدي لوحدي بوحديتي"
)
_WORKING = word_set(
    "suis travaille moi bosse gere reste khddam khdam khaddam khddama khdama kankhdem kankhdm ana ghir wa7ed "
    "خدام خدامه كنخدم انا غير نخدم"
)
_KIN_FORMS = word_set(
    "khouya khoya khti mrati marti rajli wldi weldi bnti bouya mama chriki chriki sa7bi khaya 3ammi "
    "oulidi femme mari frere soeur fils fille pere mere associe mari cousin neveu epouse epoux conjoint "
    "خويا ختي مراتي مرتي راجلي ولدي بنتي با الواليد الواليده شريكي صاحبي خاي زوجتي زوجي اخي اختي"
)
_SELF = word_set("ana moi انا انايا")
_AND = word_set("w et و ou o avec m3a مع")
_OF = word_set("d de dyal dial dyl dl ديال د دال des les l دـ")

_YEARS = re.compile(
    r"ans?|annees?|snin|sni?n|sn[ia]+n|sna|[3]a+m|3wam|a3wam|3wa?m|sanawat|سنه|سنين|سنوات|عام|عوام|اعوام|سناوات|لعوام|دسنين"
)
_MONTHS = re.compile(r"mois|chhou?r|chhr|chher|ch[eo]?hour|chouhour|achhor|شهر|شهور|اشهر|شهورا")
_TWO_YEARS = word_set("3amayn 3amin 3amyn عامين سنتين عاماين")
_SINCE = word_set(
    "depuis mn men min hadi hada had fait existe existence activite ouvert ouverte creee cree crees fonde "
    "fondee bdit bdina 7lit 7llit 7ellit 7alina fta7t lancee lance demarre installe installee ancien هادي هذه "
    "هاذي من منذ حليت حلينا بديت بدينا فتحت تأسست تاسست اسست كاينه"
)
_FOUNDING = tuple(
    word_set(
        "7li 7lli 7elli 7ali hlit hallit fta7 fte7 bdit bdin tsej cree fond ouver lanc demarr commenc install "
        "7ell t2es حلي محلول حليت فتح بدي بدا تأسس تاسس اسس تسجل"
    )
)
_AFTER_AGE = word_set("existence activite exercice anciennete")
_EXPERIENCE = _AFTER_AGE | word_set(
    "experience metier tajriba lkhdma lkhedma khdma خبره التجربه تجربه الخدمه الحرفه فالحرفه l7erfa فالخدمه فالميدان"
)
_NEW = (
    "je viens d ouvrir | viens de commencer | je demarre | en creation | en cours de creation | pas "
    "encore ouvert | pas encore cree | projet en cours | je vais ouvrir | on va creer | on va ouvrir | "
    "yallah bdit | yalah bdit | yallah 7lit | yallah 7llit | ba9i ma bdit | ba9i ma 7lit | mazal ma bdit "
    "| mazal ma 7lit | ghadi n7el | ghadi nfte7 | ghanhel | bghit n7el | غادي نحل | يالاه بديت | يالله "
    "بديت | يالاه حليت | باقي ما بديت | مازال ما بديت | مازال ما حليت | باقي ما حليت | فطور الانشاء | في "
    "طور الانشاء | غادي نفتح | création en cours | creation en cours | machrou3 jdid | مشروع جديد | jeune "
    "entreprise pas encore"
)
_IT_HAS = word_set("3ndha 3ndo 3andha 3ando 3endha 3endo 3andou 3ndou 3ndhom عندها عندو عنده عندهم fiha فيها")
_FIRM_WORDS = word_set(
    "societe boite entreprise affaire boutique magasin atelier cooperative coop salon garage restaurant ferme "
    "ecole charika 7anout l7anout machrou3 commerce hotel riad usine association sarl startup"
)
_OWNER_AGE_BEFORE = word_set(
    "ai 3omri 3mri 3ndi 3andi 3endi andi age agee عمري عندي فعمري سني bent weld wld bnt بنت ولد"
)
_FEMALE = (
    "je suis une femme | femme entrepreneure | femme entrepreneuse | en tant que femme | moi une femme | "
    "ana mra | ana wa7d lmra | femme divorcee | femme au foyer | mere de famille | veuve | je suis "
    "gerante | je suis la gerante | ana gerante | je suis entrepreneure | انا مرا | انا امراه | انا امرأه "
    "| مطلقه | ارمله | ana bent | انا بنت | mra mtal9a | mra m9awla | ana mtal9a | ana armala | femme "
    "chef d entreprise | ana sayyida | كامراه | ربه بيت | امراه مقاوله | مرا مقاوله | je suis mariee | "
    "mra mzwja | je suis coiffeuse | je suis couturiere | je suis presidente"
)
_MALE = (
    "je suis un homme | ana rajel | ana rajl | انا راجل | pere de famille | je suis gerant | ana weld | "
    "انا ولد | homme marie | je suis marie et"
)
_OLDEST_FIRM = 150
_ADULT = 15
_OLDEST_OWNER = 95


@dataclass(frozen=True)
class Fact:
    """A value and the words that say it, `first` to `last` excluded."""

    first: int
    last: int
    value: float | int | str


@dataclass(frozen=True)
class _Forms:
    """Short phrases as word tuples, by their first word."""

    by_start: dict[str, list[tuple[str, ...]]]

    @classmethod
    def of(cls, phrases: str) -> _Forms:
        """Take phrases with a bar between them."""
        by_start: dict[str, list[tuple[str, ...]]] = {}
        for phrase in phrases.split("|"):
            words = tuple(plain(phrase).split())
            by_start.setdefault(words[0], []).append(words)
        return cls({start: sorted(keys, key=len, reverse=True) for start, keys in by_start.items()})

    def at(self, words: Sequence[Word], place: int) -> int:
        """Give the place after the longest phrase that starts here, or the place itself."""
        for key in self.by_start.get(words[place].form, ()):
            if tuple(word.form for word in words[place : place + len(key)]) == key:
                return place + len(key)
        return place


_WE_ARE_FORMS, _ALONE_FORMS = _Forms.of(_WE_ARE), _Forms.of(_ALONE)
_NEW_FORMS, _FEMALE_FORMS, _MALE_FORMS = _Forms.of(_NEW), _Forms.of(_FEMALE), _Forms.of(_MALE)


def staff(text: str, words: Sequence[Word]) -> list[Fact]:
    """Give head counts: `3 dnas`, `m3a 5 dyal nas`, `on est 4`, `بوحدي` = 1."""
    counts = [fact for place in range(len(words)) if (fact := _count_at(text, words, place))]
    if counts:
        return [max(counts, key=lambda fact: fact.value)]
    for place in range(len(words)):
        after = _ALONE_FORMS.at(words, place)
        if after > place:
            return [Fact(place, after, 1)]
        if _works_alone(text, words, place):
            return [Fact(place, place + 1, 1)]
        if pair := _self_and_kin(words, place):
            return [pair]
    return []


def _count_at(text: str, words: Sequence[Word], place: int) -> Fact | None:
    number = number_at(text, words, place)
    if number is None or number.value != int(number.value) or not 1 <= number.value <= 2000:
        return None
    here = number.last
    if here < len(words) and scale_value(words[here].form):
        return None
    linked = here + 1 if here < len(words) and words[here].form in _OF else here
    for noun in (here, linked):
        if noun < len(words) and _is_people(words[noun].form) and not _one_of_many(number):
            if words[noun].form in _MAYBE_CHILDREN and place and words[place - 1].form in _HAVE:
                return None
            return Fact(place, number.last, int(number.value))
    if _is_percent(text, words, here):
        return None
    if number.value > 1 and _after_we_are(words, place) and _ends_clause(text, words, here):
        return Fact(place, number.last, int(number.value))
    return None


def _is_percent(text: str, words: Sequence[Word], here: int) -> bool:
    if text[words[here - 1].end :].lstrip()[:1] in ("%", "٪"):
        return True
    return here < len(words) and words[here].form in (
        "فالميه",
        "فالمءه",
        "فالمئه",
        "pourcent",
        "flmya",
        "flmiya",
        "h",
        "heures",
    )


def _one_of_many(number: Number) -> bool:
    """Leave the article alone: `un employé de la banque`, `wahd lmra`."""
    return number.value == 1 and not number.digits


def _is_people(form: str) -> bool:
    return form in _EXTRA_PEOPLE or (len(form) < 16 and _PEOPLE.fullmatch(form) is not None)


def _after_we_are(words: Sequence[Word], place: int) -> bool:
    return any(_WE_ARE_FORMS.at(words, start) == place for start in range(max(0, place - 4), place))


def _ends_clause(text: str, words: Sequence[Word], here: int) -> bool:
    """Tell whether nothing is counted behind the number: `on est 4, a Fès`, not `7na 3 km mn casa`."""
    if here >= len(words):
        return True
    gap = text[words[here - 1].end : words[here].start]
    small = words[here].form in _AND | word_set(
        "f fi a à dans au ف في b bla mn men f' chez 3nd khddamin خدامين kamlin كاملين"
    )
    return small or words[here].form[0] == "ف" or any(mark in gap for mark in ",.;!?،\n")


def _works_alone(text: str, words: Sequence[Word], place: int) -> bool:
    """Tell `khddam bo7di` and `cordonnier, seul` from `mon seul souci` and `faire mon site tout seul`."""
    if words[place].form not in _BY_MYSELF:
        return False
    before = place - 1
    if before >= 0 and words[before].form in ("tout", "tt", "toute"):
        before -= 1
    if before < 0 or _WORKING.intersection(word.form for word in words[max(0, before - 2) : before + 1]):
        return True
    gap = text[words[before].end : words[before + 1].start]
    return any(mark in gap for mark in ",;.،:")


def _self_and_kin(words: Sequence[Word], place: int) -> Fact | None:
    """Read `ana w khoya`, `moi et ma femme`, `أنا وختي` as two."""
    if words[place].form not in _SELF or place + 1 >= len(words):
        return None
    following = words[place + 1].form
    if following[0] == "و" and following[1:] in _KIN_FORMS:
        return Fact(place, place + 2, 2)
    for kin in (place + 2, place + 3):
        if following in _AND and kin < len(words) and words[kin].form in _KIN_FORMS:
            return Fact(place, kin + 1, 2)
    return None


def ages(text: str, words: Sequence[Word], today: date) -> tuple[list[Fact], list[Fact]]:
    """Give the age of the firm and of the owner, in years."""
    firm: list[Fact] = []
    owner: list[Fact] = []
    for place in range(len(words)):
        after = _NEW_FORMS.at(words, place)
        if after > place and not firm:
            firm.append(Fact(place, after, 0))
        if since := _since_year(words, place, today):
            firm.append(since)
            continue
        span = _duration_at(text, words, place)
        if span is None:
            continue
        if _is_owner_age(words, span):
            owner.append(Fact(span.first, span.last, int(span.value)))
        elif _is_firm_age(words, span):
            firm.append(span)
    told = [fact for fact in firm if fact.value != 0] or firm
    return told[:1], owner[:1]


def _since_year(words: Sequence[Word], place: int, today: date) -> Fact | None:
    form = words[place].form
    if not (form.isdigit() and len(form) == 4 and today.year - _OLDEST_FIRM < int(form) <= today.year) or place == 0:
        return None
    if words[place - 1].form in _SINCE or any(
        word.form.startswith(_FOUNDING) for word in words[max(0, place - 4) : place + 3]
    ):
        return Fact(place, place + 1, today.year - int(form))
    return None


def _duration_at(text: str, words: Sequence[Word], place: int) -> Fact | None:
    if words[place].form in _TWO_YEARS:
        return Fact(place, place + 1, 2)
    number = number_at(text, words, place)
    if number is None:
        value, here = 1.0, place
        if not (
            _YEARS.fullmatch(words[place].form) and place and words[place - 1].form in ("hadi", "هادي", "chi", "شي")
        ):
            return None
    else:
        value, here = number.value, number.last
    linked = here + 1 if here < len(words) and words[here].form in _OF else here
    for unit in (here, linked):
        if unit >= len(words) or len(words[unit].form) > 12:
            continue
        if _YEARS.fullmatch(words[unit].form) and value <= _OLDEST_FIRM:
            half = (
                unit + 2 < len(words)
                and words[unit + 1].form in _AND
                and words[unit + 2].form in ("noss", "demi", "نص")
            )
            return Fact(place, unit + 3 if half else unit + 1, _whole(value + 0.5 if half else value))
        if _MONTHS.fullmatch(words[unit].form) and value <= 60:
            return Fact(place, unit + 1, _whole(round(value / 12, 2)))
    return None


def _is_owner_age(words: Sequence[Word], span: Fact) -> bool:
    """Tell `j'ai 40 ans` and `3omri 24` from `j'ai 20 ans d'expérience`."""
    if not _ADULT <= float(span.value) <= _OLDEST_OWNER or span.first == 0:
        return False
    after = [word.form for word in words[span.last : span.last + 3]]
    if _EXPERIENCE.intersection(after) or _in_a_trade(words, span):
        return False
    return words[span.first - 1].form in _OWNER_AGE_BEFORE


def _is_firm_age(words: Sequence[Word], span: Fact) -> bool:
    before = [word.form for word in words[max(0, span.first - 3) : span.first]]
    after = [word.form for word in words[span.last : span.last + 3]]
    if span.first == 0 and span.last == len(words):
        return True
    if "dans" in before[-1:] or "moins" in before or "9el" in before or "اقل" in before:
        return False
    if _SINCE.intersection(before) or _AFTER_AGE.intersection(after) or before[-2:] == ["y", "a"]:
        return True
    if before[-1:] == ["a"] and _FIRM_WORDS.intersection(before):
        return True
    if before[-1:] and before[-1] in _IT_HAS:
        return True
    return bool(before) and before[-1] in _HAVE and (float(span.value) < _ADULT or _in_a_trade(words, span))


def _in_a_trade(words: Sequence[Word], span: Fact) -> bool:
    """Tell `3ndi 10 snin f lbatiment`, `عندي 12 عام فالحرفة`: so long in this work."""
    if span.last >= len(words):
        return False
    following = words[span.last].form
    return following in ("f", "fi", "ف", "في", "dans") or (following[0] == "ف" and len(following) > 3)


def age_in_words(words: Sequence[Word]) -> list[Fact]:
    """Give the owner's age said without a unit: `3omri 24`, `عمري 30`."""
    for place in range(1, len(words)):
        if words[place - 1].form in ("3omri", "3mri", "عمري") and words[place].form.isdigit():
            value = int(words[place].form[:4])
            if _ADULT <= value <= _OLDEST_OWNER:
                return [Fact(place, place + 1, value)]
    return []


def gender(words: Sequence[Word]) -> list[Fact]:
    """Give `f` or `m`, only where the owner says it."""
    for place in range(len(words)):
        for forms, value in ((_FEMALE_FORMS, "f"), (_MALE_FORMS, "m")):
            after = forms.at(words, place)
            if after > place:
                return [Fact(place, after, value)]
    return []


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value
