"""Random answers and firms for the properties of the diagnosis."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bot.diagnosis.answers import Answer, answered, dont_know, not_applicable, skipped
from bot.diagnosis.profile import Profile

ITEMS = tuple(f"{axis}{block}" for block in (1, 2, 3) for axis in "PCVGEDS")
UNKNOWN_OR_BOOL = st.sampled_from([None, True, False])


def _answer(item: str) -> SearchStrategy[Answer]:
    kinds = [answered(item, value) for value in range(4)] + [dont_know(item), skipped(item)]
    if item in ("V2", "G2", "E2", "E3"):
        kinds.append(not_applicable(item))
    return st.sampled_from(kinds)


answer_sets: SearchStrategy[dict[str, Answer]] = st.fixed_dictionaries(
    {}, optional={item: _answer(item) for item in ITEMS}
)
"""Any set of answers an owner may give, empty and complete ones included."""

profiles: SearchStrategy[Profile] = st.builds(
    Profile,
    staff=st.sampled_from([None, 1, 5]),
    sector=st.sampled_from([None, "grocery", "beauty"]),
    legal_form=st.sampled_from([None, "informal", "company"]),
    has_stock=UNKNOWN_OR_BOOL,
    takes_appointments=UNKNOWN_OR_BOOL,
    sells_remotely=UNKNOWN_OR_BOOL,
    pays_nobody=UNKNOWN_OR_BOOL,
    keeps_customer_data=UNKNOWN_OR_BOOL,
)


@st.composite
def improvements(draw: st.DrawFn) -> tuple[dict[str, Answer], dict[str, Answer], str]:
    """Draw a set of answers, the same with one better answer, and the item that got better."""
    before = draw(answer_sets)
    open_items = [item for item in ITEMS if item not in before]
    item = draw(st.sampled_from(list(before) or open_items))
    low = draw(st.integers(0, 2))
    high = draw(st.integers(low + 1, 3))
    return {**before, item: answered(item, low)}, {**before, item: answered(item, high)}, item
