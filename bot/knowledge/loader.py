"""Read a knowledge file: YAML in, a validated record out, every problem told with its file and line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError, parse_obj_as

T = TypeVar("T")
Loc = tuple[int | str, ...]
"""Where a value stands in a file: keys and positions from the root, as pydantic writes them."""
Problem = tuple[Loc, str]
"""A place in a file and what is wrong there."""

_CONTAINER_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class KnowledgeError(Exception):
    """One mistake in a knowledge file: `path:line: reason`."""

    def __init__(self, path: str | Path, line: int, reason: str) -> None:
        super().__init__(path, line, reason)
        self.path = str(path)
        self.line = line
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


class KnowledgeErrors(Exception):
    """All mistakes found in a knowledge file, in the order of its lines."""

    def __init__(self, errors: Iterable[KnowledgeError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: error.line))
        super().__init__(self.errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class Record(BaseModel):
    """Base of every record read from a knowledge file: immutable, no unknown field."""

    class Config:
        frozen = True
        extra = "forbid"


@dataclass(frozen=True)
class Document:
    """A YAML file as plain data, with the line of each of its values."""

    path: Path
    data: Any
    lines: dict[Loc, int]

    def line(self, loc: Loc) -> int:
        """Give the line of `loc`, or of the nearest thing around it when it is missing from the file."""
        while loc not in self.lines:
            loc = loc[:-1]
        return self.lines[loc]

    def refuse(self, problems: Iterable[Problem]) -> None:
        """Raise KnowledgeErrors when there is at least one problem."""
        errors = [KnowledgeError(self.path, self.line(loc), _reason(loc, why)) for loc, why in problems]
        if errors:
            raise KnowledgeErrors(errors)

    def parse(self, model: type[T]) -> T:
        """Validate the data as `model` (a pydantic model, or a list of one); raise KnowledgeErrors."""
        try:
            return parse_obj_as(model, self.data)
        except ValidationError as failure:
            self.refuse((_without_root(error["loc"]), error["msg"]) for error in failure.errors())
            raise


def read(path: str | Path, model: type[T]) -> T:
    """Read a YAML file and validate it as `model`; raise KnowledgeErrors with all that is wrong."""
    return load(path).parse(model)


def load(path: str | Path) -> Document:
    """Read a YAML file as plain data; raise KnowledgeErrors for bad syntax, repeated keys, aliases, tags."""
    path = Path(path)
    text = _text(path)
    loader = yaml.CSafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            raise KnowledgeErrors([KnowledgeError(path, 1, "the file is empty")])
        tree = _Tree(loader)
        data = tree.build(root, (), root.start_mark.line + 1)
    except yaml.MarkedYAMLError as error:
        raise KnowledgeErrors([_syntax_error(path, error)]) from None
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        raise _one(path, line, f"a character is not allowed: {error.reason}") from None
    finally:
        loader.dispose()
    document = Document(path, data, tree.lines)
    if tree.errors:
        raise KnowledgeErrors(KnowledgeError(path, line, reason) for line, reason in tree.errors)
    return document


class _Tree:
    """Build plain data from YAML nodes, keeping the line of each value and every mistake on the way."""

    def __init__(self, loader: yaml.CSafeLoader) -> None:
        self.loader = loader
        self.lines: dict[Loc, int] = {}
        self.errors: list[tuple[int, str]] = []
        self._seen: set[int] = set()

    def build(self, node: yaml.Node, loc: Loc, line: int) -> Any:
        """Give the plain value of `node`; a value is said to stand on the line of its key."""
        self.lines[loc] = line
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._seen:
            self.errors.append((line, "anchors and aliases are not allowed: write the value out"))
            return None
        self._seen.add(id(node))
        if node.tag not in _CONTAINER_TAGS:
            self.errors.append((line, f"the tag {node.tag} is not allowed"))
        elif isinstance(node, yaml.MappingNode):
            return self._mapping(node, loc)
        elif isinstance(node, yaml.SequenceNode):
            return [
                self.build(child, (*loc, position), child.start_mark.line + 1)
                for position, child in enumerate(node.value)
            ]
        return None

    def _mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.errors.append((line, "a key must be a plain word"))
                continue
            key = self._scalar(key_node)
            if key in result:
                self.errors.append((line, f"the key {key!r} is given twice"))
                continue
            result[key] = self.build(value_node, (*loc, key), line)
        return result

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        try:
            return self.loader.construct_object(node)
        except yaml.constructor.ConstructorError as error:
            self.errors.append((node.start_mark.line + 1, error.problem or "not a plain value"))
        except ValueError as error:  # YAML takes 2026-13-01 for a date before it looks at the month
            self.errors.append((node.start_mark.line + 1, f"{node.value!r}: {error}"))
        return None


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _one(path, 1, f"cannot be read: {error.strerror}") from error
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _one(path, line, "not UTF-8 text") from None


def _syntax_error(path: Path, error: yaml.MarkedYAMLError) -> KnowledgeError:
    line = error.problem_mark.line + 1 if error.problem_mark else 1
    reason = error.problem or "not YAML"
    if error.context and error.context_mark:
        reason += f" ({error.context} from line {error.context_mark.line + 1})"
    return KnowledgeError(path, line, reason)


def _one(path: Path, line: int, reason: str) -> KnowledgeErrors:
    return KnowledgeErrors([KnowledgeError(path, line, reason)])


def _without_root(loc: Iterable[int | str]) -> Loc:
    return tuple(part for part in loc if part != "__root__")


def _reason(loc: Loc, why: str) -> str:
    return f"{'.'.join(map(str, loc))}: {why}" if loc else why
