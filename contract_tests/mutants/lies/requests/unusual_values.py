"""Lies that show with values which are seldom sent: odd passwords, names, offsets and endings, null, and many ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import rules, without, writes
from contract_tests.mutants.lies.inference.rows import scores_rows
from contract_tests.mutants.lies.kinds import Kind, is_turn, of_json, succeeded
from contract_tests.mutants.lies.people.token_claims import claims_of
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.support.servers.asgi_exchanges import Answer

_COMPARED = 8
"""The letters of a password that an old hash compares."""
_MOST_IDS = 20
_TIMES = ("start", "end", "start_time", "end_time")
_JSON = "application/json"
_UNAUTHORIZED = 401
_WIDEST = 0xFFFF
"""The last character that two bytes hold."""


async def _compares_beginnings(exchange: Exchange) -> Answer:
    answer, form = await exchange.ask(), dict(parse_qsl(exchange.request.body.decode("latin-1")))
    name, password = form.get("username", ""), form.get("password", "")
    known = exchange.memory.get(name, "")
    if succeeded("request_token", answer):
        exchange.memory[name] = password
    elif known and known[:_COMPARED] == password[:_COMPARED]:
        return await exchange.ask(exchange.request.with_body(urlencode(form | {"password": known}).encode()))
    return answer


def _changes_text(field: str, change: Callable[[str], str]) -> Lie:
    """Return a lie that changes a text in each request that has it."""

    async def lie(exchange: Exchange) -> Answer:
        body = object_of(exchange.request.json)
        changed = body | ({field: change(body[field])} if isinstance(body.get(field), str) else {})
        if changed == body:
            return await exchange.ask()
        return await exchange.ask(exchange.request.with_json(changed))

    return lie


def _in_ascii(text: str) -> str:
    return text.encode("ascii", "ignore").decode()


def _before_wide_ones(text: str) -> str:
    return text[: next((at for at, character in enumerate(text) if ord(character) > _WIDEST), None)]


async def _answers_few(exchange: Exchange) -> Answer:
    asked = list_of(object_of(exchange.request.json).get("user_ids"))
    if len(asked) <= _MOST_IDS:
        return await exchange.ask()
    return await exchange.ask(exchange.request.with_json({"user_ids": asked[:_MOST_IDS]}))


async def _makes_owners(exchange: Exchange) -> Answer:
    body = object_of(exchange.request.json)
    if "user_type" not in body or body["user_type"] is not None:
        return await exchange.ask()
    return await exchange.ask(exchange.request.with_json(body | {"user_type": "OWNER"}))


async def _strips_the_end(exchange: Exchange) -> Answer:
    body = exchange.request.body
    stripped = body.rstrip(b"\r\n")
    return await exchange.ask(exchange.request if stripped == body else exchange.request.with_body(stripped))


async def _takes_one_id(exchange: Exchange) -> Answer:
    body = object_of(exchange.request.json)
    if not {"pipeline_id", "deployment_id"} <= body.keys():
        return await exchange.ask()
    return await exchange.ask(exchange.request.with_json(without(body, ("deployment_id",))))


async def _lists_the_first_version(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    found = object_of(answer.json)
    if not succeeded("list_pipelines", answer):
        return answer
    rows = [object_of(row) for row in list_of(found.get("pipelines"))]
    first = [exchange.memory.setdefault(object_of(row["pipeline"])["id"], row) for row in rows]
    return answer if first == rows else answer.with_json(found | {"pipelines": first})


async def _reads_offsets_as_utc(exchange: Exchange) -> Answer:
    body = object_of(exchange.request.json)
    times = {name: str(body[name])[:-6] + "Z" for name in _TIMES if _has_an_offset(body.get(name))}
    return await exchange.ask(exchange.request.with_json(body | times) if times else exchange.request)


def _has_an_offset(value: Any) -> bool:
    """Return whether a text tells a time with an offset from UTC."""
    return isinstance(value, str) and value[-6:-5] in {"+", "-"} and not value.endswith("00:00")


async def _takes_null_for_zero(exchange: Exchange) -> Answer:
    body = object_of(exchange.request.json)
    nulls = {name: 0 for name, value in body.items() if value is None}
    return await exchange.ask(exchange.request.with_json(body | nulls) if nulls else exchange.request)


def _without_zeros(assay: Any) -> Any:
    watched = [object_of(path) for path in list_of(assay["targeting"]["iopath"])]
    changed = [path | {"thresholds": _not_zero(object_of(path.get("thresholds")))} for path in watched]
    return assay | {"targeting": assay["targeting"] | {"iopath": changed}}


def _not_zero(thresholds: dict[str, Any]) -> dict[str, Any]:
    return {name: value or None for name, value in thresholds.items()}


async def _refuses_parameters(exchange: Exchange) -> Answer:
    kind = exchange.request.header("content-type").lower()
    if not kind.startswith(f"{_JSON};") or "charset" not in kind:
        return await exchange.ask()
    return await exchange.ask(exchange.request.with_header("content-type", "text/plain"))


async def _asks_for_basic(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    if answer.status != _UNAUTHORIZED:
        return answer
    return answer.with_header("www-authenticate", 'Basic realm="instance"')


async def _takes_tokens_of_nobody(exchange: Exchange) -> Answer:
    answer, header = await exchange.ask(), exchange.request.header("authorization")
    claims = claims_of(header.partition(" ")[2])
    is_nobodys = str(claims.get("preferred_username", "")).startswith("service-account-")
    if answer.status != _UNAUTHORIZED or not is_nobodys:
        return answer
    return await exchange.ask_as_user()


_OF: dict[str, tuple[tuple[str, str, Lie], ...]] = {
    "request_token": (
        (
            "password-beginnings",
            f"A password is right if its first {_COMPARED} characters are.",
            _compares_beginnings,
        ),
    ),
    "invite_user": (
        (
            "password-in-ascii",
            "A password loses what is not ASCII.",
            _changes_text("password", _in_ascii),
        ),
    ),
    "query_users": (("few-ids", f"Of more than {_MOST_IDS} ids, the others are left out.", _answers_few),),
    "add_workspace_user": (("null-role", "A role that is null makes an owner.", _makes_owners),),
    "upload_model_stream": (("end-of-file", "Line breaks at a file's end are lost.", _strips_the_end),),
    "undeploy_pipeline": (("both-ids", "Beside a pipeline's id, that of the deployment is ignored.", _takes_one_id),),
    "list_pipelines": (("newest-version", "A pipeline is listed as it was at first.", _lists_the_first_version),),
    "create_assay": (
        (
            "wide-characters",
            "A name ends before the first character of four bytes.",
            _changes_text("name", _before_wide_ones),
        ),
    ),
    "schedule_assay_v2": (("capitals", "A name is stored in small letters.", _changes_text("name", str.lower)),),
    "get_assay_v2_by_id": (
        ("zero-thresholds", "A threshold of 0 is shown as none.", of_json("get_assay_v2_by_id", _without_zeros)),
    ),
    "get_topic_name": (("null", "An id that is null is 0.", _takes_null_for_zero),),
    "get_pipeline_logs": (("offsets", "Times with an offset are read as UTC.", _reads_offsets_as_utc),),
    "get_assay_baseline": (("offsets", "Times with an offset are read as UTC.", _reads_offsets_as_utc),),
    "get_assay_results": (("offsets", "Times with an offset are read as UTC.", _reads_offsets_as_utc),),
    "get_assay_results_between": (("offsets", "Times with an offset are read as UTC.", _reads_offsets_as_utc),),
}


def _unusual(operation: str) -> Iterator[Mutant]:
    for about, text, lie in _OF.get(operation, ()):
        yield Mutant(operation, "unusual-values", about, text, lie)
    if not rules().takes_token(operation):
        return
    if is_turn(operation, 5, 1):
        yield Mutant(operation, "unusual-values", "challenge", "401 asks for HTTP Basic.", _asks_for_basic)
    if is_turn(operation, 5, 2) and not scores_rows(operation):
        text = "A token without a user is taken for one of a user."
        yield Mutant(operation, "unusual-values", "nobodys-token", text, _takes_tokens_of_nobody)
    takes_json = list(rules().request_content(operation)) == [_JSON]
    if takes_json and is_turn(operation, 3, int(writes(operation))):
        text = "A charset beside the media type is refused."
        yield Mutant(operation, "unusual-values", "charset", text, _refuses_parameters)


KINDS = (
    Kind(
        "unusual-values",
        "Values that are seldom sent are read wrong.",
        "It has none of these values, or others have their turn.",
        _unusual,
    ),
)
