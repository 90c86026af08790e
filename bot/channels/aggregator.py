"""The description of an SMS aggregator: one YAML file that says how it is called and how it calls us."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field, StrictStr, conint, root_validator, validator

from bot.knowledge.loader import Document, Loc, Problem, Record, load

SENDING = ("to", "text", "hex", "from", "id", "encoding")
"""What may stand in braces where a message is sent, besides env:NAME."""
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_ENV = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")

Format = Literal["form", "json", "query"]
Code = str
"""A code or status of the aggregator; numbers and words of YAML compare as they are written."""


def as_code(value: Any) -> str:
    """Return a value of a JSON document or of the file as it is compared: 0 is "0", true is "true"."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Coded(Record):
    @validator("*", pre=True)
    def _plain(cls, value: Any) -> Any:
        return [as_code(entry) for entry in value] if isinstance(value, list) else value


class Place(Record):
    """Where something stands in an answer: exactly one of a JSON path, a pattern with one group, a header."""

    json_path: StrictStr | None = Field(None, alias="json")
    body: StrictStr | None = None
    header: StrictStr | None = None

    @validator("body")
    def _pattern(cls, body: str | None) -> str | None:
        if body is not None and _compiled(body).groups != 1:
            raise ValueError("one group in parentheses is needed: what to take")
        return body

    @root_validator(skip_on_failure=True)
    def _one(cls, values: dict[str, Any]) -> dict[str, Any]:
        if sum(value is not None for value in values.values()) != 1:
            raise ValueError("exactly one of json, body and header is needed")
        return values


class Expected(_Coded):
    """A value of a JSON answer and what it may be."""

    path: StrictStr
    values: tuple[Code, ...] = Field(alias="is")


class Success(Record):
    """How to tell that the aggregator took a message: all that is given must hold."""

    status: tuple[conint(ge=100, le=599), ...] = ()  # type: ignore[valid-type]
    json_value: Expected | None = Field(None, alias="json")
    body: StrictStr | None = None

    @validator("body")
    def _pattern(cls, body: str | None) -> str | None:
        if body is not None:
            _compiled(body)
        return body


class Errors(_Coded):
    """What the aggregator's codes, or HTTP statuses, mean."""

    retryable: tuple[Code, ...] = ()
    permanent: tuple[Code, ...] = ()
    opted_out: tuple[Code, ...] = ()


class Encodings(Record):
    """What the aggregator calls the two alphabets."""

    gsm7: Any = "gsm7"
    ucs2: Any = "ucs2"


