"""Lies as gateways, caches and databases tell them: mixed-up answers, writes sent twice, texts in another encoding."""

from __future__ import annotations

import asyncio
import gzip
import re
import time
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import NEVER_CHANGING, fields, named_fields, rules, writes
from contract_tests.mutants.lies.inference.logged import has_logged_rows
from contract_tests.mutants.lies.inference.rows import mapped, scores_rows
from contract_tests.mutants.lies.kinds import Kind, is_turn, of_json, of_success, succeeded
from contract_tests.mutants.lies.people.token_claims import caller_of, claims_of
from contract_tests.mutants.survivors import REASONS
from contract_tests.support.servers.asgi_exchanges import JSON, Answer
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange, Lie

_LARGE_BYTES = 1 << 16
_CACHED_SECONDS = 1.0
_KEPT_SECONDS = 1.0
_STORED = ("get_assay_results", "get_assay_results_between", "get_assay_results_v2")
_LONG = 255
_MOST_ANSWERS = 3
_HELD_SECONDS = 0.05
_UNAUTHORIZED = 401
_OF_TEXTS = ("list_assays", "get_assay_by_id", "get_assay_v2_by_id", "infer_pipeline")
"""The operations that answer with texts which people choose freely, or models."""
_TWICE = (
    "upload_and_convert_model",
    "upload_model",
    "upload_model_stream",
    "create_pipeline",
    "create_assay",
    "schedule_assay_v2",
    "infer_deployment",
    "infer_pipeline",
)
"""The operations of which a second request like the first makes another thing; others refuse it, or do nothing."""


def _reads(operation: str) -> bool:
    """Return whether an operation only reads, and is signed in for."""
    return not writes(operation) and rules().takes_token(operation) and not has_logged_rows(operation)


def _asked_for(exchange: Exchange) -> tuple[str, bytes, bytes]:
    request = exchange.request
    return request.path, request.query, request.body


def _cached(operation: str) -> Iterator[Mutant]:
    if not _reads(operation):
        return

    async def for_a_second(exchange: Exchange) -> Answer:
        memory, key = exchange.memory, _asked_for(exchange)
        before: tuple[float, Answer] | None = memory.get(key)
        if before is not None and time.monotonic() - before[0] < _CACHED_SECONDS and _is_signed_in(exchange):
            true = await exchange.ask()  # where nothing has changed meanwhile, there is no lie
            return before[1] if succeeded(operation, true) and true.body != before[1].body else true
        answer = await exchange.ask()
        if succeeded(operation, answer):
            memory[key] = (time.monotonic(), answer)
        return answer

    async def for_everybody(exchange: Exchange) -> Answer:
        memory, key = exchange.memory, _asked_for(exchange)
        answer = await exchange.ask()
        caller = str(caller_of(exchange))
        if caller == memory.setdefault("first", caller):
            if succeeded(operation, answer):
                memory[key] = answer
            return answer
        return memory.get(key, answer) if answer.status != _UNAUTHORIZED else answer

    changes = operation not in NEVER_CHANGING and f"{operation}.stale" not in REASONS and "assay" not in operation
    if changes and is_turn(operation, 2):
        yield Mutant(operation, "cached", "for-a-second", "An answer is repeated for a second.", for_a_second)
    if (named_fields(operation) or operation in {"list_workspaces", "list_pipelines"}) and is_turn(operation, 2, 1):
        text = "What one user was answered is answered to others who ask for the same."
        yield Mutant(operation, "cached", "for-everybody", text, for_everybody)


def _is_signed_in(exchange: Exchange) -> bool:
    return claims_of(exchange.request.header("authorization").partition(" ")[2]).get("exp", 0) > time.time()


