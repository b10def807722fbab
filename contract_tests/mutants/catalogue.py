"""All mutants, and the operations that have none of a kind, with the reason."""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from contract_tests.mutants.lies import (
    accepted_requests,
    lists,
    lost_writes,
    other_answers,
    wrong_fields,
    wrong_heads,
    wrong_values,
)
from contract_tests.mutants.lies.assays import conditions as assay_conditions
from contract_tests.mutants.lies.assays import figures as assay_figures
from contract_tests.mutants.lies.assays import rules as assay_rules
from contract_tests.mutants.lies.assays import states as assay_states
from contract_tests.mutants.lies.fields import rules
from contract_tests.mutants.lies.inference import (
    logged,
    pages_of_logs,
    scored,
    scored_before,
    unusual_rows,
    whole_rows,
)
from contract_tests.mutants.lies.models_and_pipelines import (
    changed_things,
    deployed,
    names_and_files,
    pipelines,
    uploads,
    versions,
)
from contract_tests.mutants.lies.people import (
    ignored_tokens,
    members,
    second_person,
    sessions,
    token_claims,
    users,
)
from contract_tests.mutants.lies.requests import (
    framing,
    ignored_fields,
    servers,
    strict_requests,
    unusual_values,
    writes_and_times,
)

if TYPE_CHECKING:
    from contract_tests.mutants.layer import Mutant
    from contract_tests.mutants.lies.kinds import Kind

KINDS: tuple[Kind, ...] = tuple(
    chain.from_iterable(
        module.KINDS
        for module in (
            wrong_fields,
            wrong_heads,
            accepted_requests,
            ignored_tokens,
            wrong_values,
            lists,
            lost_writes,
            other_answers,
            second_person,
            token_claims,
            names_and_files,
            writes_and_times,
            ignored_fields,
            unusual_values,
            changed_things,
            servers,
            framing,
            scored_before,
            unusual_rows,
            pages_of_logs,
            whole_rows,
            assay_rules,
            assay_states,
            assay_conditions,
            uploads,
            versions,
            deployed,
            pipelines,
            users,
            members,
            sessions,
            strict_requests,
            scored,
            logged,
            assay_figures,
        )
    )
)


@cache
def mutants() -> dict[str, Mutant]:
    """Return all mutants by their names, in the contract's order of operations."""
    found = [mutant for operation in rules().operations for kind in KINDS for mutant in kind.make(operation)]
    return {mutant.name: mutant for mutant in found}


def left_out(kind: Kind) -> list[str]:
    """Return the operations that have no mutant of a kind."""
    return [operation for operation in rules().operations if not list(kind.make(operation))]
