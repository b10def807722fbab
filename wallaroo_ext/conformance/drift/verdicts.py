"""Which differences break a client that keeps the contract, and why: one table for requests and one for answers.

A client breaks where it sends what the other side does not take, or gets what the contract does not allow. So a request
may be taken more widely and an answer may be given more narrowly, and the other way round breaks. Two things soften it:
instances ignore request fields that they do not know, and readers keep answer fields that they do not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from wallaroo_ext.conformance.drift.shapes import Side

Kind = Literal["added", "removed", "changed"]


class Verdict(NamedTuple):
    """What is thought of a difference.

    Attributes:
        kind: What the other side did.
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

_REQUEST: dict[str, Verdict] = {
    "field added": Verdict("added", False, "It is optional: clients that do not know it need not send it."),
    "required field added": Verdict(
        "added", True, "It is required, and clients that keep the contract do not send it."
    ),
    "field removed": Verdict("removed", False, _IGNORED),
    "required field removed": Verdict("removed", False, _IGNORED),
    "always field removed": Verdict("removed", False, _IGNORED),
    "field refused": Verdict(
        "removed", True, "Clients may send it, and the other side refuses fields that it does not know."
    ),
    "newly required": Verdict("changed", True, "Clients that keep the contract may leave it out."),
    "newly optional": Verdict("changed", False, "Clients that keep the contract send it anyway."),
    "narrowed": Verdict("changed", True, _REFUSED),
    "widened": Verdict("changed", False, _WIDER_REQUEST),
    "replaced": Verdict("changed", True, _REFUSED),
    "newly nullable": Verdict("changed", False, _WIDER_REQUEST),
    "no longer nullable": Verdict("changed", True, "Clients may send null, and it would be refused."),
    "known values removed": Verdict(
        "changed", True, "The other side does not name values that the contract lists for clients."
    ),
    "known values kept": Verdict("changed", False, "Every value that the contract lists is still among them."),
    "alternative added": Verdict("added", False, _WIDER_REQUEST),
    "alternative removed": Verdict("removed", True, _REFUSED),
    "closed": Verdict("changed", False, "Only fields that the contract does not have are refused now."),
    "opened": Verdict("changed", False, _WIDER_REQUEST),
    "choice narrowed": Verdict("changed", True, "Clients may send none of the fields of which one is needed now."),
    "choice widened": Verdict("changed", False, _WIDER_REQUEST),
}

_ANSWER: dict[str, Verdict] = {
    "field added": Verdict("added", False, _KEPT),
    "required field added": Verdict("added", False, _KEPT),
    "field removed": Verdict("removed", False, "The contract does not promise it: readers do without it."),
    "required field removed": Verdict("removed", True, "The contract requires it, and readers take it for granted."),
    "always field removed": Verdict("removed", True, "Every recording has it, so users may rely on it."),
    "newly required": Verdict("changed", False, "It comes more often than the contract promises."),
    "newly optional": Verdict("changed", True, "The contract requires it, and it need not come any more."),
    "narrowed": Verdict("changed", False, _NARROWER_ANSWER),
    "widened": Verdict("changed", True, _UNEXPECTED),
    "replaced": Verdict("changed", True, _UNEXPECTED),
    "newly nullable": Verdict(
        "changed", True, "null may come where the contract has none, and readers do not expect it."
    ),
    "no longer nullable": Verdict("changed", False, _NARROWER_ANSWER),
    "known values removed": Verdict("changed", False, "Fewer of the values that the contract lists can come."),
    "known values kept": Verdict("changed", False, "The contract says that further values may come."),
    "alternative added": Verdict("added", True, _UNEXPECTED),
    "alternative removed": Verdict("removed", False, _NARROWER_ANSWER),
    "closed": Verdict("changed", False, "No fields come but those that are named."),
    "opened": Verdict("changed", False, _KEPT),
    "choice narrowed": Verdict("changed", False, _NARROWER_ANSWER),
    "choice widened": Verdict("changed", False, "The contract requires none of these fields by itself."),
}

