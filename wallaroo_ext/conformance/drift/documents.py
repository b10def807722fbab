"""Compares another OpenAPI document of the API with the contract.

Operations are matched by their paths and methods; parameters, bodies and statuses are compared by their meaning.
Summaries, examples, tags, security, servers, links, and the headers of answers are not compared.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wallaroo_ext.conformance.drift.changes import Change, Drift, DriftError
from wallaroo_ext.conformance.drift.document_operations import operations_of, with_contract_prefix
from wallaroo_ext.conformance.drift.impact import operation_impact
from wallaroo_ext.conformance.drift.schema_comparison import SchemaComparison
from wallaroo_ext.conformance.drift.shapes import Shapes
from wallaroo_ext.conformance.rules import status_name
from wallaroo_ext.contract_checks import ContractError, check_form
from wallaroo_ext.contract_forms import plainly_written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallaroo_ext.conformance.drift.document_operations import DocumentOperation, Parameter

_STATUS = re.compile(r"^answer (\S+)(.*)$", re.DOTALL)


def compare_document(contract: dict[str, Any], other: dict[str, Any], name: str) -> Drift:
    """Return the differences between the contract and another description of the API.

    Args:
        contract: The contract, as `wallaroo_ext.contract.load` returns it.
        other: An OpenAPI document of version 3.0 or 3.1, as JSON.
        name: Its URL or file.

    Raises:
        DriftError: The other document is no OpenAPI document of version 3, or refers to what is not in it.
    """
    mine = operations_of(contract, "The contract")
    try:
        other = _plainly_written(other)
        theirs = with_contract_prefix(mine, operations_of(other, name))
        comparison = _Comparison(contract, other)
        changes = [change for key, each in mine.items() for change in comparison.of(each, theirs.get(key))]
    except DriftError as error:
        raise DriftError(f"{name} cannot be compared. {error}") from None
    except (TypeError, ValueError, AttributeError, RecursionError) as error:  # a document can be wrong anywhere
        raise DriftError(f"{name} is no OpenAPI document that can be read: {type(error).__name__}, {error}.") from None
    added = [_added(each) for key, each in theirs.items() if key not in mine]
    return Drift(name, (*changes, *added))


def _plainly_written(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document in the form of the contract; as it is where it cannot be written so, which others say."""
    try:
        check_form(document)
        return plainly_written(document)
    except ContractError:
        return document


def _added(operation: DocumentOperation) -> Change:
    impact = operation_impact("operation added")
    method = operation.key[1].upper()
    return Change(operation.path, "", impact.kind, None, f"{method} {operation.path}", impact.breaks, impact.reason)