def _mixed_up(operation: str) -> Iterator[Mutant]:
    if not _reads(operation) or not named_fields(operation) or not is_turn(operation, 2):
        return

    async def lie(exchange: Exchange) -> Answer:
        memory = exchange.memory
        running: list[Answer] = memory.setdefault("running", [])
        answer = await exchange.ask()
        if not succeeded(operation, answer):
            return answer
        running.append(answer)
        await asyncio.sleep(_HELD_SECONDS)
        others = [each for each in running if each.body != answer.body]
        running.remove(answer)
        return others[0] if others else answer

    text = "Of two requests at a time, one gets the answer of the other."
    yield Mutant(operation, "mixes-answers", "", text, lie)


def _sent_twice(operation: str) -> Iterator[Mutant]:
    if operation not in _TWICE:
        return

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if not succeeded(operation, answer):
            return answer
        again = await exchange.ask()
        return replace(again, headers=(*again.headers, (b"x-sent", b"2"))) if succeeded(operation, again) else answer

    yield Mutant(operation, "sent-twice", "", "A gateway sends each good request twice.", lie)


def _encodings(operation: str) -> Iterator[Mutant]:
    def large(answer: Answer) -> Answer:
        return _with_body(answer, answer.body[:_LARGE_BYTES]) if len(answer.body) > _LARGE_BYTES else answer

    def mislabelled(answer: Answer) -> Answer:
        return replace(answer, headers=(*answer.headers, (b"content-encoding", b"gzip")))

    def unlabelled(answer: Answer) -> Answer:
        return _with_body(answer, gzip.compress(answer.body))

    def marked(answer: Answer) -> Answer:
        return _with_body(answer, b"\xef\xbb\xbf" + answer.body) if answer.media_type == JSON else answer

    def wide(answer: Answer) -> Answer:
        return _with_body(answer, answer.body.decode().encode("utf-16")) if answer.media_type == JSON else answer

    found: dict[str, tuple[str, Callable[[Answer], Answer]]] = {
        "cut-at-64-kib": ("Answers end after 64 KiB.", large),
        "says-gzip": ("Answers say that they are gzip, and are not.", mislabelled),
        "is-gzip": ("Answers are gzip, and do not say so.", unlabelled),
        "byte-order-mark": ("JSON begins with a byte order mark.", marked),
        "utf-16": ("JSON is in UTF-16.", wide),
        "no-media-type": ("A success has no media type.", _without_type),
        "says-utf-16": ("JSON in UTF-8 is said to be in UTF-16.", _called_wide),
        "two-media-types": ("A success has two media types.", _with_second_type),
        "two-values": ("A field of an object has two values.", _with_two_values),
    }
    for number, (about, (text, change)) in enumerate(found.items()):
        if about == "two-values" and not fields(operation):
            continue
        is_large = scores_rows(operation) or has_logged_rows(operation)
        if is_large if about == "cut-at-64-kib" else is_turn(operation, 9, number):
            yield Mutant(operation, "other-bytes", about, text, of_success(operation, change))


def _called_wide(answer: Answer) -> Answer:
    return answer.with_media_type(f"{JSON}; charset=utf-16") if answer.media_type == JSON else answer


def _with_second_type(answer: Answer) -> Answer:
    return replace(answer, headers=(*answer.headers, (b"content-type", b"text/html")))


def _with_two_values(answer: Answer) -> Answer:
    if answer.media_type != JSON:
        return answer
    return _with_body(answer, re.sub(rb'\{("\w+") ?:', rb'{\1: "other", \1:', answer.body, count=1))


def _without_type(answer: Answer) -> Answer:
    return replace(answer, headers=tuple(pair for pair in answer.headers if pair[0].lower() != b"content-type"))


def _with_body(answer: Answer, body: bytes) -> Answer:
    return replace(answer, body=body).with_header("content-length", str(len(body)))


