"""Is every secret of a client removed from what a server sends back, in whatever form it comes?"""

from __future__ import annotations

import base64
import gc
import html
import json
import multiprocessing
import pickle
import re
import sys
from array import array
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, quote_plus, urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_tests.support.servers import http_servers, three_ways
from wallaroo_ext import WallarooError, connect
from wallaroo_ext.conformance.exchanges import redact_body, redact_headers
from wallaroo_ext.redaction import known_secrets
from wallaroo_ext.redaction.known_secrets import KnownSecrets, json_may_have_known_secrets, remove_known_secrets
from wallaroo_ext.redaction.patterns import redact, remove_secrets
from wallaroo_ext.transport.answer_texts import body_excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PASSWORD = 'pä"ss <wörd>&+%\\1'
CLIENT_SECRET = "cl1ent/secret=Zq8xW5"
TOKEN = "opaque-token-6d0f93d471aa"
ENVIRONMENT = {"WALLAROO_USER": "u@example.com", "WALLAROO_PASSWORD": PASSWORD, "WALLAROO_CLIENT_SECRET": CLIENT_SECRET}


def nested(text: str, times: int) -> str:
    return text if times == 0 else json.dumps(nested(text, times - 1))


WAYS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "within a word": lambda s: f"xx{s}yy",
    "in upper case": str.upper,
    "percent, upper": lambda s: quote(s, safe=""),
    "percent, lower": lambda s: quote(s, safe="").lower(),
    "percent twice": lambda s: quote(quote(s, safe="")),
    "percent, all of it": lambda s: "".join(f"%{byte:02X}" for byte in s.encode()),
    "percent of latin-1": lambda s: quote(s.encode("latin-1"), safe=""),
    "form": quote_plus,
    "json": json.dumps,
    "json, utf-8": lambda s: json.dumps(s, ensure_ascii=False),
    "json in json": lambda s: nested(s, 2),
    "json with slashes": lambda s: json.dumps(s).replace("/", "\\/"),
    "json, all of it": lambda s: "".join(f"\\u{unit:04X}" for unit in array("H", s.encode("utf-16"))[1:]),
    "form in json": lambda s: json.dumps({"body": quote_plus(s)}),
    "html": html.escape,
    "html, by number": lambda s: "".join(f"&#{ord(each)};" for each in s),
    "html, by hexadecimal number": lambda s: "".join(f"&#x{ord(each):X};" for each in s),
    "html of json": lambda s: html.escape(json.dumps(s)),
    "repr": repr,
    "repr of bytes": lambda s: repr(s.encode()),
    "ascii": ascii,
    "unicode_escape": lambda s: s.encode("unicode_escape").decode(),
    "octal": lambda s: "".join(f"\\{byte:03o}" for byte in s.encode()),
    "hexadecimal": lambda s: s.encode().hex(),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    "base64 at another offset": lambda s: base64.b64encode(f"a:{s}".encode()).decode(),
    "base64 at the third offset": lambda s: base64.b64encode(f"ab{s}xyz".encode()).decode(),
    "base64 in a URL": lambda s: quote(base64.b64encode(s.encode()).decode(), safe=""),
    "mojibake": lambda s: s.encode().decode("latin-1"),
    "UTF-16": lambda s: s.encode("utf-16-le").decode("latin-1"),
}

IN_PARTS: dict[str, Callable[[str], str]] = {
    "base64 twice": lambda s: base64.b64encode(base64.b64encode(s.encode())).decode(),
    "base64 in lines": lambda s: base64.b64encode(s.encode()).decode().replace("w", "w\r\n "),
    "base64 of a form": lambda s: base64.b64encode(quote_plus(s).encode()).decode(),
    "base64 of UTF-16": lambda s: base64.b64encode(s.encode("utf-16-be")).decode(),
    "hexadecimal UTF-16": lambda s: s.encode("utf-16-le").hex(),
    "hexadecimal with colons": lambda s: s.encode().hex(":").upper(),
    "a list of bytes": lambda s: str(list(s.encode())),
    "a list of hexadecimal bytes": lambda s: ", ".join(map(hex, s.encode())),
    "percent, units": lambda s: "".join(f"%u{ord(each):04x}" for each in s),
    "in braces": lambda s: "".join(f"\\u{{{ord(each):x}}}" for each in s),
    "html, with zeros and no end": lambda s: "".join(f"&#{ord(each):010d}" for each in s),
    "folded": lambda s: f"{s[:3]}\r\n    {s[3:]}",
    "with a soft hyphen": lambda s: f"{s[:5]}\u00ad{s[5:]}",
    "cut off in the middle": lambda s: f"{s[:-3]}... was refused",
    "masked": lambda s: f"{s[:-3]}*** was refused",
}
"""Ways that leave something of their own around a secret, such as brackets."""


