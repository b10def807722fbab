"""The layer around the sandbox that lies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contract_tests.support.servers.asgi_exchanges import Answer, Request, call_app, read_request, send_answer
from wallaroo_ext import contract

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    Lie = Callable[["Exchange"], Awaitable[Answer]]
    """Returns the answer of a lying instance to a request of the operation that it lies about."""


@dataclass(slots=True)
class Exchange:
    """A request of the operation that is lied about, and the honest instance, which a lie may ask.

    Attributes:
        request: The request.
        memory: A dictionary that a lie keeps from one request to the next.
        good_token: Makes a token that the instance accepts.
        asked: The requests that the honest instance got.
        answered: Its answers.
    """

    request: Request
    memory: dict[Any, Any]
    good_token: Callable[[], str]
    _ask: Callable[[Request], Awaitable[Answer]]
    asked: list[Request] = field(default_factory=list[Request])
    answered: list[Answer] = field(default_factory=list[Answer])

    async def ask(self, request: Request | None = None) -> Answer:
        """Return the honest instance's answer to the request, or to another one."""
        asked = self.request if request is None else request
        answer = await self._ask(asked)
        self.asked.append(asked)
        self.answered.append(answer)
        return answer

    async def ask_as_user(self) -> Answer:
        """Return the honest instance's answer to the request with a token that it accepts."""
        return await self.ask(self.request.with_header("authorization", f"Bearer {self.good_token()}"))

    def is_honest(self, answer: Answer) -> bool:
        """Return whether an answer is the honest instance's answer to the unchanged request."""
        return (self.request, answer) in zip(self.asked, self.answered, strict=True)


@dataclass(frozen=True, slots=True)
class Mutant:
    """An instance that lies in one way.

    Attributes:
        operation: The contract's `operationId`.
        kind: The kind of lie, such as `wrong-type`.
        about: What it is about, such as the field `models[].id`; empty where there is one lie of a kind.
        text: A sentence about the lie, for a person.
        lie: The lie.
    """

    operation: str
    kind: str
    about: str
    text: str
    lie: Lie

    @property
    def name(self) -> str:
        """Its name, such as `list_models.wrong-type.models[].id`."""
        return ".".join(part for part in (self.operation, self.kind, self.about) if part)


class LyingLayer:
    """An ASGI layer in which one mutant at a time answers requests of its operation; all others pass unchanged.

    Args:
        app: The sandbox.
        good_token: Makes a token that the sandbox accepts.

    Attributes:
        lies: The number of answers, since the last `become`, that were not the sandbox's to the unchanged request.
    """

    def __init__(self, app: ASGIApp, good_token: Callable[[], str]) -> None:
        self._app = app
        self._good_token = good_token
        self._mutant: Mutant | None = None
        self._memory: dict[Any, Any] = {}
        self.lies = 0

    def become(self, mutant: Mutant | None) -> None:
        """Lie as a mutant does from now on; None for the truth."""
        self._mutant, self._memory, self.lies = mutant, {}, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        mutant = self._mutant
        if mutant is None or scope["type"] != "http" or contract.operation_at(scope["path"]) != mutant.operation:
            await self._app(scope, receive, send)
            return
        exchange = Exchange(
            await read_request(scope, receive),
            self._memory,
            self._good_token,
            lambda request: call_app(self._app, scope, request),
        )
        answer = await mutant.lie(exchange)
        self.lies += not exchange.is_honest(answer)
        await send_answer(answer, scope, send)
