"""Approved WhatsApp templates of this installation's account: knowledge/whatsapp_templates.yml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ConstrainedStr

from bot.knowledge.loader import load
from bot.knowledge.words import Variety


class ContentSid(ConstrainedStr):
    """The id of a content template at Twilio."""

    regex = re.compile(r"^HX[0-9a-fA-F]{32}\Z")
    strict = True


Templates = Mapping[str, Mapping[str, str]]
"""ContentSid by the template's name and the variety."""


def load_templates(knowledge: Path) -> Templates:
    """Read whatsapp_templates.yml; raise KnowledgeErrors."""
    templates: Any = load(knowledge / "whatsapp_templates.yml").parse(dict[str, dict[Variety, ContentSid]])
    return dict(templates)
