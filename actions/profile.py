"""Who the owner is: four taps, or one free sentence that fills several fields at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actions import journey, prompts
from actions.misunderstood import fall_back
from actions.turn import Button, RafiqAction, Turn
from bot.diagnosis.profile import size_of
from bot.knowledge.firm import MOST
from bot.knowledge.places import places
from bot.knowledge.seats import as_point

# The fields of services.md that a free sentence may fill, by the entity that holds them.
FIELDS = {
    "sector": "sector",
    "firm_age": "firm_age_years",
    "legal_form": "legal_form",
    "owner_gender": "owner_gender",
    "owner_age": "owner_age",
}
LARGEST_STAFF = 100_000
# So many times more, or less, and two counts of the same firm contradict each other.
SHIFT = 3
ROLES = {None: "amount_mad", "own_funds": "own_funds_mad"}


class ActionSetProfile(RafiqAction):
    """Take one tap of the profile, also a late one: it corrects."""

    action_name = "action_set_profile"

    def reply(self, turn: Turn) -> None:
        name, _, value = (turn.choice or "").partition(":")
        page = prompts.page_of(turn, name, value)
        if page is not None:
            prompts.ask_profile(turn, name, page)
        elif value != "skip" and not prompts.is_profile_value(turn, name, value):
            turn.say("utter_old_button")
            prompts.ask_again(turn)
        elif value == "skip":
            if turn.prompt is not None and turn.prompt.kind == "profile":
                journey.skip_profile_field(turn)
            else:
                prompts.ask_again(turn)
        else:
            expected = turn.prompt is not None and turn.prompt.about.startswith(f"{name}:")
            keep(turn, {name: value})
            if not expected:
                turn.say("utter_profile_corrected", summary=summary(turn, [name]))
            after_profile(turn, expected)


class ActionInform(RafiqAction):
    """Take what a free sentence says of the firm, then go on."""

    action_name = "action_inform"

    def reply(self, turn: Turn) -> None:
        found = fields_from(turn, asked_money=False)
        if not found:
            # "Inform" without a fact is a message that was not understood, however sure the classifier is.
            fall_back(turn)
            return
        journey.introduce(turn)
        asked = turn.prompt is not None and turn.prompt.kind == "profile"
        name = contradicted(turn, found)
        if name is not None:
            new = set_aside(found, name)
            keep_fields(turn, found)
            ask_which(turn, name, new)
            return
        keep_fields(turn, found)
        turn.say("utter_profile_noted", summary=summary(turn, list(found)))
        after_profile(turn, asked)


class ActionLocation(RafiqAction):
    """Take a pin on the map for the province and region; one abroad is asked again."""

    action_name = "action_location"

    def reply(self, turn: Turn) -> None:
        journey.introduce(turn)
        point = as_point(turn.choice or "")
        seat = turn.content.seats.nearest(*point) if point is not None else None
        if seat is None:
            turn.say("utter_place_outside")
            prompts.ask_again(turn)
            return
        keep(turn, {"region": seat.region, "province": seat.province})
        turn.say("utter_profile_noted", summary=summary(turn, ["region", "province"]))
        after_profile(turn, turn.prompt is not None and turn.prompt.kind == "profile")


def after_profile(turn: Turn, asked: bool) -> None:
    """Go on with the profile when it was being asked, else back to what was open."""
    if asked or turn.prompt is None:
        journey.advance(turn)
    else:
        prompts.ask_again(turn)


def profile_from(turn: Turn) -> dict[str, Any]:
    """Return the profile fields that the entities of a message fill."""
    found: dict[str, Any] = {}
    for entity in turn.latest.get("entities") or ():
        name, value = entity["entity"], entity["value"]
        if name in FIELDS and not (isinstance(value, (int, float)) and value > MOST.get(FIELDS[name], value)):
            found[FIELDS[name]] = value
        elif name == "staff" and isinstance(value, int) and 1 <= value <= LARGEST_STAFF:
            found |= {"staff": value, "size": size_of(value)}
        elif name in ("commune", "province", "region"):
            found |= {key: entity[key] for key in ("region", "province") if entity.get(key)}
    return found


def keep(turn: Turn, fields: dict[str, Any]) -> None:
    """Write profile fields; a size chosen by hand replaces a head count that says otherwise, a region a province."""
    firm = turn.make_firm()
    staff = firm.profile.get("staff")
    if "size" in fields and "staff" not in fields and staff is not None and size_of(staff) != fields["size"]:
        firm.profile.pop("staff")
    if "region" in fields and "province" not in fields:
        known = places().province(firm.profile.get("province") or "")
        if known is not None and known.region != fields["region"]:
            firm.profile.pop("province")
    firm.profile.update(fields)


def summary(turn: Turn, names: list[str]) -> str:
    """Return the profile fields in the owner's words, as a short list."""
    profile = turn.firm.profile if turn.firm else {}
    words = turn.content.words
    titles = {
        "sector": {sector.id: sector.title for sector in words.sectors},
        "region": {region.id: region.title for region in words.regions},
        "goal": {goal.id: goal.title for goal in turn.content.diagnosis.instrument.goals},
        "legal_form": {
            key.removeprefix("legal_"): text for key, text in words.labels.items() if key.startswith("legal_")
        },
    }
    parts: list[str] = []
    for name in names:
        value = profile.get(name)
        if name in titles and value in titles[name]:
            parts.append(titles[name][value][turn.language])
        elif name == "staff" or (name == "size" and "staff" not in names):
            parts.append(f"{turn.label('people')} {value if name == 'staff' else turn.label(f'size_{value}')}")
        elif name == "province" and value:
            parts.append(str(value))
        elif name == "firm_age_years" and value is not None:
            parts.append(f"{turn.label('years')} {value:g}")
    return turn.listed(parts) or turn.label("noted")