class Send(Record):
    """How a message is handed over."""

    method: Literal["POST", "GET", "PUT"] = "POST"
    url: StrictStr
    headers: Mapping[StrictStr, StrictStr] = Field(default_factory=dict)
    format: Format
    charset: StrictStr = "utf-8"
    fields: dict[StrictStr, Any]
    sender: StrictStr = Field("", alias="from")
    number: Literal["plus", "digits", "national"] = "plus"
    encodings: Encodings = Encodings()
    timeout_seconds: float = Field(10.0, gt=0, le=15)
    max_per_second: float | None = Field(None, ge=0.5)
    success: Success = Field(default_factory=lambda: Success.parse_obj({}))
    message_id: Place | None = None
    error_code: Place | None = None
    errors: Errors = Errors()

    @validator("url")
    def _is_http(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url

    @validator("charset")
    def _known(cls, charset: str) -> str:
        return known_charset(charset)


class Secret(Record):
    """A word that the aggregator sends along, in a header, or in a field of the body or the address."""

    header: StrictStr | None = None
    field: StrictStr | None = None
    value: StrictStr

    @root_validator(skip_on_failure=True)
    def _one(cls, values: dict[str, Any]) -> dict[str, Any]:
        if (values["header"] is None) == (values["field"] is None):
            raise ValueError("exactly one of header and field is needed")
        return values


class Signature(Record):
    """An HMAC over the raw body, or over the raw query of a GET."""

    header: StrictStr
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: StrictStr = ""
    key: StrictStr


class Answer(Record):
    """What the aggregator wants to read."""

    body: StrictStr = ""
    content_type: StrictStr = "text/plain"


class Hook(Record):
    """A webhook of ours: how the aggregator calls it, and how we know that it is the aggregator."""

    method: Literal["POST", "GET"] = "POST"
    format: Format
    charset: StrictStr = "utf-8"
    rows: StrictStr | None = Field(None, alias="list")
    secret: Secret | None = None
    signature: Signature | None = None
    answer: Answer = Answer()

    @validator("charset")
    def _known(cls, charset: str) -> str:
        return known_charset(charset)

    @root_validator(skip_on_failure=True)
    def _guarded(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("secret") is None and values.get("signature") is None:
            raise ValueError("a secret or a signature is needed: without one, anybody could write in an owner's name")
        return values


class MessageFields(Record):
    """Which field holds what; JSON fields are paths such as message.text or numbers.0."""

    sender: StrictStr = Field(alias="from")
    text: StrictStr
    id: StrictStr | None = None
    time: StrictStr | None = None
    coding: StrictStr | None = None


class Receive(Hook):
    """How owners' messages arrive at /webhooks/sms."""

    fields: MessageFields
    hex_when: tuple[Code, ...] = ()
    """Values of the coding field that say: the text is the hexadecimal form of UTF-16."""

    @validator("hex_when", pre=True)
    def _plain(cls, value: Any) -> Any:
        return [as_code(entry) for entry in value] if isinstance(value, list) else value

    @root_validator(skip_on_failure=True)
    def _coding_known(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("hex_when") and values["fields"].coding is None:
            raise ValueError("hex_when needs fields.coding")
        return values


class ReportFields(Record):
    """Which field of a delivery report holds what."""

    id: StrictStr
    status: StrictStr
    error: StrictStr | None = None


class Reports(Hook):
    """How delivery reports arrive at /webhooks/sms/status."""

    fields: ReportFields
    statuses: dict[Any, Literal["accepted", "sent", "delivered", "read", "failed"]]
    errors: Errors = Errors()

    @validator("statuses")
    def _plain(cls, statuses: dict[Any, str]) -> dict[str, str]:
        return {as_code(name): status for name, status in statuses.items()}


class Description(Record):
    """The whole file."""

    send: Send
    receive: Receive | None = None
    reports: Reports | None = None


@dataclass(frozen=True)
class Aggregator:
    """A checked description, and the values of the environment it refers to."""

    described: Description
    environment: Mapping[str, str]

    def secret(self, template: str) -> str:
        """Return a secret with its environment values filled in."""
        return fill(template, {}, self.environment, str)


def load_aggregator(path: Path, environment: Mapping[str, str] = os.environ) -> Aggregator:
    """Read and check the file; raise KnowledgeErrors with the line of each mistake."""
    document = load(path)
    described = document.parse(Description)
    document.refuse(_placeholder_problems(document, environment))
    used = {name for _, text in _texts(document.data, ()) for name in _ENV.findall(text)}
    return Aggregator(described, {name: environment[name] for name in used})


def fill(template: str, values: Mapping[str, str], environment: Mapping[str, str], mask: Callable[[str], str]) -> str:
    """Return the template with what stands in braces replaced, each value passed through `mask`."""

    def value(found: re.Match[str]) -> str:
        variable = _ENV.fullmatch(found[1])
        return mask(environment[variable[1]] if variable else values[found[1]])

    return _PLACEHOLDER.sub(value, template)


def quoted(value: str) -> str:
    """Return a value as it stands in an address."""
    return quote(value, safe="")


def known_charset(charset: str) -> str:
    """Return the name of a charset Python knows; raise ValueError for another."""
    try:
        return codecs.lookup(charset).name
    except LookupError:
        raise ValueError(f"the charset {charset!r} is not known") from None


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a pattern: {error}") from None


def _placeholder_problems(document: Document, environment: Mapping[str, str]) -> Iterator[Problem]:
    for loc, text in _texts(document.data, ()):
        if loc[-1] in ("body", "prefix"):
            continue  # patterns have braces of their own
        for name in _PLACEHOLDER.findall(text):
            variable = _ENV.fullmatch(name)
            if variable and variable[1] not in environment:
                yield loc, f"the environment variable {variable[1]} is not set"
            elif not variable and not (loc[:2] in _SENT and name in SENDING):
                yield loc, f"{{{name}}} is not known here"
        if loc[:2] == ("send", "headers") and {"text", "hex"} & set(_PLACEHOLDER.findall(text)):
            yield loc, "the text cannot stand in a header"


_SENT = (("send", "url"), ("send", "headers"), ("send", "fields"))


def _texts(data: Any, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if isinstance(data, str):
        yield loc, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, (*loc, key))
    elif isinstance(data, list):
        for position, value in enumerate(data):
            yield from _texts(value, (*loc, position))