class _Comparison:
    """Compares operations of the contract with those of another document."""

    def __init__(self, contract: dict[str, Any], other: dict[str, Any]) -> None:
        self._requests = SchemaComparison("request", Shapes(contract, "request"), Shapes(other, "request"))
        self._answers = SchemaComparison("answer", Shapes(contract, "answer"), Shapes(other, "answer"))

    def of(self, mine: DocumentOperation, theirs: DocumentOperation | None) -> list[Change]:
        """Return the differences of an operation, which is None where the other document does not have it."""
        if theirs is None:
            event = "operation of another server removed" if mine.own_server else "operation removed"
            changes = [_change(event, "", f"{mine.key[1].upper()} {mine.path}", None)]
        else:
            changes = [
                *self._of_parameters(mine, theirs),
                *self._of_requests(mine, theirs),
                *_statuses_together(self._of_answers(mine, theirs)),
            ]
        return [replace(change, operation=mine.name) for change in changes]

    def _of_parameters(self, mine: DocumentOperation, theirs: DocumentOperation) -> Iterator[Change]:
        for key, one in mine.parameters.items():
            other = theirs.parameters.get(key)
            where = f"{one.place} {one.name}"
            if other is None:
                yield _change("parameter removed", where, "required" if one.required else "optional", None)
            else:
                yield from self._of_parameter(where, one, other)
        for key, other in theirs.parameters.items():
            if key not in mine.parameters:
                event = "required parameter added" if other.required else "parameter added"
                yield _change(event, f"{other.place} {other.name}", None, "required" if other.required else "optional")

    def _of_parameter(self, where: str, one: Parameter, other: Parameter) -> Iterator[Change]:
        if one.required != other.required:
            event = "parameter newly required" if other.required else "parameter newly optional"
            yield _change(event, where, *(("optional", "required") if other.required else ("required", "optional")))
        if one.style != other.style:
            yield _change("parameter written otherwise", where, _style(one), _style(other))
        yield from _differences(self._requests, where, one.schema, other.schema)

    def _of_requests(self, mine: DocumentOperation, theirs: DocumentOperation) -> Iterator[Change]:
        if mine.request is None or theirs.request is None:
            yield from _of_missing_body(mine, theirs)
            return
        if mine.request_required != theirs.request_required:
            event = "body newly required" if theirs.request_required else "body newly optional"
            words = ("optional", "required") if theirs.request_required else ("required", "optional")
            yield _change(event, "request", *words)
        for kind, schema in mine.request.items():
            other = _named_or_in_range(theirs.request, kind)
            if other is None:
                yield _change("request type removed", "request", kind, None)
                continue
            where = "request" if len(mine.request) == 1 else f"request ({kind})"
            yield from _differences(self._requests, where, schema, theirs.request[other])
        for kind in theirs.request:
            if kind not in mine.request and "*" not in kind:
                yield _change("request type added", "request", None, kind)

    def _of_answers(self, mine: DocumentOperation, theirs: DocumentOperation) -> Iterator[Change]:
        missing: list[str] = []
        new = [
            status for status in theirs.answers if status.isdigit() and status_name(mine.answers, int(status)) is None
        ]
        successes = [status for status in new if status.startswith("2")]
        for status, answer in mine.answers.items():
            others = _statuses_of(status, mine, theirs)
            if others in ([], ["default"]) and status.startswith("2") and len(successes) == 1:
                others = successes
                new.remove(successes[0])
                yield _change("success changed", f"answer {status}", status, successes[0])
            for other in others:
                yield from self._of_answer(status, answer, theirs.answers[other])
            if others:
                continue
            if status.startswith("2"):
                yield _change("success removed", f"answer {status}", status, None)
            else:
                missing.append(status)
        if missing:
            yield _change("errors removed", "answers", missing, None)
        for status in new:
            yield _change(_event_of_status(status), f"answer {status}", None, status)

    def _of_answer(self, status: str, mine: dict[str, Any], theirs: dict[str, Any]) -> Iterator[Change]:
        where = f"answer {status}"
        what = "answer" if status.startswith("2") else "error"
        matches = {kind: _named_or_in_range(theirs, kind) for kind in mine}
        for kind, other in matches.items():
            if other is None:
                only = "only " if what == "error" and not any(matches.values()) else ""
                yield _change(f"{only}{what} type removed", where, kind, None)
            else:
                place = f"{where} $" if kind == "application/json" else f"{where} ({kind}) $"
                yield from _differences(self._answers, place, mine[kind], theirs[other])
        for kind in theirs:
            if kind not in mine and "*" not in kind:
                yield _change(f"{what} type added", where, None, kind)


def _statuses_of(status: str, mine: DocumentOperation, theirs: DocumentOperation) -> list[str]:
    """Return under which statuses another document has an answer: those of a range, or its own one, or what has it."""
    within = [each for each in theirs.answers if each.isdigit() and status_name(mine.answers, int(each)) == status]
    around = next((each for each in (status, f"{status[0]}XX", "default") if each in theirs.answers), None)
    if around is None or (within and around != status):
        return within
    return list(dict.fromkeys([*within, around]))


def _of_missing_body(mine: DocumentOperation, theirs: DocumentOperation) -> Iterator[Change]:
    if mine.request is not None:
        yield _change("body removed", "request", list(mine.request), None)
    elif theirs.request is not None:
        event = "required body added" if theirs.request_required else "body added"
        yield _change(event, "request", None, list(theirs.request))


def _event_of_status(status: str) -> str:
    """Return the event for a new status; clients do not see those below 200."""
    return "success added" if status.startswith("2") else "redirect added" if status.startswith("3") else "error added"


def _named_or_in_range(kinds: dict[str, Any], kind: str) -> str | None:
    """Return the entry for a media type: its own, or a range that includes it."""
    ranges = (kind, f"{kind.partition('/')[0]}/*", "*/*")
    return next((each for each in ranges if each in kinds), None)


def _style(parameter: Parameter) -> str:
    style, explode = parameter.style
    return f"{style}, exploded" if explode else style


def _differences(comparison: SchemaComparison, where: str, mine: Any, theirs: Any) -> Iterator[Change]:
    for found in comparison.differences(mine, theirs):
        kind, breaks, reason = found.impact
        yield Change("", where + found.where, kind, found.contract, found.other, breaks, reason)


def _change(event: str, where: str, contract: Any, other: Any) -> Change:
    kind, breaks, reason = operation_impact(event)
    return Change("", where, kind, contract, other, breaks, reason)


def _statuses_together(changes: Iterator[Change]) -> list[Change]:
    """Return the changes, those that are equal for several statuses joined: all errors have one schema."""
    found: dict[str, tuple[Change, list[str]]] = {}
    for change in changes:
        match = _STATUS.match(change.where)
        status, rest = match.groups() if match else ("", change.where)
        key = repr((bool(match), rest, change.kind, change.contract, change.other, change.reason))
        found.setdefault(key, (replace(change, where=rest), []))[1].append(status)
    return [
        replace(change, where=f"answer {', '.join(statuses)}{change.where}") if statuses[0] else change
        for change, statuses in found.values()
    ]
