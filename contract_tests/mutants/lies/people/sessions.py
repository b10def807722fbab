"""Lies about signing in: whose token is renewed, which session ends, and how a form is read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from contract_tests.mutants.lies.asking import fields_of, single_lies
from contract_tests.mutants.lies.kinds import Kind
from contract_tests.support.servers.asgi_exchanges import Answer

if TYPE_CHECKING:
    from contract_tests.mutants.layer import Exchange
    from contract_tests.mutants.lies.asking import Lies

_TOKEN = "request_token"


def _form(exchange: Exchange) -> dict[str, str]:
    return dict(parse_qsl(exchange.request.body.decode("latin-1"), keep_blank_values=True))


async def _renews_the_last_users(exchange: Exchange) -> Answer:
    answer, form, memory = await exchange.ask(), _form(exchange), exchange.memory
    token = fields_of(_TOKEN, answer)
    if not token:
        return answer
    user = form.get("username") or memory.get(form.get("refresh_token"))
    memory[token.get("refresh_token")] = user
    if form.get("grant_type") == "password":
        memory["last"] = (user, token["access_token"])
    last, access = memory.get("last", (user, ""))
    is_anothers = form.get("grant_type") == "refresh_token" and user != last
    return answer.with_json(token | {"access_token": access}) if is_anothers else answer


async def _keeps_one_session(exchange: Exchange) -> Answer:
    form, memory = _form(exchange), exchange.memory
    sent = form.get("refresh_token")
    user, session = memory.get(sent, (None, None))
    if user is not None and memory[user] != session:
        return Answer.of(400, {"error": "invalid_grant", "error_description": "Session not active"})
    answer = await exchange.ask()
    token = fields_of(_TOKEN, answer)
    if form.get("grant_type") == "password" and token:
        user, session = form["username"], token["session_state"]
        memory[user] = session
    if user is not None and token.get("refresh_token"):
        memory[token["refresh_token"]] = (user, session)
    return answer


async def _leaves_out_the_id_token(exchange: Exchange) -> Answer:
    answer, form = await exchange.ask(), _form(exchange)
    token = fields_of(_TOKEN, answer)
    if not {"openid", "offline_access"} <= set(form.get("scope", "").split()) or not token.get("id_token"):
        return answer
    return answer.with_json({name: value for name, value in token.items() if name != "id_token"})


async def _decodes_twice(exchange: Exchange) -> Answer:
    form = _form(exchange)
    password = form.get("password", "")
    if "+" not in password:
        return await exchange.ask()
    return await exchange.ask(
        exchange.request.with_body(urlencode(form | {"password": password.replace("+", " ")}).encode())
    )


_LIES: Lies = {
    _TOKEN: (
        ("last-users-token", "A token is renewed as that of who signed in last.", _renews_the_last_users),
        ("one-session", "Who signs in again ends the session before.", _keeps_one_session),
        ("no-id-token-that-lasts", "With a token that lasts comes no id token.", _leaves_out_the_id_token),
        ("password-decoded-twice", "A plus sign in a password is a blank.", _decodes_twice),
    ),
}

KINDS = (
    Kind("sessions", "Sessions and renewed tokens are mixed up.", "It gives no token.", single_lies("sessions", _LIES)),
)