def known_fields(profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return the told fields by their names, those of the project with a dot."""
    project = {f"project.{name}": value for name, value in (profile.get("project") or {}).items()}
    return {name: value for name, value in {**profile, **project}.items() if value is not None}


def keep_fields(turn: Turn, fields: Mapping[str, Any]) -> None:
    """Write fields of the profile, those of the project among them."""
    project = {name.removeprefix("project."): v for name, v in fields.items() if name.startswith("project.")}
    plain_fields = {name: value for name, value in fields.items() if not name.startswith("project.")}
    if isinstance(plain_fields.get("staff"), int):
        plain_fields["size"] = size_of(plain_fields["staff"])
    if project:
        known = turn.make_firm().profile.get("project") or {}
        plain_fields["project"] = {**known, **project}
    keep(turn, plain_fields)


def fields_from(turn: Turn, asked_money: bool = True) -> dict[str, Any]:
    """Return what a free message tells: the firm; where money is asked for, what for and how much."""
    found: dict[str, Any] = dict(profile_from(turn))
    asked = turn.content.funding.ask("project.kind")
    for kind in turn.entities("project_kind")[: 1 if asked_money else 0]:
        # Words say what the button says: who wants a till does not ask for a start-up's money.
        options = asked.options if asked else ()
        found |= next((option.told() for option in options if option.id == kind), {"project.kind": kind})
    for entity in turn.latest.get("entities") or ():
        if entity["entity"] != "amount":
            continue
        value, role = entity["value"], entity.get("role")
        if role == "turnover":
            found["turnover_mad"] = value
        elif asked_money and role in ROLES:
            found[f"project.{ROLES[role]}"] = value["max"] if isinstance(value, dict) else value
    return {name: value for name, value in found.items() if not absurd(name, value)}


def absurd(name: str, value: Any) -> bool:
    """Say whether no firm has such a number."""
    most = MOST.get(name.removeprefix("project."))
    return isinstance(value, (int, float)) and (value < 0 or (most is not None and value > most))


def contradicted(turn: Turn, found: Mapping[str, Any]) -> str | None:
    """Return the number that the firm told very differently before; None when nothing is contradicted."""
    known = turn.firm.profile if turn.firm else {}
    for name in ("staff", "firm_age_years"):
        old, new = known.get(name), found.get(name)
        if not isinstance(old, (int, float)) or not isinstance(new, (int, float)) or old == new:
            continue
        if max(old, new) >= SHIFT * max(min(old, new), 1) and abs(old - new) >= SHIFT:
            return name
    return None


def set_aside(found: dict[str, Any], name: str) -> Any:
    """Take a contradicted number out of what was told, with what follows from it."""
    if name == "staff":
        found.pop("size", None)
    return found.pop(name)


def ask_which(turn: Turn, name: str, new: Any) -> None:
    """Ask which of two numbers holds."""
    old = turn.make_firm().profile[name]
    buttons = [Button(f"tell_funding:{name}:n{value:g}", f"{value:g}") for value in (old, new)]
    turn.say(
        "utter_which_number",
        buttons,
        old=f"{old:g}",
        new=f"{new:g}",
        name=turn.content.funding.field_name(name, turn.language) or name,
    )
    turn.ask_aside("which", name)
