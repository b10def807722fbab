"""Decides which differences break a client that keeps the contract, by tables for requests, answers and operations.

A client breaks if it sends what the other side does not accept, or gets what the contract does not allow. So the other
side may accept more requests and send fewer kinds of answers than the contract says, but not the other way round. There
are two exceptions: instances ignore request fields that they do not know, and clients keep answer fields that they do
not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from wallaroo_ext.conformance.drift.shapes import Side

Kind = Literal["added", "removed", "changed"]


class Impact(NamedTuple):
    """The impact of a difference on clients.

    Attributes:
        kind: Whether the other side added, removed or changed something.
        breaks: Whether a client that keeps the contract can fail because of it.
        reason: Why it does, or does not.
    """

    kind: Kind
    breaks: bool
    reason: str


_IGNORED = "Instances ignore request fields that they do not know."
_KEPT = "Readers keep fields that they do not know."
_WIDER_REQUEST = "All that the contract lets clients send is still taken."
_NARROWER_ANSWER = "All that comes is still what the contract allows."
_REFUSED = "Clients may send what the contract allows, and it would be refused."
_UNEXPECTED = "What comes may be what the contract does not allow, and readers do not expect."

_REQUEST: dict[str, Impact] = {
    "field added": Impact("added", False, "It is optional: clients that do not know it need not send it."),
    "required field added": Impact("added", True, "It is required, and clients that keep the contract do not send it."),
    "field removed": Impact("removed", False, _IGNORED),
    "required field removed": Impact("removed", False, _IGNORED),
    "always field removed": Impact("removed", False, _IGNORED),
    "field refused": Impact(
        "removed", True, "Clients may send it, and the other side refuses fields that it does not know."
    ),
    "newly required": Impact("changed", True, "Clients that keep the contract may leave it out."),
    "newly optional": Impact("changed", False, "Clients that keep the contract send it anyway."),
    "narrowed": Impact("changed", True, _REFUSED),
    "widened": Impact("changed", False, _WIDER_REQUEST),
    "replaced": Impact("changed", True, _REFUSED),
    "newly nullable": Impact("changed", False, _WIDER_REQUEST),
    "no longer nullable": Impact("changed", True, "Clients may send null, and it would be refused."),
    "known values removed": Impact(
        "changed", True, "The other side does not name values that the contract lists for clients."
    ),
    "known values kept": Impact("changed", False, "Every value that the contract lists is still among them."),
    "alternative added": Impact("added", False, _WIDER_REQUEST),
    "alternative removed": Impact("removed", True, _REFUSED),
    "closed": Impact("changed", False, "Only fields that the contract does not have are refused now."),
    "opened": Impact("changed", False, _WIDER_REQUEST),
    "choice narrowed": Impact("changed", True, "Clients may send none of the fields of which one is needed now."),
    "choice widened": Impact("changed", False, _WIDER_REQUEST),
}

_ANSWER: dict[str, Impact] = {
    "field added": Impact("added", False, _KEPT),
    "required field added": Impact("added", False, _KEPT),
    "field removed": Impact("removed", False, "The contract does not promise it: readers do without it."),
    "required field removed": Impact("removed", True, "The contract requires it, and readers take it for granted."),
    "always field removed": Impact("removed", True, "Every recording has it, so users may rely on it."),
    "newly required": Impact("changed", False, "It comes more often than the contract promises."),
    "newly optional": Impact("changed", True, "The contract requires it, and it need not come any more."),
    "narrowed": Impact("changed", False, _NARROWER_ANSWER),
    "widened": Impact("changed", True, _UNEXPECTED),
    "replaced": Impact("changed", True, _UNEXPECTED),
    "newly nullable": Impact(
        "changed", True, "null may come where the contract has none, and readers do not expect it."
    ),
    "no longer nullable": Impact("changed", False, _NARROWER_ANSWER),
    "known values removed": Impact("changed", False, "Fewer of the values that the contract lists can come."),
    "known values kept": Impact("changed", False, "The contract says that further values may come."),
    "alternative added": Impact("added", True, _UNEXPECTED),
    "alternative removed": Impact("removed", False, _NARROWER_ANSWER),
    "closed": Impact("changed", False, "No fields come but those that are named."),
    "opened": Impact("changed", False, _KEPT),
    "choice narrowed": Impact("changed", False, _NARROWER_ANSWER),
    "choice widened": Impact("changed", False, "The contract requires none of these fields by itself."),
}

_OPERATION: dict[str, Impact] = {
    "operation added": Impact("added", False, "Clients do not call what the contract does not have."),
    "operation removed": Impact("removed", True, "Clients may call it, and it is not there."),
    "operation of another server removed": Impact(
        "removed", False, "The contract has it on a server of its own, which another document describes."
    ),
    "parameter added": Impact("added", False, "It is optional: clients that do not know it need not send it."),
    "required parameter added": Impact(
        "added", True, "It is required, and clients that keep the contract do not send it."
    ),
    "parameter removed": Impact("removed", False, "Instances ignore parameters that they do not know."),
    "parameter newly required": _REQUEST["newly required"],
    "parameter newly optional": _REQUEST["newly optional"],
    "parameter written otherwise": Impact(
        "changed", True, "Clients write its value in another way, and it is not understood."
    ),
    "body added": Impact("added", False, "It is optional: clients that do not know it need not send it."),
    "required body added": Impact("added", True, "It is required, and clients that keep the contract send none."),
    "body removed": Impact("removed", True, "What clients send is not read."),
    "body newly required": Impact("changed", True, "Clients that keep the contract may send none."),
    "body newly optional": Impact("changed", False, "Clients that keep the contract send it anyway."),
    "request type added": Impact("added", False, "Clients need not use it."),
    "request type removed": Impact("removed", True, "Clients may send it, and it would be refused."),
    "answer type added": Impact("added", False, "Clients say in `Accept` which of them they read."),
    "answer type removed": Impact("removed", True, "Clients may ask for it, and it does not come."),
    "error type added": Impact("added", False, "Clients go by the status of an error, whatever its body is."),
    "error type removed": Impact("removed", False, "Clients still get another form that the contract has."),
    "only error type removed": Impact("removed", True, "Clients read errors in this form only."),
    "success added": Impact(
        "added", True, "Clients take a success that the contract does not have for a violation of it."
    ),
    "success changed": Impact(
        "changed", True, "Clients take a success that the contract does not have for a violation of it."
    ),
    "success removed": Impact("removed", True, "The only way in which the contract says that it succeeded is gone."),
    "redirect added": Impact("added", True, "Clients do not follow redirects that the contract does not have."),
    "error added": Impact("added", False, "Clients take every status from 400 on for an error."),
    "errors removed": Impact("removed", False, "Clients that wait for them are not harmed where they do not come."),
}

_RECORDED: dict[str, Impact] = {
    "recorded path added": Impact("added", False, "Clients do not call what the contract does not have."),
    "sent field added": Impact("added", False, "Clients need not send it."),
    "sent field removed": Impact("removed", False, "The instance did without it."),
    "sent type changed": Impact("changed", False, "The instance took more than the contract lets clients send."),
    "sent value changed": Impact("changed", False, "The instance took more than the contract lets clients send."),
    "field added": _ANSWER["field added"],
    "required field removed": _ANSWER["required field removed"],
    "always field removed": _ANSWER["always field removed"],
    "type changed": Impact(
        "changed", True, "It is none of the types that the contract has, and readers do not expect it."
    ),
    "null": Impact("changed", True, "null came where the contract has none, and readers do not expect it."),
    "value changed": Impact("changed", True, "It is none of the values that the contract allows."),
    "unlisted value": Impact("added", False, "The contract says that further values may come."),
    "success added": _OPERATION["success added"],
    "redirect added": _OPERATION["redirect added"],
    "error added": _OPERATION["error added"],
}


def schema_impact(side: Side, event: str) -> Impact:
    """Return the impact of a difference between schemas of requests or of answers."""
    return (_REQUEST if side == "request" else _ANSWER)[event]


def operation_impact(event: str) -> Impact:
    """Return the impact of a difference between operations, apart from their schemas."""
    return _OPERATION[event]


def recording_impact(event: str) -> Impact:
    """Return the impact of a difference between a recorded exchange and the contract."""
    return _RECORDED[event]
