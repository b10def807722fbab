"""Rules as they are written, in JSON.

Every rule has `operation`, an `operationId` or `*`, and `kind`; it may have

- `count`, the number of requests that fail, or `probability`, that of each to fail, from 0 to 1, with a `seed` for the
  same choice each time; without either, every request fails;
- `skip`, the number of requests that pass first;
- `handled`, whether the operation is carried out although its answer does not arrive;
- the options of its kind, which `wallaroo_ext.sandbox.faults.kinds` lists.

A request that a rule lets pass meets the next one.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jsonschema_rs

from wallaroo_ext import contract
from wallaroo_ext.sandbox.faults.kinds import EXPIRED_TOKEN, KINDS
from wallaroo_ext.sandbox.faults.rules import EVERY_OPERATION, TOKEN_OPERATION, Rule
from wallaroo_ext.sandbox.http.problems import bad_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallaroo_ext.sandbox.faults.kinds import Kind

    Complaints = Iterator[tuple[str, str]]  # fields, and what is wrong with them

_MOST = 2**53  # the largest integer that every reader of JSON takes
_FIELDS: dict[str, dict[str, Any]] = {
    "operation": {"type": "string"},
    "kind": {"type": "string"},
    "count": {"type": "integer", "minimum": 1, "maximum": _MOST},
    "probability": {"type": "number", "minimum": 0, "maximum": 1},
    "seed": {"type": "integer", "minimum": 0, "maximum": _MOST},
    "skip": {"type": "integer", "minimum": 0, "maximum": _MOST},
    "handled": {"type": "boolean"},
}
_ANY_KIND = jsonschema_rs.Draft202012Validator(
    {
        "type": "object",
        "properties": _FIELDS,
        "required": ["operation", "kind"],
        "dependentRequired": {"seed": ["probability"]},
    }
)
_OF_KIND = {
    name: jsonschema_rs.Draft202012Validator(
        {
            "properties": kind.options,
            "required": kind.required,
            "dependentRequired": kind.depending,
        }
    )
    for name, kind in KINDS.items()
}
_EITHER = (("count", "probability"), ("seconds", "seconds_per_byte"))


def parse_rule(number: int, value: Any) -> Rule:
    """Return a rule.

    Args:
        number: Which one of its list it is, from 1, for what is said of it.
        value: What is written.

    Raises:
        Problem: 400, with the rule and the field that is wrong.
    """
    _check(number, _ANY_KIND, value)
    _complain(number, _of_kind_name(value))
    kind = KINDS[value["kind"]]
    _check(number, _OF_KIND[value["kind"]], value)
    _complain(number, chain(_of_names(value, kind), _of_operation(value), _of_pairs(value, kind), _of_location(value)))
    given = {name: _as_integer(content) for name, content in value.items()}
    return Rule(given, kind, handled=value.get("handled", kind.handled))


def _check(number: int, validator: jsonschema_rs.Validator, value: Any) -> None:
    try:
        error = next(iter(validator.iter_errors(value)), None)
    except ValueError as unreadable:  # from Python, what JSON does not have
        raise bad_request(f"Rule {number}: it is no JSON, {unreadable}.") from None
    if error is not None:
        where = "".join(f", {part}" for part in error.instance_path)
        raise bad_request(f"Rule {number}{where}: {error.message}.")


def _complain(number: int, complaints: Complaints) -> None:
    for name, why in complaints:
        raise bad_request(f"Rule {number}, {name}: {why}.")


def _of_kind_name(value: dict[str, Any]) -> Complaints:
    if value["kind"] not in KINDS:
        yield "kind", f"there is no kind {value['kind']!r}; the kinds are {', '.join(sorted(KINDS))}"


def _of_names(value: dict[str, Any], kind: Kind) -> Complaints:
    known = sorted({*_FIELDS, *kind.options})
    for name in value:
        if name not in known:
            yield name, f"{value['kind']} does not have this field, it has {', '.join(known)}"


def _of_operation(value: dict[str, Any]) -> Complaints:
    name = value["operation"]
    if name != EVERY_OPERATION and not _is_operation(name):
        yield "operation", f"the contract has no operation {name!r}; write an operationId, or {EVERY_OPERATION!r}"
    if name == TOKEN_OPERATION and value["kind"] == EXPIRED_TOKEN:
        yield "operation", f"a request to {name} has no bearer token that could expire"


def _is_operation(name: str) -> bool:
    try:
        contract.operation(name)
    except KeyError:
        return False
    return True


def _of_pairs(value: dict[str, Any], kind: Kind) -> Complaints:
    """Fields that are right by themselves and not together."""
    for first, second in _EITHER:
        if first in value and second in value:
            yield second, f"the rule has {first} too; write one of the two"
    if "seconds_per_byte" in kind.options and not {"seconds", "seconds_per_byte"} & value.keys():
        yield "seconds_per_byte", "it is missing, and so is seconds; write one of the two"
    if kind.always_handled and not value.get("handled", True):
        yield "handled", f"{value['kind']} changes the operation's own answer, so that the operation is carried out"
    if "after_bytes" in value and value.get("handled", kind.handled):
        yield "after_bytes", "without the rest of its body no operation can be carried out; write handled: false too"


def _of_location(value: dict[str, Any]) -> Complaints:
    if "location" in value and not _is_whole_url(value["location"]):
        yield "location", f"{value['location']!r} is no whole URL of http or https, in ASCII"


def _is_whole_url(text: str) -> bool:
    try:
        return bool(urlsplit(text).hostname and re.fullmatch("https?://[!-~]+", text))
    except ValueError:
        return False


def _as_integer(value: Any) -> Any:
    """Return a value; a number that is written as 2.0 is an integer to JSON Schema, and is made one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
