"""What the checks ask, for a person who does not know their names."""

from __future__ import annotations

from wallaroo_ext.conformance import rules
from wallaroo_ext.conformance.report.failures import TEST

_MEANINGS = {
    rules.STATUS: "Does the contract have an answer of this status?",
    rules.CONTENT_TYPE: "Does the answer have a media type that the contract has for it?",
    rules.SCHEMA: "Is the answer's body what the contract says?",
    rules.ALWAYS: "Does the answer have every field that every recorded answer has?",
    "drift": "Do clients of the contract work with what the instance says of itself, or what was recorded?",
    "an_answer_comes": "Does an answer come at all?",
    "fixtures_can_be_made": "Can a workspace, a model, a deployment and an assay be made, which all else needs?",
    TEST: "A test of the suite failed: what several requests tell does not go together.",
    # The names are schemathesis's.
    "not_a_server_error": "Does the instance answer without an error of its own?",
    "response_headers_conformance": "Are the answer's headers what the contract says?",
    "negative_data_rejection": "Is a request refused that the contract does not allow?",
    "positive_data_acceptance": "Is a request accepted that the contract allows?",
    "missing_required_header": "Is a request refused that lacks a required header?",
    "unsupported_method": "Is a method refused that the contract does not have?",
    "use_after_free": "Is what was deleted gone?",
    "ensure_resource_availability": "Is what was made there?",
    "ignored_auth": "Is a request refused that has no good token?",
    "max_response_time": "Does the answer come in time?",
}


def meaning(check: str) -> str:
    """What a check asks; empty where nobody wrote it down."""
    return _MEANINGS.get(check, "")