def _texts(operation: str) -> Iterator[Mutant]:
    if operation not in _OF_TEXTS:
        return

    def of_texts(change: Callable[[str], str]) -> Lie:
        return of_json(
            operation, lambda body: mapped(body, lambda value: change(value) if isinstance(value, str) else value)
        )

    found: dict[str, tuple[str, Callable[[str], str]]] = {
        "read-as-latin-1": (
            "Texts in UTF-8 are read as Latin-1.",
            lambda text: text.encode("utf-8", "surrogatepass").decode("latin-1"),
        ),
        "normalised": ("Texts are in another Unicode normal form.", _normalised),
        "cut-at-255": (f"Texts end after {_LONG} characters.", lambda text: text[:_LONG]),
        "stripped": ("Blanks around texts are gone.", str.strip),
    }
    for about, (text, change) in found.items():
        if about == "cut-at-255" or scores_rows(operation):  # names of the run have letters, digits and dashes only
            yield Mutant(operation, "changes-texts", about, text, of_texts(change))


def _normalised(text: str) -> str:
    return unicodedata.normalize("NFD" if unicodedata.is_normalized("NFC", text) else "NFC", text)


def _dropped(operation: str) -> Iterator[Mutant]:
    """Yield the mutants that drop what they listed, after a while."""
    schema = rules().schemas.resolve(rules().answer_schema(operation))
    if not _reads(operation) or ("items" not in schema and operation not in {"list_workspaces", "list_models"}):
        return

    def without_last(body: Any) -> Any:
        if isinstance(body, list):
            return list_of(body)[:-1]
        fields = object_of(body)
        return {name: list_of(value)[:-1] if isinstance(value, list) else value for name, value in fields.items()}

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        key = (*_asked_for(exchange), str(caller_of(exchange)))
        if not succeeded(operation, answer) or without_last(answer.json) == answer.json:
            return answer
        times = exchange.memory[key] = exchange.memory.get(key, 0) + 1
        return answer if times <= _MOST_ANSWERS else answer.with_json(without_last(answer.json))

    text = f"Who asks for the same more than {_MOST_ANSWERS} times gets a list without its last item."
    yield Mutant(operation, "drops-the-last", "", text, lie)


def _expired(operation: str) -> Iterator[Mutant]:
    """Yield the mutants that drop stored results soon."""
    if operation not in _STORED:
        return

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        found = list_of(answer.json)
        if not succeeded(operation, answer) or not found:
            return answer
        key = object_of(found[0]).get("assay_id")
        read: float = exchange.memory.setdefault(key, time.monotonic())
        return answer if time.monotonic() - read < _KEPT_SECONDS else answer.with_json([])

    text = f"Results are gone {_KEPT_SECONDS:.0f} s after they were first read."
    yield Mutant(operation, "drops-results", "", text, lie)


def _logins(operation: str) -> Iterator[Mutant]:
    if not rules().takes_token(operation) or not is_turn(operation, 5):
        return

    async def redirects(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if answer.status != _UNAUTHORIZED:
            return answer
        return Answer(302, ((b"location", b"/login"), (b"content-length", b"0")), b"")

    async def shows_page(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if answer.status != _UNAUTHORIZED:
            return answer
        page = b"<html><title>Sign in</title></html>"
        return Answer(200, ((b"content-type", b"text/html"), (b"content-length", b"%d" % len(page))), page)

    yield Mutant(operation, "sends-to-sign-in", "by-redirect", "Who has no good token is redirected.", redirects)
    yield Mutant(operation, "sends-to-sign-in", "by-page", "Who has no good token gets a page, and 200.", shows_page)


KINDS = (
    Kind("cached", "Answers are repeated, by a cache.", "It writes, or others show it: every second has one.", _cached),
    Kind("mixes-answers", "Answers at a time are mixed up.", "It writes, or others show it.", _mixed_up),
    Kind("sent-twice", "A write is carried out twice.", "Twice is as good as once, or is refused.", _sent_twice),
    Kind("other-bytes", "The bytes are not what they are said to be.", "Others show it.", _encodings),
    Kind("changes-texts", "Texts are changed.", "It answers with no texts that people choose freely.", _texts),
    Kind("drops-the-last", "What was listed is dropped.", "Its answer is no list of what is there.", _dropped),
    Kind("drops-results", "Stored results are dropped.", "It answers with no stored results.", _expired),
    Kind("sends-to-sign-in", "Refusals lead to a page.", "Others show it: every fifth has one.", _logins),
)
