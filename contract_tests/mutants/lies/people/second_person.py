"""Lies to the second person: what belongs to the first is shown, and who was shut out comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import rules, writes
from contract_tests.mutants.lies.kinds import Kind, is_turn, succeeded
from contract_tests.mutants.lies.people.token_claims import caller_of, claims_of
from wallaroo_ext.conformance.guard.effects import effects_of, split_thing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.mutants.layer import Exchange
    from contract_tests.support.servers.asgi_exchanges import Answer

_UNAUTHORIZED = 401
_LISTS = {"list_workspaces", "list_pipelines"}
_SKIPPED = {"get_assay_v2", "summarize_assay_baseline", "preview_assay_baseline_v2", "preview_assay_v2"}
"""Operations whose good request may name nothing, so that it is anybody's."""


def _is_in_a_workspace(operation: str) -> bool:
    named = effects_of(rules().document)[operation].names
    return any(name.origin == "existing" and split_thing(name.thing)[0] != "user" for name in named)


def _mixed_up(operation: str) -> Iterator[Mutant]:
    is_private = operation in _LISTS or (_is_in_a_workspace(operation) and operation not in _SKIPPED)
    if not rules().takes_token(operation) or not is_private or is_turn(operation, 2):
        return

    async def lie(exchange: Exchange) -> Answer:
        mine, first = caller_of(exchange), claims_of(exchange.good_token()).get("sub")
        answer = await exchange.ask()
        if mine in {None, first} or answer.status == _UNAUTHORIZED:
            return answer
        return await exchange.ask_as_user()

    does = "writes as" if writes(operation) else "sees what"
    yield Mutant(operation, "takes-everybody-for-the-first", "", f"The second person {does} the first.", lie)


def _kept_tokens(operation: str) -> Iterator[Mutant]:
    if not rules().takes_token(operation) or not is_turn(operation, 6, 5):
        return

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        # The sandbox says so only of a token that it issued and that has not expired.
        if answer.status != _UNAUTHORIZED or b"disabled" not in answer.body:
            return answer
        return await exchange.ask_as_user()

    yield Mutant(operation, "lets-the-deactivated-in", "", "A token of somebody who was deactivated is good.", lie)


def _kept_grants(operation: str) -> Iterator[Mutant]:
    if rules().takes_token(operation):
        return
    for grant in ("password", "refresh_token"):

        async def lie(exchange: Exchange, grant: bytes = grant.encode()) -> Answer:
            answer = await exchange.ask()
            is_meant = b"grant_type=" + grant in exchange.request.body
            if succeeded(operation, answer):
                exchange.memory["answer"] = answer
            if is_meant and b"disabled" in answer.body and "answer" in exchange.memory:
                return exchange.memory["answer"]
            return answer

        text = f"Who was deactivated gets a token for the grant {grant}."
        yield Mutant(operation, "gives-the-deactivated-tokens", grant, text, lie)


def _forgotten_member(operation: str) -> Iterator[Mutant]:
    if operation != "add_workspace_user":
        return

    async def lie(exchange: Exchange) -> Answer:
        body: dict[str, Any] = exchange.request.json or {}
        if body.get("user_type") != "OWNER":
            return await exchange.ask()
        return await exchange.ask(exchange.request.with_json(body | {"user_type": "COLLABORATOR"}))

    yield Mutant(operation, "forgets-the-role", "", "Every new member is a collaborator.", lie)


_NOT_PRIVATE = "Its request names nothing of a workspace, or need not, or others show it: every second has one."

KINDS = (
    Kind("takes-everybody-for-the-first", "All people see and write the first's.", _NOT_PRIVATE, _mixed_up),
    Kind(
        "lets-the-deactivated-in",
        "Tokens outlive deactivation.",
        "It takes none, or others show it: every sixth has one.",
        _kept_tokens,
    ),
    Kind("gives-the-deactivated-tokens", "Who was deactivated signs in.", "It gives no token.", _kept_grants),
    Kind("forgets-the-role", "A member's role is forgotten.", "It gives nobody a role.", _forgotten_member),
)