@pytest.fixture(scope="class")
def known() -> KnownSecrets:
    """Register secrets for the duration of a test or of a class of tests: they are forgotten with what this returns."""
    secrets = KnownSecrets()
    secrets.add(PASSWORD, TOKEN)
    secrets.add_client("api-client", CLIENT_SECRET)
    return secrets


@pytest.mark.usefixtures("known")
class TestByValue:
    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("secret", [PASSWORD, CLIENT_SECRET, TOKEN], ids=["password", "client secret", "token"])
    def test_it_is_found_in_every_form(self, secret: str, way: str) -> None:
        text = WAYS[way](secret)
        before, after = "before -- ", " -- after"
        kept = remove_known_secrets(f"{before}{text}{after}")
        assert kept.startswith(before)
        assert kept.endswith(after)
        left = kept.removeprefix(before).removesuffix(after).replace("[removed]", "")
        for around in (
            "%3D",
            "{&quot;body&quot;: ",
            '{"body": ',
            "&quot;",
            "{",
            "}",
            "\\",
            '"',
            "'",
            "x",
            "y",
            "b",
            " ",
            "\0",
        ):
            left = left.replace(around, "")
        assert left == "", kept

    @pytest.mark.parametrize("way", IN_PARTS)
    @pytest.mark.parametrize("secret", [PASSWORD, CLIENT_SECRET, TOKEN], ids=["password", "client secret", "token"])
    def test_it_is_found_in_parts_too(self, secret: str, way: str) -> None:
        text = IN_PARTS[way](secret)
        kept = remove_known_secrets(f"before -- {text} -- after")
        assert re.fullmatch(r"before -- [A\[]?\[removed\](00|==?|\]|(\.\.\.|\*\*\*) was refused)? -- after", kept), kept

    def test_basic_is_found_with_a_short_secret_too(self) -> None:
        short = KnownSecrets()
        short.add_client("api-client", "x")
        pair = base64.b64encode(b"api-client:x").decode()
        assert pair.rstrip("=") not in remove_known_secrets(f"{{credentials:{pair}}}")
        assert remove_known_secrets("an x in a box") == "an x in a box"

    def test_a_short_one_stays_in_other_words(self) -> None:
        short = KnownSecrets()
        short.add("test")
        assert remove_known_secrets("the latest test, test1: test.") == "the latest [removed], test1: [removed]."

    @pytest.mark.parametrize("after", ["", "... and others", "\N{HORIZONTAL ELLIPSIS}", "** and others"])
    @pytest.mark.parametrize("secret", ["test", "test7"])
    def test_a_short_one_stays_in_another_word_that_a_text_ends_with(self, secret: str, after: str) -> None:
        short = KnownSecrets()
        short.add(secret)
        assert remove_known_secrets(f"the latest{after}") == f"the latest{after}"
        assert remove_known_secrets(f"a test{after}") == f"a [removed]{after}"

    @pytest.mark.parametrize("length", range(5, len(TOKEN)))
    def test_what_was_cut_off_at_the_end_is_removed_too(self, length: int) -> None:
        assert remove_known_secrets(f"bad credentials {TOKEN[:length]}") == "bad credentials [removed]"

    def test_an_excerpt_is_cut_after_its_secrets_were_taken_out(self) -> None:
        for before in range(440, 505):
            kept = body_excerpt(httpx.Response(500, text="." * before + TOKEN + "!"))
            assert not any(TOKEN[:length] in kept for length in range(4, len(TOKEN))), kept

    def test_what_is_none_stays(self) -> None:
        text = '{"msg": "100 % of the model \\"ä\\" &amp; its C:\\\\path", "url": "/a%20b?c=d+e"}'
        assert remove_known_secrets(text) == text

    @settings(deadline=None, derandomize=True, max_examples=150)
    @given(secret=st.text(min_size=8, max_size=40), ways=st.lists(st.sampled_from(list(WAYS)), max_size=2))
    def test_any_secret_in_any_two_forms(self, secret: str, ways: list[str]) -> None:
        owner = KnownSecrets()
        owner.add(secret)
        text = secret
        try:
            for way in ways:
                text = WAYS[way](text)
        except UnicodeError:
            return
        if {"in upper case", "percent of latin-1", "mojibake", "octal"} & set(ways) or sum(
            "base64" in w or "hexa" in w for w in ways
        ) > 1:
            return  # these two make another text of it
        if any("base64" in way or way in {"hexadecimal", "UTF-16"} for way in ways[1:]):
            return  # and these hide what is no secret itself
        kept = remove_known_secrets(text)
        assert secret not in kept
        assert kept != text

    def test_a_long_hostile_text_takes_no_long_time(self) -> None:
        for piece in ("%25", "\\\\", "&amp;", "\\u0025", "%5C%5Cu0026amp;", TOKEN[:-1], "opaq", "YXBp"):
            remove_secrets(piece * (16_000 // len(piece)))


@pytest.fixture(scope="class")
def known_in_ascii() -> KnownSecrets:
    secrets = KnownSecrets()
    secrets.add(TOKEN, CLIENT_SECRET)
    return secrets


@pytest.mark.usefixtures("known_in_ascii")
class TestInBinaryData:
    """Only what can be read of binary data is decoded, where all secrets are in ASCII."""

    @pytest.mark.parametrize("way", WAYS | IN_PARTS)
    @pytest.mark.parametrize("secret", [TOKEN, CLIENT_SECRET], ids=["token", "client secret"])
    def test_the_same_is_found_as_in_a_text(self, secret: str, way: str) -> None:
        text = (WAYS | IN_PARTS)[way](secret)
        kept = remove_known_secrets(f"\2{text}\3")
        assert "[removed]" in kept
        assert remove_known_secrets(f"\udc80\0\0\2{text}\3\0\0\udcff") == f"\udc80\0\0{kept}\0\0\udcff"

    @pytest.mark.parametrize("length", range(5, len(TOKEN)))
    def test_what_was_cut_off_at_the_end_is_found(self, length: int) -> None:
        assert remove_known_secrets(f"\0\0\udc80 {TOKEN[:length]}") == "\0\0\udc80 [removed]"

    def test_a_k_in_upper_case_may_be_that_of_kelvin(self) -> None:
        text = TOKEN.upper().replace("K", "\N{KELVIN SIGN}")
        assert remove_known_secrets(f"\0\0\udc80{text}") == "\0\0\udc80[removed]"

    def test_a_secret_of_other_characters_is_found_too(self) -> None:
        other = KnownSecrets()
        other.add("a\0\0secret", "geheim\N{LATIN SMALL LETTER SHARP S}")
        text = "\udc80\0\0-a\0\0secret-geheim\N{LATIN SMALL LETTER SHARP S}-"
        assert remove_known_secrets(text) == "\udc80\0\0-[removed]-[removed]-"


def test_secrets_are_forgotten_with_their_owner() -> None:
    secrets = KnownSecrets()
    secrets.add("forgotten-with-me")
    assert remove_known_secrets("forgotten-with-me") == "[removed]"
    del secrets
    gc.collect()
    assert remove_known_secrets("forgotten-with-me") == "forgotten-with-me"


def test_one_that_is_added_while_another_thread_collects_them_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = KnownSecrets()
    secrets.add("held-before-4711")
    collect = cast("Any", known_secrets)._needles  # where another thread may come between

    def add_meanwhile(values: Iterable[str]) -> Iterator[Any]:
        yield from collect(values)
        secrets.add("added-meanwhile-4711")

    monkeypatch.setattr(known_secrets, "_needles", add_meanwhile)
    remove_known_secrets("any text")
    assert remove_known_secrets("held-before-4711 added-meanwhile-4711") == "[removed] [removed]"


def _child(queue: Any) -> None:
    other = KnownSecrets()
    other.add("of-the-child-only")
    queue.put(remove_known_secrets(f"{TOKEN} of-the-child-only"))


@pytest.mark.usefixtures("known")
def test_a_forked_process_knows_them_too() -> None:
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_child, args=(queue,))
    process.start()
    assert queue.get(timeout=30) == "[removed] [removed]"
    process.join()


@pytest.mark.parametrize(
    "text",
    [
        "{authorization=Basic hunter2Zq8x}",
        "{Authorization=[Bearer hunter2Zq8x]}",
        "token=Bearer hunter2Zq8x",
        "('password', 'hunter2Zq8x')",
        '("client_secret", "hunter2Zq8x")',
        "<password>hunter2Zq8x</password>",
        "<ns:Password type='x'>hunter2Zq8x</ns:Password>",
        "pwd=hunter2Zq8x",
        "passphrase: hunter2Zq8x",
        "pass=hunter2Zq8x",
        "password%3Dhunter2Zq8x",
        "password%253dhunter2Zq8x",
        "password => hunter2Zq8x",
        '"password" => "hunter2Zq8x"',
        "password&#61;hunter2Zq8x",
        "Bearer%20hunter2Zq8x",
        "Basic+hunter2Zq8x",
    ],
)
def test_what_looks_like_a_secret_is_removed_without_being_known(text: str) -> None:
    assert "unter2Zq8" not in redact(text)
    assert redact(redact(text) + "&scope=x") == redact(text) + "&scope=x"


def echoing(token_status: int) -> Callable[[Any, int], None]:
    """Return a server that repeats each request in its errors, in a dozen forms."""

    def respond(handler: Any, _: int) -> None:
        if "token" in handler.path and token_status == 200:
            tokens = {"access_token": TOKEN, "refresh_token": "refresh-8a1c93d471aa", "expires_in": 60}
            return http_servers.answer(handler, 200, json.dumps(tokens).encode())
        sent = handler.headers.get("Authorization", "")
        form = f"x-echo {sent} {PASSWORD} {TOKEN} {CLIENT_SECRET}"
        forms = [way(form) for name, way in WAYS.items() if name != "percent of latin-1"]
        body = json.dumps({"code": 400, "msg": f"{{authorization={sent}}} " + " ".join(forms)})
        http_servers.answer(
            handler, token_status if "token" in handler.path else 400, body.encode(), X_Request_Id=TOKEN
        )
        return None

    return respond


_IN_ERRORS = ("base64", "form", "json", "percent, upper", "hexadecimal", "html")
SECRETS = [
    TOKEN,
    PASSWORD,
    CLIENT_SECRET,
    *(WAYS[way](each) for way in _IN_ERRORS for each in (PASSWORD, CLIENT_SECRET)),
    base64.b64encode(f"api-client:{CLIENT_SECRET}".encode()).decode(),
]


@pytest.mark.parametrize("token_status", [200, 400, 401, 500])
@pytest.mark.parametrize("way", three_ways.WAYS)
def test_an_error_of_a_server_that_repeats_requests_has_none(
    token_status: int, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    with http_servers.serving(echoing(token_status)) as server, pytest.raises(WallarooError) as raised:
        three_ways.list_in(way, server.url, ENVIRONMENT)
    error = raised.value
    seen = f"{error}\n{error!r}\n{vars(error)}\n{pickle.dumps(error)!r}\n{caplog.text}"
    known = SECRETS if token_status == 200 else [secret for secret in SECRETS if TOKEN not in secret]
    assert [secret for secret in known if secret in seen] == []
    assert "echo" in seen


@pytest.mark.usefixtures("known")
def test_a_report_keeps_none_either() -> None:
    for way in WAYS.values():
        for secret in (PASSWORD, CLIENT_SECRET, TOKEN):
            text = f"x-{way(secret)}-x"
            bodies = [text.encode(), json.dumps({"msg": text}).encode()]
            kept = [redact_body(body, "application/json").content.decode("utf-8", "replace") for body in bodies]
            kept += [value for _, value in redact_headers([("X-Echo", text)])]
            assert not [each for each in kept if secret in each or way(secret)[:12] in each], kept


DOCUMENTS: dict[str, Callable[[str], str]] = {
    "a value": lambda text: json.dumps({"msg": text}),
    "a key": lambda text: json.dumps({text: [1, None]}, ensure_ascii=False),
    "an item in lines": lambda text: json.dumps(["a", text, "b"], indent=2),
    "JSON in JSON": lambda text: json.dumps([{"metadata": json.dumps({"last_model": text})}]),
    "bytes": lambda text: json.dumps({"data": list(text.encode())}, separators=(",", ":")),
    "bytes in lines": lambda text: json.dumps({"data": ["x", list(text.encode()), "y"]}, indent=4),
    "the whole": json.dumps,
}


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("way", WAYS | IN_PARTS)
def test_a_report_finds_in_json_what_is_found_in_any_text(way: str, document: str) -> None:
    for secret in (PASSWORD, CLIENT_SECRET, TOKEN):
        text = DOCUMENTS[document](f"-{(WAYS | IN_PARTS)[way](secret)}-")
        for cut in (len(text), len(text) - 4, len(text) // 2):
            assert json_may_have_known_secrets(text[:cut]) or remove_known_secrets(text[:cut]) == text[:cut]
        kept = redact_body(text.encode("utf-8", "surrogatepass"), "application/json").content
        assert kept.decode("utf-8", "surrogatepass") == remove_known_secrets(text)


@pytest.mark.usefixtures("known")
def test_json_without_secrets_is_known_to_have_none() -> None:
    text = json.dumps([{"name": "a name", "sha": "0f" * 32, "tensor": [1.5, 2, 3, 4, 5, 6, 7, 8], "": '"\\ä'}] * 3)
    assert not json_may_have_known_secrets(text)
    assert not json_may_have_known_secrets(text[:-20])
    assert redact_body(text.encode(), "application/json").content == text.encode()


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("way", ["plain", "base64", "percent, all of it"])
def test_a_report_cuts_a_body_after_its_secrets_were_taken_out(way: str) -> None:
    text = f"x-{WAYS[way](TOKEN)}-x"
    kept = redact_body(b"." * 16_370 + text.encode(), "application/json").content.decode("utf-8", "replace")
    assert WAYS[way](TOKEN)[:4] not in kept


@pytest.mark.parametrize(
    "name",
    ["password", "client_secret", "access_token", "refresh_token", "id_token", "assertion", "client_assertion"],
)
def test_a_report_keeps_no_secret_that_only_its_field_tells(name: str) -> None:
    secret = "a b"  # nothing in it looks like one
    fields = {name: secret, "kept": "this"}
    for content, kind in (
        (json.dumps(fields).encode(), "application/json"),
        (urlencode(fields).encode(), "application/x-www-form-urlencoded"),
    ):
        kept = redact_body(content, kind).content
        assert (b"a b" in kept or b"a+b" in kept, b"this" in kept) == (False, True), kept


def test_a_proxys_password_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:hunter2Zq8x@127.0.0.1:1")
    with connect("http://api.example.com", environment={"WALLAROO_TOKEN": "a-token"}) as client:
        with pytest.raises(httpx.TransportError):
            client.get_httpx_client().get("/")
        assert remove_known_secrets("the proxy says hunter2Zq8x") == "the proxy says [removed]"


def test_it_is_found_beside_a_letter_that_is_two_in_lower_case() -> None:
    owner = KnownSecrets()
    owner.add("geheim-\u0130-Zq8x")
    text = "\u0130\u0130 GEHEIM-\u0130-zq8x \u0130"
    assert remove_known_secrets(text) == "\u0130\u0130 [removed] \u0130"
    assert [chr(point) for point in range(sys.maxunicode) if len(chr(point).lower()) > 1] == ["\u0130"]


def test_it_is_found_among_hundreds_and_forgotten_with_its_owner() -> None:
    secrets = [f"{number * 7919:08x}-of-many" for number in range(200)]
    owners = [KnownSecrets() for _ in secrets]
    for owner, secret in zip(owners, secrets, strict=True):
        owner.add(secret)
        assert remove_known_secrets(f"a {secret} b") == "a [removed] b"
    for secret in secrets:
        assert remove_known_secrets(f"a {secret} b {secret[:10]}...") == "a [removed] b [removed]..."
    owners[0].add("another-of-many")
    assert remove_known_secrets("another-of-many") == "[removed]"
    del owners
    gc.collect()
    assert remove_known_secrets(secrets[7]) == secrets[7]
