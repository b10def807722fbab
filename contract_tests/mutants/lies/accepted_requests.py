"""Lies about requests: bad ones are accepted, as by an instance that is more lenient than the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import named_fields, rules
from contract_tests.mutants.lies.kinds import Kind, is_turn, succeeded
from contract_tests.mutants.lies.wrong_heads import reads_something
from wallaroo_ext._util.json_values import object_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.support.servers.asgi_exchanges import Answer, Request

_JSON = "application/json"
_EVERY = 3
_REFUSED = {400, 404}
_GOOD_ANSWER, _GOOD_REQUEST = "good answer", "good request"


def _schema(operation: str) -> dict[str, Any]:
    """Return the schema of an operation's JSON body; empty where it has none, or one that is no object."""
    media = rules().request_content(operation).get(_JSON)
    return (
        {} if media is None or len(rules().request_content(operation)) > 1 else rules().schemas.resolve(media["schema"])
    )


async def _asked(operation: str, exchange: Exchange, request: Request) -> Answer:
    """Return the honest answer to a request, remembered with it where it is a success."""
    answer = await exchange.ask(request)
    if succeeded(operation, answer):
        exchange.memory |= {_GOOD_ANSWER: answer, _GOOD_REQUEST: request}
    return answer


def _anything(operation: str) -> Iterator[Mutant]:
    async def lie(exchange: Exchange) -> Answer:
        answer = await _asked(operation, exchange, exchange.request)
        return exchange.memory.get(_GOOD_ANSWER, answer) if answer.status in _REFUSED else answer

    if reads_something(operation):
        yield Mutant(
            operation, "accepts-anything", "", "What it would refuse is answered as the last success was.", lie
        )


def _mending(operation: str, mend: Any) -> Lie:
    """Return a lie that repairs the JSON of a request by the last good one before the honest instance gets it."""

    async def lie(exchange: Exchange) -> Answer:
        request, good = exchange.request, exchange.memory.get(_GOOD_REQUEST)
        body = request.json
        if good is not None and isinstance(body, dict):
            mended = mend(object_of(body), object_of(good.json))
            request = request if mended == body else request.with_json(mended)
        return await _asked(operation, exchange, request)

    return lie


def _missing_fields(operation: str) -> Iterator[Mutant]:
    required = _schema(operation).get("required", ())

    def mend(body: dict[str, Any], good: dict[str, Any]) -> dict[str, Any]:
        return {name: good[name] for name in required if name in good} | body

    if required and is_turn(operation, _EVERY):
        text = "Fields that are missing get the values of the last good request."
        yield Mutant(operation, "accepts-missing-fields", "", text, _mending(operation, mend))


def _wrong_types(operation: str) -> Iterator[Mutant]:
    properties = object_of(_schema(operation).get("properties"))
    validators = {name: rules().schemas.validator(schema) for name, schema in properties.items()}

    def mend(body: dict[str, Any], good: dict[str, Any]) -> dict[str, Any]:
        wrong = [name for name in body if name in validators and not validators[name].is_valid(body[name])]
        return {name: value for name, value in body.items() if name not in wrong} | {
            name: good[name] for name in wrong if name in good
        }

    if properties and is_turn(operation, _EVERY, 1):
        text = "Fields with values that the contract does not allow get those of the last good request."
        yield Mutant(operation, "accepts-wrong-values", "", text, _mending(operation, mend))


def _unknown_things(operation: str) -> Iterator[Mutant]:
    schema = _schema(operation)
    # An instance may take the address of a user for granted.
    named = [name for name in named_fields(operation) if name.thing != "user email"]
    if not any(name.location[1] in schema.get("required", ()) for name in named) or not is_turn(operation, _EVERY):
        return
    validator = rules().schemas.validator(schema)

    async def lie(exchange: Exchange) -> Answer:
        answer = await _asked(operation, exchange, exchange.request)
        body: Any = exchange.request.json
        is_wellformed = isinstance(body, dict) and validator.is_valid(object_of(body))
        return exchange.memory.get(_GOOD_ANSWER, answer) if answer.status in _REFUSED and is_wellformed else answer

    text = "A well-formed request about what is not there is answered as the last success was."
    yield Mutant(operation, "accepts-unknown-things", "", text, lie)


def _media_types(operation: str) -> Iterator[Mutant]:
    known = list(rules().request_content(operation))

    async def lie(exchange: Exchange) -> Answer:
        refusal = await exchange.ask()
        if refusal.status != 415:
            return refusal
        for kind in known:
            answer = await exchange.ask(exchange.request.with_header("content-type", kind))
            if succeeded(operation, answer):
                return answer
        return refusal

    if _JSON in known and is_turn(operation, _EVERY, 2):
        text = "A body of another media type is read as one that it can be."
        yield Mutant(operation, "accepts-media-types", "", text, lie)


_NO_OBJECT = "Its body is no object of JSON with fields of that sort, or others show it: every third has one."

KINDS = (
    Kind(
        "accepts-anything",
        "Bad requests are answered as good ones.",
        "Its request has neither parameters nor fields.",
        _anything,
    ),
    Kind("accepts-missing-fields", "Requests without a required field are answered.", _NO_OBJECT, _missing_fields),
    Kind("accepts-wrong-values", "Requests with values of a wrong type are answered.", _NO_OBJECT, _wrong_types),
    Kind(
        "accepts-unknown-things",
        "Requests about what is not there are answered.",
        "Its request is no object of JSON that has to name something, or others show it: every third has one.",
        _unknown_things,
    ),
    Kind(
        "accepts-media-types",
        "Bodies of other media types are read.",
        "It reads no JSON, or others show it: every third has one.",
        _media_types,
    ),
)
