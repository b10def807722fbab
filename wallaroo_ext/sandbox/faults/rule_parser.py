"""Parsing fault rules from JSON.

Every rule has `operation`, an `operationId` or `*` for all of them, and `kind`. It may have

- `count`, the number of requests that fail, or `probability`, the chance of each request to fail, from 0 to 1, with a
  `seed` to make the choice repeatable; without either, every request fails;
- `skip`, the number of requests that succeed first;
- `handled`, whether the operation is performed although its answer does not arrive;
- the options of its kind, which `wallaroo_ext.sandbox.faults.kinds` lists.

The first rule that makes a request fail is applied.
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

    Errors = Iterator[tuple[str, str]]  # a field, and what is wrong with it

_MAX_INTEGER = 2**53  # the largest integer that every JSON parser reads exactly
_FIELDS: dict[str, dict[str, Any]] = {
    "operation": {"type": "string"},
    "kind": {"type": "string"},
    "count": {"type": "integer", "minimum": 1, "maximum": _MAX_INTEGER},
    "probability": {"type": "number", "minimum": 0, "maximum": 1},
    "seed": {"type": "integer", "minimum": 0, "maximum": _MAX_INTEGER},
    "skip": {"type": "integer", "minimum": 0, "maximum": _MAX_INTEGER},
    "handled": {"type": "boolean"},
}
_COMMON_VALIDATOR = jsonschema_rs.Draft202012Validator(
    {
        "type": "object",
        "properties": _FIELDS,
        "required": ["operation", "kind"],
        "dependentRequired": {"seed": ["probability"]},
    }
)
_KIND_VALIDATORS = {
    name: jsonschema_rs.Draft202012Validator(
        {
            "properties": kind.options,
            "required": kind.required,
            "dependentRequired": kind.dependent_required,
        }
    )
    for name, kind in KINDS.items()
}
_EXCLUSIVE = (("count", "probability"), ("seconds", "seconds_per_byte"))


def parse_rule(number: int, value: Any) -> Rule:
    """Parse a rule.

    Args:
        number: The position of the rule in its list, from 1, for error messages.
        value: The JSON value.

    Raises:
        Problem: 400; the message names the rule and the wrong field.
    """
    _check(number, _COMMON_VALIDATOR, value)
    _raise_first(number, _kind_errors(value))
    kind = KINDS[value["kind"]]
    _check(number, _KIND_VALIDATORS[value["kind"]], value)
    _raise_first(
        number,
        chain(
            _name_errors(value, kind),
            _operation_errors(value),
            _combination_errors(value, kind),
            _location_errors(value),
        ),
    )
    fields = {name: _as_integer(content) for name, content in value.items()}
    return Rule(fields, kind, handled=value.get("handled", kind.handled))


def _check(number: int, validator: jsonschema_rs.Validator, value: Any) -> None:
    try:
        error = next(iter(validator.iter_errors(value)), None)
    except ValueError as unreadable:  # a Python value that JSON does not have
        raise bad_request(f"Rule {number}: it is not JSON, {unreadable}.") from None
    if error is not None:
        where = "".join(f", {part}" for part in error.instance_path)
        raise bad_request(f"Rule {number}{where}: {error.message}.")


def _raise_first(number: int, errors: Errors) -> None:
    for name, why in errors:
        raise bad_request(f"Rule {number}, {name}: {why}.")


def _kind_errors(value: dict[str, Any]) -> Errors:
    if value["kind"] not in KINDS:
        yield "kind", f"there is no kind {value['kind']!r}; the kinds are {', '.join(sorted(KINDS))}"


def _name_errors(value: dict[str, Any], kind: Kind) -> Errors:
    known = sorted({*_FIELDS, *kind.options})
    for name in value:
        if name not in known:
            yield name, f"{value['kind']} does not have this field, it has {', '.join(known)}"


def _operation_errors(value: dict[str, Any]) -> Errors:
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


def _combination_errors(value: dict[str, Any], kind: Kind) -> Errors:
    """Yield errors of fields that are valid alone but not together."""
    for first, second in _EXCLUSIVE:
        if first in value and second in value:
            yield second, f"the rule has {first} too; write one of the two"
    if "seconds_per_byte" in kind.options and not {"seconds", "seconds_per_byte"} & value.keys():
        yield "seconds_per_byte", "it is missing, and so is seconds; write one of the two"
    if kind.always_handled and not value.get("handled", True):
        yield "handled", f"{value['kind']} changes the operation's answer, so the operation is always performed"
    if "after_bytes" in value and value.get("handled", kind.handled):
        yield "after_bytes", "without the rest of its body no operation can be performed; write handled: false too"


def _location_errors(value: dict[str, Any]) -> Errors:
    if "location" in value and not _is_whole_url(value["location"]):
        yield "location", f"{value['location']!r} is not a complete URL of http or https in ASCII"


def _is_whole_url(text: str) -> bool:
    try:
        return bool(urlsplit(text).hostname and re.fullmatch("https?://[!-~]+", text))
    except ValueError:
        return False


def _as_integer(value: Any) -> Any:
    """Return a number such as 2.0, which is an integer by JSON Schema, as an integer, and other values unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
