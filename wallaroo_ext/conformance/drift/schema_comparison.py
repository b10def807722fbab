"""Compares two schemas by their meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wallaroo_ext.conformance.drift.impact import schema_impact
from wallaroo_ext.conformance.drift.shapes import LOWER, UPPER, is_anything, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wallaroo_ext.conformance.drift.impact import Impact
    from wallaroo_ext.conformance.drift.shapes import Shape, Shapes, Side

_EXAMPLES = {
    "date-time": ("2023-05-17T20:51:53.077997+00:00", "2023-01-01T05:00:00Z", "2023-12-31T23:59:59.664583293-08:00"),
    "uuid": ("ca7d7043-8e94-42d5-9f3a-8f55c2e42814",),
    "email": ("first.user@example.com",),
}
"""Examples of formats: if all of them match a pattern, all values of the format are taken to match it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between a schema and the contract's.

    Attributes:
        where: The path below the schema, such as `.users.*.email`.
        contract: What the contract says there.
        other: What the other side says there.
        impact: Whether it breaks clients, and why.
    """

    where: str
    contract: Any
    other: Any
    impact: Impact


class SchemaComparison:
    """Compares schemas of the contract with those of another document.

    Args:
        side: Whether they are schemas of requests or of answers.
        contract: The shapes of the contract's schemas.
        other: The shapes of the other document's schemas.
    """

    def __init__(self, side: Side, contract: Shapes, other: Shapes) -> None:
        self._side: Side = side
        self._contract = contract
        self._other = other
        self._known: dict[tuple[int, int], tuple[Difference, ...]] = {}

    def differences(self, contract: Any, other: Any) -> tuple[Difference, ...]:
        """Return the differences between a schema and one of the contract.

        A pair of schemas that occurs inside itself is compared once: inside, it has no further differences.

        Args:
            contract: The contract's schema.
            other: The other side's.

        Raises:
            DriftError: One of them is no schema, or has a reference without a target.
        """
        contract, other = self._contract.follow(contract), self._other.follow(other)
        pair = (id(contract), id(other))
        if pair not in self._known:
            self._known[pair] = ()
            self._known[pair] = tuple(self._of_shapes(self._contract.of(contract), self._other.of(other)))
        return self._known[pair]

    def _found(self, event: str, contract: Any, other: Any, where: str = "") -> Difference:
        return Difference(where, contract, other, schema_impact(self._side, event))

    def _of_shapes(self, left: tuple[Shape, ...], right: tuple[Shape, ...]) -> Iterator[Difference]:
        if is_anything(left) or is_anything(right):
            if not (is_anything(left) and is_anything(right)):
                yield self._found("narrowed" if is_anything(left) else "widened", text_of(left), text_of(right))
            return
        yield from self._of_null(left, right)
        one = [shape for shape in left if shape.type != "null"]
        other = [shape for shape in right if shape.type != "null"]
        yield from self._of_types(one, other)
        for kind in dict.fromkeys(shape.type for shape in one):
            same = [shape for shape in other if shape.type == kind]
            if same:
                yield from self._of_alternatives([shape for shape in one if shape.type == kind], same)

    def _of_null(self, left: tuple[Shape, ...], right: tuple[Shape, ...]) -> Iterator[Difference]:
        was, can_be = (any(shape.type == "null" for shape in shapes) for shapes in (left, right))
        if was != can_be:
            yield self._found("newly nullable" if can_be else "no longer nullable", text_of(left), text_of(right))

    def _of_types(self, left: list[Shape], right: list[Shape]) -> Iterator[Difference]:
        if {shape.name for shape in left} != {shape.name for shape in right}:
            narrowed = all(any(_covers(one, other) for one in left) for other in right)
            widened = all(any(_covers(other, one) for other in right) for one in left)
            event = "narrowed" if narrowed else "widened" if widened else "replaced"
            yield self._found(event, text_of(left), text_of(right))

    def _of_alternatives(self, left: list[Shape], right: list[Shape]) -> Iterator[Difference]:
        """Yield the differences between shapes of one type, each compared with the most similar one."""
        left, right = list(left), list(right)
        while left and right:
            pairs = [(self._of_shape(one, other), one, other) for one in left for other in right]
            differences, one, other = min(pairs, key=lambda pair: _distance(pair[0]))
            yield from differences
            left.remove(one)
            right.remove(other)
        for one in left:
            yield self._found("alternative removed", _alternative(one), None)
        for other in right:
            yield self._found("alternative added", None, _alternative(other))

    def _of_shape(self, one: Shape, other: Shape) -> list[Difference]:
        found = [*self._of_values(one, other), *self._of_limits(one, other)]
        if one.type == "array":
            found += _below("[]", self.differences(one.items, other.items))
        if one.type == "object":
            found += [*self._of_fields(one, other), *self._of_others(one, other), *self._of_choice(one, other)]
        return found

    def _of_values(self, one: Shape, other: Shape) -> Iterator[Difference]:
        named = other.values if other.values is not None else other.listed
        if one.values is None and one.listed is not None:
            has_all = named is not None and _all_in(one.listed, named)
            if named is not None and not (has_all and _all_in(named, one.listed) and other.values is None):
                event = "known values kept" if has_all else "known values removed"
                yield self._found(event, list(one.listed), list(named))
        elif one.values is None or other.values is None:
            if one.values != other.values:
                event = "narrowed" if one.values is None else "widened"
                yield self._found(event, _list_of(one.values), _list_of(other.values))
        elif lost_or_new := _event(not _all_in(one.values, other.values), not _all_in(other.values, one.values)):
            yield self._found(lost_or_new, list(one.values), list(other.values))

    def _of_limits(self, one: Shape, other: Shape) -> Iterator[Difference]:
        theirs = _as_patterns(other.limits, one.limits)
        for name in [*one.limits, *(name for name in theirs if name not in one.limits)]:
            was, now = one.limits.get(name), theirs.get(name)
            if was != now:
                yield self._found(_limit_event(name, was, now), {name: was}, {name: now})

    def _of_fields(self, one: Shape, other: Shape) -> Iterator[Difference]:
        for name, schema in one.fields.items():
            if name in other.fields or other.schema_of_others is not None:
                yield from self._of_field(name, one, other, schema, other.fields.get(name, other.schema_of_others))
            else:
                yield self._removed(name, one, other)
        for name, schema in other.fields.items():
            if name not in one.fields and one.schema_of_others is not None:
                yield from self._of_field(name, one, other, one.schema_of_others, schema)
            elif name not in one.fields:
                event = "required field added" if name in other.required else "field added"
                yield self._found(event, None, text_of(self._other.of(schema)), f".{name}")

    def _removed(self, name: str, one: Shape, other: Shape) -> Difference:
        if name in one.required:
            event = "required field removed"
        else:
            event = "always field removed" if name in one.always else "field removed"
        if other.others is False and self._side == "request":
            event = "field refused"
        return self._found(event, text_of(self._contract.of(one.fields[name])), None, f".{name}")

    def _of_field(self, name: str, one: Shape, other: Shape, mine: Any, theirs: Any) -> Iterator[Difference]:
        """Yield the differences of a field. A field of `x-always` that is required is no difference."""
        was, now = name in one.required, name in other.required
        if was and not now:
            yield self._found("newly optional", "required", "optional", f".{name}")
        if now and not was and not (self._side == "answer" and name in one.always):
            yield self._found("newly required", "optional", "required", f".{name}")
        yield from _below(f".{name}", self.differences(mine, theirs))

    def _of_others(self, one: Shape, other: Shape) -> Iterator[Difference]:
        if one.others is other.others:
            return
        if isinstance(one.others, bool) and (isinstance(other.others, bool) or one.fields):
            event = "opened" if one.others is False else "closed"
            yield self._found(event, _openness(one.others), _openness(other.others))
        else:
            yield from _below(".*", self.differences(one.others, other.others))

    def _of_choice(self, one: Shape, other: Shape) -> Iterator[Difference]:
        """Yield a difference in the fields of which an object needs one; documents need not say so."""
        if other.one_of and other.one_of != one.one_of and not other.one_of & one.required:
            event = "choice widened" if one.one_of and one.one_of <= other.one_of else "choice narrowed"
            yield self._found(event, sorted(one.one_of), sorted(other.one_of))


def _below(where: str, differences: Iterable[Difference]) -> Iterator[Difference]:
    for found in differences:
        yield replace(found, where=where + found.where)


def _distance(differences: list[Difference]) -> tuple[int, int]:
    return sum(found.impact.breaks for found in differences), len(differences)


def _covers(one: Shape, other: Shape) -> bool:
    """Return whether a type includes another one: numbers include integers."""
    return one.type == other.type and (other.whole or not one.whole)


def _all_in(values: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    return all(value in others for value in values)


def _event(lost: object, new: object) -> str | None:
    """Return the event for a set of values that lost some values, or got new ones."""
    if lost and new:
        return "replaced"
    return "narrowed" if lost else "widened" if new else None


def _limit_event(name: str, was: Any, now: Any) -> str:
    if was is None or now is None:
        return "narrowed" if was is None else "widened"
    if name in LOWER | UPPER:
        return "narrowed" if (now > was) == (name in LOWER) else "widened"
    return "replaced"


def _as_patterns(limits: dict[str, Any], contract: dict[str, Any]) -> dict[str, Any]:
    """Return limits with the contract's pattern in place of a format whose values match it."""
    pattern, examples = contract.get("pattern"), _EXAMPLES.get(str(limits.get("format")))
    if not isinstance(pattern, str) or examples is None or limits.get("pattern") not in {None, pattern}:
        return limits
    if "format" in contract or not all(re.search(pattern, example) for example in examples):
        return limits
    return {name: value for name, value in limits.items() if name != "format"} | {"pattern": pattern}


def _alternative(shape: Shape) -> str:
    return f"{shape.name} with {', '.join(shape.fields)}" if shape.fields else shape.name


def _list_of(values: tuple[Any, ...] | None) -> list[Any] | str:
    return "any value" if values is None else list(values)


def _openness(others: Any) -> str:
    return "no other fields" if others is False else "any other fields" if others is True else "other fields of a type"
