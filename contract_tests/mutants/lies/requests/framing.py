"""Lies about where an answer ends: bytes behind it, from which the next answer on its connection would be read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import rules, writes
from contract_tests.mutants.lies.kinds import Kind, is_turn, of_success
from contract_tests.support.servers.asgi_exchanges import JSON, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange, Lie

_PAGE = b"<html><title>Not allowed</title></html>"
_ERROR = b'{"msg":"bad request"}\r\n'
_NO_CONTENT, _BAD_REQUEST, _NOT_ALLOWED = 204, 400, 405


def _behind(operation: str) -> Iterator[Mutant]:
    if writes(operation) or not rules().takes_token(operation):
        return

    def with_line_break(answer: Answer) -> Answer:
        return replace(answer, behind=b"\n") if answer.media_type == JSON else answer

    def to(method: str, change: Callable[[Answer], Answer]) -> Lie:
        async def lie(exchange: Exchange) -> Answer:
            answer = await exchange.ask()
            return change(answer) if exchange.request.method == method else answer

        return lie

    def with_body(answer: Answer) -> Answer:
        return replace(answer, behind=answer.body or _PAGE)

    def without_content(_: Answer) -> Answer:
        return Answer(_NO_CONTENT, (), b"", _PAGE)

    found: dict[str, tuple[str, Lie]] = {
        "a-line-break": (
            "A line break comes behind JSON, which `Content-Length` does not count.",
            of_success(operation, with_line_break),
        ),
        "a-body-after-head": ("HEAD is answered with a body.", to("HEAD", with_body)),
        "a-body-after-204": ("OPTIONS is answered with 204 and a body.", to("OPTIONS", without_content)),
    }
    reading = [name for name in rules().operations if not writes(name) and rules().takes_token(name)]
    about = list(found)[reading.index(operation) % len(found)]
    text, lie = found[about]
    yield Mutant(operation, "bytes-behind", about, text, lie)


def _behind_refusals(operation: str) -> Iterator[Mutant]:
    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        return replace(answer, behind=_ERROR) if answer.status == _BAD_REQUEST else answer

    reads = not writes(operation) and rules().takes_token(operation)
    if reads and rules().request_content(operation) and is_turn(operation, 6, 3):
        yield Mutant(operation, "bytes-behind-refusals", "", "Bytes come behind a refusal with 400.", lie)


def _other_heads(operation: str) -> Iterator[Mutant]:
    if writes(operation) or not rules().takes_token(operation):
        return

    async def needs_accept(exchange: Exchange) -> Answer:
        if exchange.request.header("accept"):
            return await exchange.ask()
        return Answer.of(_BAD_REQUEST, {"code": _BAD_REQUEST, "msg": "Which form?"})

    async def allows_others(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        return answer.with_header("allow", "GET, HEAD") if answer.status == _NOT_ALLOWED else answer

    if is_turn(operation, 5):
        yield Mutant(operation, "other-heads", "no-accept", "A request without `Accept` is refused.", needs_accept)
    if is_turn(operation, 5, 1):
        text = "Who sends another method is told that GET is allowed."
        yield Mutant(operation, "other-heads", "allow", text, allows_others)


KINDS = (
    Kind("bytes-behind", "Bytes come behind an answer.", "It writes, or gives tokens: others show it.", _behind),
    Kind(
        "bytes-behind-refusals",
        "Bytes come behind a refusal.",
        "It writes, or others show it: every sixth has one.",
        _behind_refusals,
    ),
    Kind("other-heads", "A header is needed, or wrong.", "It writes, or others show it.", _other_heads),
)