_OPERATION: dict[str, Verdict] = {
    "operation added": Verdict("added", False, "Clients do not call what the contract does not have."),
    "operation removed": Verdict("removed", True, "Clients may call it, and it is not there."),
    "operation of another server removed": Verdict(
        "removed", False, "The contract has it on a server of its own, which another document describes."
    ),
    "parameter added": Verdict("added", False, "It is optional: clients that do not know it need not send it."),
    "required parameter added": Verdict(
        "added", True, "It is required, and clients that keep the contract do not send it."
    ),
    "parameter removed": Verdict("removed", False, "Instances ignore parameters that they do not know."),
    "parameter newly required": _REQUEST["newly required"],
    "parameter newly optional": _REQUEST["newly optional"],
    "parameter written otherwise": Verdict(
        "changed", True, "Clients write its value in another way, and it is not understood."
    ),
    "body added": Verdict("added", False, "It is optional: clients that do not know it need not send it."),
    "required body added": Verdict("added", True, "It is required, and clients that keep the contract send none."),
    "body removed": Verdict("removed", True, "What clients send is not read."),
    "body newly required": Verdict("changed", True, "Clients that keep the contract may send none."),
    "body newly optional": Verdict("changed", False, "Clients that keep the contract send it anyway."),
    "request type added": Verdict("added", False, "Clients need not use it."),
    "request type removed": Verdict("removed", True, "Clients may send it, and it would be refused."),
    "answer type added": Verdict("added", False, "Clients say in `Accept` which of them they read."),
    "answer type removed": Verdict("removed", True, "Clients may ask for it, and it does not come."),
    "error type added": Verdict("added", False, "Clients go by the status of an error, whatever its body is."),
    "error type removed": Verdict("removed", False, "Clients still get another form that the contract has."),
    "only error type removed": Verdict("removed", True, "Clients read errors in this form only."),
    "success added": Verdict(
        "added", True, "Clients take a success that the contract does not have for a violation of it."
    ),
    "success changed": Verdict(
        "changed", True, "Clients take a success that the contract does not have for a violation of it."
    ),
    "success removed": Verdict("removed", True, "The only way in which the contract says that it succeeded is gone."),
    "redirect added": Verdict("added", True, "Clients do not follow redirects that the contract does not have."),
    "error added": Verdict("added", False, "Clients take every status from 400 on for an error."),
    "errors removed": Verdict("removed", False, "Clients that wait for them are not harmed where they do not come."),
}

_RECORDED: dict[str, Verdict] = {
    "recorded path added": Verdict("added", False, "Clients do not call what the contract does not have."),
    "sent field added": Verdict("added", False, "Clients need not send it."),
    "sent field removed": Verdict("removed", False, "The instance did without it."),
    "sent type changed": Verdict("changed", False, "The instance took more than the contract lets clients send."),
    "sent value changed": Verdict("changed", False, "The instance took more than the contract lets clients send."),
    "field added": _ANSWER["field added"],
    "required field removed": _ANSWER["required field removed"],
    "always field removed": _ANSWER["always field removed"],
    "type changed": Verdict(
        "changed", True, "It is none of the types that the contract has, and readers do not expect it."
    ),
    "null": Verdict("changed", True, "null came where the contract has none, and readers do not expect it."),
    "value changed": Verdict("changed", True, "It is none of the values that the contract allows."),
    "unlisted value": Verdict("added", False, "The contract says that further values may come."),
    "success added": _OPERATION["success added"],
    "redirect added": _OPERATION["redirect added"],
    "error added": _OPERATION["error added"],
}


def of_schema(side: Side, event: str) -> Verdict:
    """Return what is thought of a difference between schemas of requests or of answers."""
    return (_REQUEST if side == "request" else _ANSWER)[event]


def of_operation(event: str) -> Verdict:
    """Return what is thought of a difference between operations, beside their schemas."""
    return _OPERATION[event]


def of_recording(event: str) -> Verdict:
    """Return what is thought of a difference between a recorded exchange and the contract."""
    return _RECORDED[event]
