"""Lists all checks that are not made everywhere, with the reasons."""

from __future__ import annotations

from wallaroo_ext.conformance.results import Exclusion

_ACCEPTANCE, _REJECTION = "positive_data_acceptance", "negative_data_rejection"
_EVERYWHERE = ("*",)

NOT_IN_STATE_MACHINE: tuple[Exclusion, ...] = tuple(
    Exclusion(
        check,
        _EVERYWHERE,
        "In the state machine only: links put in what an earlier answer gave, which schemathesis holds against the "
        "run's own names, and deployments may be starting or over. Each operation by itself is checked in full.",
    )
    for check in (_ACCEPTANCE, _REJECTION)
)
"""The checks that the state machine does not make."""

NO_GOOD_EDGES: tuple[Exclusion, ...] = (
    Exclusion(
        _ACCEPTANCE,
        ("upload_and_convert_model", "upload_model"),
        "On edges only, where schemathesis writes an empty part `metadata`; random data have real ones.",
    ),
)
"""The operations of which schemathesis makes no valid edge cases, although it says so."""

FIND_NOTHING: tuple[Exclusion, ...] = (
    Exclusion(
        "use_after_free",
        _EVERYWHERE,
        "It looks for DELETE, which the API does not have; that what was undeployed answers no more is "
        "checked by the tests of what operations mean.",
    ),
    Exclusion(
        "ensure_resource_availability",
        _EVERYWHERE,
        "It looks for paths below the path that made a thing, and the API has none.",
    ),
    Exclusion(
        "object_level_authorization",
        _EVERYWHERE,
        "It needs a second identity, which schemathesis is not given; that a second person is refused what is not "
        "shared is checked by the tests of what operations mean.",
    ),
)
"""The checks that can find nothing in this API; they are made all the same, for contracts with more operations."""

UNSAFE_METHODS: tuple[Exclusion, ...] = (
    Exclusion(
        "unsupported_method",
        _EVERYWHERE,
        "Asked with GET, HEAD, OPTIONS and TRACE and without a body: what PUT, PATCH, DELETE and others would change "
        "where the contract does not have them, nothing says.",
    ),
)
"""The methods that are not tried where the contract does not have them."""


def all_exclusions() -> list[Exclusion]:
    """Return all exclusions, for the report."""
    return [*NOT_IN_STATE_MACHINE, *NO_GOOD_EDGES, *UNSAFE_METHODS, *FIND_NOTHING]


def has_good_edges(operation: str) -> bool:
    """Return whether schemathesis makes valid edge cases of an operation."""
    return not any(operation in exclusion.operations for exclusion in NO_GOOD_EDGES)


def is_made_in_machine(check: str) -> bool:
    """Return whether the state machine makes a check."""
    return not any(exclusion.check == check for exclusion in NOT_IN_STATE_MACHINE)
