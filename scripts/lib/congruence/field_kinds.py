"""The kinds of values that fields of JSON have in some answers, by their paths, and how two such tables differ."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeAlias

from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Path: TypeAlias = tuple[str, ...]
"""The keys that lead to a field, which may have dots in them."""

ITEM = "[]"
"""What leads to the items of a list, in a path."""

ABSENT = "absent"
"""The kind of a field that some of the objects with its path have, and others do not."""

ANSWER = "the answer"
"""How a difference names an answer as a whole."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_COLUMN = re.compile(r"(in|out)\.[^.]+")
_MAPS = frozenset({"in", "out", "original_data", "users"})
"""The fields whose keys are names of columns or ids, and no part of the API."""

_KINDS = {bool: "boolean", int: "number", float: "number", str: "string", type(None): "null"}


class FieldKinds:
    """The kinds that fields have in some answers."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._kinds: dict[Path, set[str]] = defaultdict(set)
        self._objects: dict[Path, int] = defaultdict(int)
        self._having: dict[Path, int] = defaultdict(int)
        for value in values:
            self.add(value)

    def add(self, value: Any, path: Path = (), name: str = "") -> None:
        """Add the kinds of a value and of all below it."""
        if isinstance(value, dict):
            self._kinds[path].add("object")
            self._add_fields(object_of(value), path, name)
        elif isinstance(value, list):
            self._kinds[path].add("list")
            for item in list_of(value):
                self.add(item, (*path, ITEM))
        else:
            self._kinds[path].add(_KINDS[type(value)])

    def _add_fields(self, value: dict[str, Any], path: Path, name: str) -> None:
        self._objects[path] += 1
        shown = {key: _shown(key, name) for key in value}
        for key in set(shown.values()):
            self._having[*path, key] += 1
        for key, inner in value.items():
            self.add(inner, (*path, shown[key]), key)

    def of(self, path: Path) -> set[str]:
        """Return the kinds of a field."""
        is_absent_somewhere = 0 < self._having[path] < self._objects[path[:-1]]
        return self._kinds.get(path, set()) | ({ABSENT} if is_absent_somewhere else set())

    def paths(self) -> list[Path]:
        """Return the paths of all fields."""
        return list(self._kinds)

    def has_objects(self, path: Path) -> bool:
        """Return whether there are objects or items that could have a field."""
        parent = path[:-1]
        return parent == () or "object" in self._kinds.get(parent, set()) or (path[-1] == ITEM and path in self._kinds)


def _shown(key: str, parent: str) -> str:
    """Return a key as a path has it: names of columns and ids are the caller's, and no part of the API."""
    if parent in _MAPS or _UUID.fullmatch(key):
        return "*"
    column = _COLUMN.fullmatch(key)
    return f"{column[1]}/*" if column else key


def differences(recorded: FieldKinds, here: FieldKinds) -> Iterator[tuple[str, str]]:
    """Yield the paths of fields whose kinds differ, and how; below a field that one side does not have, nothing."""
    missing: list[Path] = []
    for path in dict.fromkeys([*recorded.paths(), *here.paths()]):
        if any(path[: len(above)] == above for above in missing):
            continue
        theirs, ours = recorded.of(path), here.of(path)
        if not theirs or not ours:
            if (recorded if not theirs else here).has_objects(path):
                missing.append(path)
                yield _named(path), "recorded only" if theirs else "here only"
            continue
        if theirs - ours:
            yield _named(path), f"recorded {_text(theirs - ours)}, here {_text(ours)}"
        if ours - theirs:
            yield _named(path), f"here {_text(ours - theirs)}, recorded {_text(theirs)}"


def _named(path: Path) -> str:
    """Return how the page names a field."""
    return "".join(key if key == ITEM else f".{key}" for key in path).removeprefix(".") or ANSWER


def _text(kinds: set[str]) -> str:
    return "|".join(sorted(kinds))
