"""What a lie asks of the honest instance in place of, or beside, the request that it answers."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import rules, writes
from contract_tests.mutants.lies.kinds import succeeded
from contract_tests.support.servers.asgi_exchanges import JSON, Answer
from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.support.servers.asgi_exchanges import Request

    Lies = dict[str, tuple[tuple[str, str, Lie], ...]]
    """Single lies by their operation: what each is about, a sentence, and the lie."""

_VOLATILE = {"elapsed_millis", "analyzed_at"}
"""The fields that tell when and how fast something was computed, and so differ in two answers to one request."""
_OF_BODIES = {b"accept", b"content-type", b"transfer-encoding"}
"""The headers that say how a request's own body and answer are written."""


def single_lies(kind: str, lies: Lies) -> Callable[[str], Iterator[Mutant]]:
    """Return a function that yields an operation's mutants of a kind, which are written down one by one."""

    def mutants_of(operation: str) -> Iterator[Mutant]:
        for about, text, lie in lies.get(operation, ()):
            yield Mutant(operation, kind, about, text, lie)

    return mutants_of


def body_of(exchange: Exchange) -> dict[str, Any]:
    """Return the JSON object of a request; an empty one where its body is something else."""
    return object_of(exchange.request.json)


def fields_of(operation: str, answer: Answer) -> dict[str, Any]:
    """Return the JSON object of a success; an empty one where the answer is something else."""
    return object_of(answer.json) if succeeded(operation, answer) else {}


def pairs_of(request: Request) -> list[tuple[str, str]]:
    """Return the parameters of a request's query."""
    return parse_qsl(request.query.decode("latin-1"), keep_blank_values=True)


def with_pairs(request: Request, pairs: list[tuple[str, str]]) -> Request:
    """Return a request with other parameters in its query."""
    return replace(request, query=urlencode(pairs).encode())


def header_of(answer: Answer, name: str) -> str:
    """Return a header of an answer, by its name in lower case; empty where it is missing."""
    return next((value.decode("latin-1") for found, value in answer.headers if found.lower() == name.encode()), "")


def without_header(answer: Answer, name: str) -> Answer:
    """Return an answer without a header, by its name in lower case."""
    return replace(answer, headers=tuple(pair for pair in answer.headers if pair[0].lower() != name.encode()))


def refusal(status: int, message: str) -> Answer:
    """Return an answer that refuses a request."""
    return Answer.of(status, {"code": status, "msg": message})


def marked(answer: Answer) -> Answer:
    """Return an answer that counts as a lie, because what it acknowledges was not done so."""
    return answer.with_header("x-served-by", "replica-2")


async def ask_for(exchange: Exchange, operation: str, body: dict[str, Any]) -> Any:
    """Return the JSON that another operation answers the caller with; an empty object where it refuses."""
    path = contract.operation(operation).path
    headers = tuple((name, value) for name, value in exchange.request.headers if name.lower() not in _OF_BODIES)
    request = replace(exchange.request, path=path, query=b"", headers=(*headers, (b"content-type", JSON.encode())))
    answer = await exchange.ask(request.with_json(body))
    return answer.json if succeeded(operation, answer) else {}


async def ask_instead(operation: str, exchange: Exchange, changed: Request, *, accepts_more: bool = False) -> Answer:
    """Return the answer to a changed request; that to the unchanged one where it was refused, or might be.

    Args:
        operation: The operation.
        exchange: The exchange.
        changed: The changed request.
        accepts_more: Whether it succeeds where the unchanged one would be refused, too.
    """
    if changed == exchange.request or is_bad(operation, exchange.request):
        return await exchange.ask()
    answer = await exchange.ask(changed)
    if not succeeded(operation, answer):
        return await exchange.ask()
    if writes(operation):
        return answer
    true = await exchange.ask()  # where the change makes no difference, there is no lie
    is_refused = not succeeded(operation, true) and not accepts_more
    return true if is_refused or _told(true) == _told(answer) else answer


def of_other_bodies(operation: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Lie:
    """Return a lie that takes each request of JSON for another one."""

    async def lie(exchange: Exchange) -> Answer:
        body = body_of(exchange)
        changed = change(body)
        if changed == body:
            return await exchange.ask()
        return await ask_instead(operation, exchange, exchange.request.with_json(changed))

    return lie


@contextmanager
def at_a_time(exchange: Exchange) -> Generator[bool]:
    """Count a request as open within a block. Yields whether another one is open, too."""
    memory = exchange.memory
    memory["open"] = memory.get("open", 0) + 1
    try:
        yield memory["open"] > 1
    finally:
        memory["open"] -= 1


def is_bad(operation: str, request: Request) -> bool:
    """Return whether the contract does not allow the JSON of a request."""
    schema = rules().request_content(operation).get(JSON, {}).get("schema")
    return schema is not None and bool(rules().problems(schema, request.json))


def _told(answer: Answer) -> Any:
    """Return what an answer tells, apart from when and how fast it was computed."""
    return _without_volatile(answer.json) if answer.media_type == JSON else answer.body


def _without_volatile(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_volatile(item) for item in list_of(value)]
    if isinstance(value, dict):
        return {name: _without_volatile(inner) for name, inner in object_of(value).items() if name not in _VOLATILE}
    return value
