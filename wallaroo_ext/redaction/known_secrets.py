"""The secrets that this process holds, so that they can be found by value in whatever a server sends back.

A server may repeat a request in its errors, in any form. Patterns such as `password=…` find the usual forms; a known
value is found in every form: unchanged, in any layers of the encodings of URLs, JSON, HTML and Python, of base64 and
lists of bytes, folded into lines or cut off before `...`, in UTF-8 and UTF-16, in base64 at any offset.
"""

from __future__ import annotations

import base64
import binascii
import html
import os
import re
import threading
import unicodedata
import weakref
from collections import deque
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MIN_LENGTH = 4
"""The length from which a secret is removed by its value: removing each `a` would leave no readable text."""
_MIN_LENGTH_WITHIN_WORDS = 8
"""Shorter secrets are removed only as whole words: `test` stays in `latest`."""
_KEPT_PER_OWNER = 64
_MAX_LAYERS = 40
"""In how many decoded versions of a text secrets are looked for: a form in JSON in JSON in a page is one of the first
twenty."""
_REMOVED = "[removed]"
_TWO_IN_LOWER_CASE = "\u0130"
"""The only character that is two in lower case."""
_LONG = 1_000
"""Strings of this length are not remembered, and seldom come again."""
_NULS = "\0\0"
"""Stands in binary data; in UTF-16, one stands behind each character of ASCII."""
_BETWEEN = "\1\1"
"""Stands between texts that are looked through as one: no encoding goes over it, nor does a pattern look behind it."""

# Each pattern or alternative begins with a character, because the search for those is many times faster.
_BASE64 = re.compile(r"[\w+/-]*=*", re.ASCII)
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_BYTES = re.compile(
    r"[0-9A-Fa-f-](?<![0-9A-Za-z].)(?:(?<!-)(?:[0-9A-Fa-f](?:[0-9A-Fa-f]{2}){5,}"
    r"|(?:[0-9A-Fa-f]|(?<=0)x[0-9A-Fa-f]{2})(?:[\s:,-]{1,2}(?:0x)?[0-9A-Fa-f]{2}){5,}"
    r"|(?<=\d)\d{0,2}(?:,\s?-?\d{1,3}){5,})|(?<=-)\d{1,3}(?:,\s?-?\d{1,3}){5,})(?![0-9A-Za-z])"
)
_DECIMAL = re.compile(r"-?\d{1,3}(?:,\s?-?\d{1,3})*")
_CONTROLS = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_READABLE = re.compile("[\0\t-\r -~\u00ad\u200b-\u200d\u2026\u2060\u212a\ufeff]{4,}")
"""Where a secret in ASCII can be: all characters in which it is encoded, folded or cut off, and a `k` in upper case."""
_FOLD = re.compile("\n[ \t]*|\r\n[ \t]*|\u00ad|\u200b|\u200c|\u200d|\u2060|\ufeff")
_ELLIPSIS = re.compile(r"\.{2,}|\u2026|\*{2,}")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*|=[0-9A-F]{2}(?:=[0-9A-F]{2})*")
_BACKSLASH = re.compile(
    r"\\(?:(?P<bytes>(?:x[0-9A-Fa-f]{2}|[0-3][0-7]{2})(?:\\x[0-9A-Fa-f]{2}|\\[0-3][0-7]{2})*)"
    r"|(?P<units>u[0-9A-Fa-f]{4}(?:[\\%]u[0-9A-Fa-f]{4})*)"
    r"|U(?P<point>[0-9A-Fa-f]{8})|u\{(?P<braced>[0-9A-Fa-f]{1,6})\}|(?P<one>[\"'\\/abfnrtv]))"
    r"|%(?P<percent_units>u[0-9A-Fa-f]{4}(?:[\\%]u[0-9A-Fa-f]{4})*)"
)
_ENTITY = re.compile(r"&(?:#0*\d{1,7};?|#[xX]0*[0-9A-Fa-f]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};)")
_JSON_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"?', re.DOTALL)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class KnownSecrets:
    """The secrets of one owner, such as the object that signs in. They are forgotten when it is deleted.

    The newest 64 are kept, because a server may repeat a token that has been renewed since.
    """

    __slots__ = ("__weakref__", "_needles", "_values")

    def __init__(self) -> None:
        self._values: deque[str] = deque(maxlen=_KEPT_PER_OWNER)
        self._needles: tuple[tuple[str, ...], tuple[_Needle, ...]] = (), ()
        _register(self)

    def add(self, *secrets: str | None) -> None:
        """Remember secrets; None and empty texts are ignored."""
        for secret in secrets:
            if secret and secret not in self._values:
                self._values.append(secret)
                _forget_index()

    def add_client(self, client_id: str, client_secret: str | None) -> None:
        """Remember a client's secret, and its HTTP Basic form, which is found even if the secret is short."""
        if client_secret:
            self.add(client_secret, *(_encode(f"{client_id}:{client_secret}")))

    @property
    def needles(self) -> tuple[_Needle, ...]:
        """The texts to look for."""
        values = tuple(self._values)
        made_of, needles = self._needles
        if made_of != values:  # compared, because another thread may add one while the texts are made
            needles = tuple(_needles(values))
            self._needles = values, needles
        return needles

    def __repr__(self) -> str:
        return "KnownSecrets(...)"


class _Needle(NamedTuple):
    """A text to look for.

    Attributes:
        text: The text, in lower case.
        alone: Whether it counts only as a whole word.
        base64: Whether it is in base64, so that the base64 characters around it belong to it.
    """

    text: str
    alone: bool = False
    base64: bool = False


class _Layer:
    """A text with some encodings decoded.

    Attributes:
        text: The text.
    """

    __slots__ = ("_encoding", "_outer", "_starts", "text")

    def __init__(self, text: str, outer: _Layer | None = None, encoding: _Encoding | None = None) -> None:
        self.text = text
        self._outer, self._encoding = outer, encoding
        self._starts: list[int] | None = None

    @property
    def starts(self) -> list[int]:
        """Where each character of the text begins in the original text, and where the last one ends.

        This is worked out only for layers in which something is found, because it takes longer than decoding.
        """
        if self._starts is None:
            if self._outer is None or self._encoding is None:
                self._starts = list(range(len(self.text) + 1))
            else:
                self._starts = _starts_within(self._outer, self._encoding)
        return self._starts


class _Encoding(NamedTuple):
    """A kind of encoding.

    Attributes:
        shape: What is written in it.
        decode: Returns the decoded text of a match.
        lengths: Returns how many characters of the match each decoded one took.
    """

    shape: re.Pattern[str]
    decode: Callable[[re.Match[str]], str]
    lengths: Callable[[re.Match[str]], list[int]]


class _Index(NamedTuple):
    """The texts to look for.

    Attributes:
        needles: The texts, by their first characters.
        is_plain: Whether they are all in ASCII, without two NULs beside each other.
    """

    needles: dict[str, list[_Needle]]
    is_plain: bool


_MANY = 200
"""The number of beginnings from which on a text is looked through once, in place of once for each."""

_owners: tuple[weakref.ref[KnownSecrets], ...] = ()
_generation = object()
_index: tuple[object, _Index] | None = None
_registering = threading.RLock()


def _register(owner: KnownSecrets) -> None:
    """Keep a weak reference to an owner. Readers need no lock, because the tuple is replaced as a whole."""
    global _owners  # noqa: PLW0603 - one process has one set of secrets
    with _registering:
        _owners = (*(known for known in _owners if known() is not None), weakref.ref(owner, _forget_index))


def _forget_index(_: object = None) -> None:
    """Have the needles collected anew: an owner has another secret, or was deleted with those that it had."""
    global _index, _generation  # noqa: PLW0603 - one process has one set of secrets
    _generation = object()
    _index = None


def _needles_by_beginning() -> _Index:
    """Return the needles of all owners by their first characters, collected once for as long as none changes."""
    global _index  # noqa: PLW0603 - one process has one set of secrets
    known, generation = _index, _generation
    if known is not None and known[0] is generation:
        return known[1]
    needles: dict[str, list[_Needle]] = {}
    for needle in {needle for each in _owners if (owner := each()) is not None for needle in owner.needles}:
        needles.setdefault(needle.text[:MIN_LENGTH], []).append(needle)
    index = _Index(needles, all(_is_plain(needle.text) for found in needles.values() for needle in found))
    _index = generation, index  # of no use to anybody if they have changed meanwhile
    return index


def _is_plain(text: str) -> bool:
    return text.isascii() and _NULS not in text


def _reset_after_fork() -> None:
    global _registering  # noqa: PLW0603 - another thread of the parent may have held it
    _registering = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)


def current_secrets() -> object:
    """Return what stands for the secrets that this process holds: another object after any of them has changed."""
    return _generation


def remove_known_secrets(text: str) -> str:
    """Return a text with `[removed]` in place of each secret that this process holds, however it is encoded."""
    return remove_spans(text, find_known_secrets(text))


def find_known_secrets(text: str) -> list[tuple[int, int]]:
    """Return the start and end of each secret of this process in a text, however it is encoded."""
    index = _needles_by_beginning()
    if not index.needles or not text or _is_clean_binary(text, index):
        return []
    return [span for layer in _layers(text) for span in _find_in_layer(layer, index, text)]


def _is_clean_binary(text: str, index: _Index) -> bool:
    """Return whether a text is binary, and what can be read of it has no secret; True is certain."""
    if _is_plain(text) or not index.is_plain:
        return False
    readable = _BETWEEN.join(_READABLE.findall(text.replace(_NULS, _BETWEEN)))
    return not any(True for layer in _lower_layers(readable) for _ in _find_in(layer, index))


def json_may_have_known_secrets(text: str) -> bool:
    """Return whether a JSON text, or its beginning, may have a secret of this process; False is certain.

    This is many times faster than looking for the places, which decodes the whole text dozens of times: a secret is in
    one of the strings, most of which come again and again, or is a list of bytes, or is there unchanged.
    """
    index = _needles_by_beginning()
    if any(True for _ in _find_in(_lower(text), index)):
        return True
    around_strings = _JSON_STRING.split(text)
    numbers = "".join("".join(around_strings[::2]).split())
    parts = {*around_strings[1::2], *(found[0] for found in _BYTES.finditer(numbers))}
    return any((_has_in_short if len(part) < _LONG else _has)(part, _generation) for part in parts)


def _has(text: str, _secrets: object) -> bool:
    """Return whether a text has a secret of this process, of those that it holds now."""
    index = _needles_by_beginning()
    layers = (_short_layers if len(text) < _LONG else _lower_layers)(text)
    return any(True for layer in layers for _ in _find_in(layer, index))


def _lower_layers(text: str) -> tuple[str, ...]:
    """Return the text, and its versions with encodings decoded, in lower case."""
    return tuple(_lower(layer.text) for layer in _layers(text))


_has_in_short = lru_cache(maxsize=16_384)(_has)
_short_layers = lru_cache(maxsize=16_384)(_lower_layers)  # they are the same, whatever the secrets are


def remove_spans(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return a text with `[removed]` in place of the given spans, which may overlap."""
    parts: list[str] = []
    end = 0
    for start, stop in sorted(spans):
        if start >= end:
            parts += (text[end:start], _REMOVED)
        end = max(end, stop)
    return "".join(parts) + text[end:]


def _find_in_layer(layer: _Layer, index: _Index, whole: str) -> Iterator[tuple[int, int]]:
    """Yield where the original text has secrets that are visible in a layer, whole or cut off."""
    for needle, start, stop in _find_in(_lower(layer.text), index):
        yield _original_span(layer, start, stop, whole, base64=needle.base64)


def _find_in(text: str, index: _Index) -> Iterator[tuple[_Needle, int, int]]:
    """Yield the secrets in a text in lower case, whole or cut off, with their places."""
    for beginning, at in _find_beginnings(text, index):
        for needle in index.needles[beginning]:
            stop = at + len(needle.text)
            if text.startswith(needle.text, at) and (not needle.alone or _stands_alone(text, at, stop)):
                yield needle, at, stop
            stop = at + _common_prefix_length(text[at:stop], needle.text)
            if _is_cut_off(needle, text, at, stop):
                yield needle, at, stop


def _find_beginnings(text: str, index: _Index) -> Iterator[tuple[str, int]]:
    """Yield the beginnings of needles that a text has, with their places."""
    if len(index.needles) < min(_MANY, 2 * len(text)):
        for beginning in index.needles:
            at = text.find(beginning)
            while at >= 0:
                yield beginning, at
                at = text.find(beginning, at + 1)
        return
    for length in {len(beginning) for beginning in index.needles}:
        for at in range(len(text) - length + 1):
            if (beginning := text[at : at + length]) in index.needles:
                yield beginning, at


def _original_span(layer: _Layer, start: int, stop: int, whole: str, *, base64: bool) -> tuple[int, int]:
    first, last = layer.starts[start], layer.starts[stop]
    if base64:
        while first > 0 and whole[first - 1] != "=" and _BASE64.fullmatch(whole[first - 1]):
            first -= 1
        found = _BASE64.match(whole, last)
        last = last if found is None else found.end()
    return first, last


def _is_cut_off(needle: _Needle, text: str, start: int, stop: int) -> bool:
    """Return whether a part of a text, the beginning of a secret, is what was left of it."""
    if stop - start == len(needle.text) or (needle.alone and _is_within_word(text, start)):
        return False
    return stop == len(text) or _ELLIPSIS.match(text, stop) is not None


def _stands_alone(text: str, start: int, stop: int) -> bool:
    return not (_is_within_word(text, start) or text[stop : stop + 1].isalnum())


def _is_within_word(text: str, at: int) -> bool:
    """Return whether a letter or a digit stands before a place in a text."""
    return text[at - 1 : at].isalnum()


def _common_prefix_length(one: str, other: str) -> int:
    """Return how many characters at the beginning of two texts are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (left, right) in pairs if left != right), min(len(one), len(other)))


def _lower(text: str) -> str:
    """Return a text in lower case, with the same number of characters."""
    return _TWO_IN_LOWER_CASE.join(part.lower() for part in text.split(_TWO_IN_LOWER_CASE))


def _layers(text: str) -> Iterator[_Layer]:
    """Yield the text, and its versions with encodings decoded in any order, each once."""
    seen = {text}
    waiting = deque([_Layer(text)])
    while waiting:
        layer = waiting.popleft()
        yield layer
        for encoding in _ENCODINGS:
            if len(seen) >= _MAX_LAYERS:
                break
            inner = encoding.shape.sub(encoding.decode, layer.text)
            if inner not in seen:
                seen.add(inner)
                waiting.append(_Layer(inner, layer, encoding))


def _starts_within(outer: _Layer, encoding: _Encoding) -> list[int]:
    """Return where the characters of a layer begin in the original text, with one kind of encoding decoded."""
    starts: list[int] = []
    end = 0
    for found in encoding.shape.finditer(outer.text):
        starts += outer.starts[end : found.start()]
        at = found.start()
        for length in encoding.lengths(found):
            starts.append(outer.starts[at])
            at += length
        end = found.end()
    return starts + outer.starts[end:]


def _decode_percent(found: re.Match[str]) -> str:
    return _decode_bytes(_percent_bytes(found))


def _percent_lengths(found: re.Match[str]) -> list[int]:
    return _byte_lengths(_percent_bytes(found), 3)


def _percent_bytes(found: re.Match[str]) -> bytes:
    return bytes.fromhex(found[0].replace("%", "").replace("=", ""))


def _decode_backslash(found: re.Match[str]) -> str:
    if found["bytes"]:
        return _decode_bytes(_backslash_bytes(found))
    if found["units"] or found["percent_units"]:
        return bytes.fromhex(re.sub(r"[\\%]u", "", found[0])).decode("utf-16-be", "surrogatepass")
    if code := found["point"] or found["braced"]:
        return _character(int(code, 16))
    return _ESCAPES.get(found["one"], found["one"])


def _backslash_lengths(found: re.Match[str]) -> list[int]:
    if found["bytes"]:
        return _byte_lengths(_backslash_bytes(found), 4)
    if found["units"] or found["percent_units"]:
        return [12 if ord(each) > 0xFFFF else 6 for each in _decode_backslash(found)]  # noqa: PLR2004 - two units
    return [len(found[0])]


def _backslash_bytes(found: re.Match[str]) -> bytes:
    codes = re.findall(r"\\x(..)|\\(\d{3})", found[0])
    return bytes(int(octal, 8) if octal else int(hexadecimal, 16) for hexadecimal, octal in codes)


def _character(point: int) -> str:
    return chr(point) if point < 0x110000 else "\ufffd"  # noqa: PLR2004 - Unicode ends there


def _decode_entity(found: re.Match[str]) -> str:
    """Return the characters of an HTML entity; a number is always a code point, although HTML maps some to others."""
    digits = found[0][2:].rstrip(";")
    if found[0][1] != "#":
        return html.unescape(found[0])
    return _character(int(digits[1:], 16) if digits[0] in "xX" else int(digits))


def _entity_lengths(found: re.Match[str]) -> list[int]:
    return [len(found[0]), *(0 for _ in _decode_entity(found)[1:])]


def _decode_bytes(values: bytes) -> str:
    """Return the characters of bytes in UTF-8, or else in Latin-1."""
    try:
        return values.decode()
    except UnicodeDecodeError:
        return values.decode("latin-1")


def _byte_lengths(values: bytes, length: int) -> list[int]:
    """Return the lengths of the encoded form of each character of bytes, of which each has the given length."""
    try:
        return [len(each.encode()) * length for each in values.decode()]
    except UnicodeDecodeError:
        return [length] * len(values)


def _decode_base64(found: re.Match[str]) -> str:
    """Return the decoded characters of a run of base64 if they are text; otherwise the run, which may be a word."""
    run = found[0].replace("-", "+").replace("_", "/")
    run = run[: len(run) - (len(run) % 4 == 1)]
    values = binascii.a2b_base64(run + "==")
    return found[0] if _CONTROLS.search(values) else values.decode("latin-1")


def _base64_lengths(found: re.Match[str]) -> list[int]:
    decoded = _decode_base64(found)
    if decoded == found[0]:
        return [1] * len(decoded)
    starts = [number * 4 // 3 for number in range(len(decoded))] + [len(found[0])]
    return [after - before for before, after in pairwise(starts)]


def _decode_byte_list(found: re.Match[str]) -> str:
    """Return the characters of bytes that are listed in hexadecimal or as decimal numbers."""
    if found[0].isalnum() and "x" not in found[0]:
        return bytes.fromhex(found[0]).decode("latin-1")
    if _is_decimal(found[0]):
        return "".join(chr(int(each[0]) % 256) for each in _listed_bytes(found))
    return "".join(chr(int(each[1], 16)) for each in _listed_bytes(found))


def _byte_list_lengths(found: re.Match[str]) -> list[int]:
    tokens = _listed_bytes(found)
    ends = [*(each.start() for each in tokens[1:]), len(found[0])]
    return [end - each.start() for each, end in zip(tokens, ends, strict=True)]


def _listed_bytes(found: re.Match[str]) -> list[re.Match[str]]:
    return [*re.finditer(r"-?\d{1,3}" if _is_decimal(found[0]) else r"(?:0x)?([0-9A-Fa-f]{2})", found[0])]


def _is_decimal(text: str) -> bool:
    return "," in text and _DECIMAL.fullmatch(text) is not None


def _drop(_: re.Match[str]) -> str:
    return ""


def _nothing(_: re.Match[str]) -> list[int]:
    return []


_ENCODINGS = (
    _Encoding(_PERCENT, _decode_percent, _percent_lengths),
    _Encoding(_BACKSLASH, _decode_backslash, _backslash_lengths),
    _Encoding(_ENTITY, _decode_entity, _entity_lengths),
    _Encoding(_FOLD, _drop, _nothing),
    _Encoding(_BASE64_RUN, _decode_base64, _base64_lengths),
    _Encoding(_BYTES, _decode_byte_list, _byte_list_lengths),
)


def _needles(secrets: Iterable[str]) -> Iterator[_Needle]:
    """Yield the texts to look for, the longest first."""
    found = {needle for secret in secrets for needle in _needles_of(secret) if len(needle.text) >= MIN_LENGTH}
    yield from sorted(found, key=lambda needle: -len(needle.text))


def _needles_of(secret: str) -> Iterator[_Needle]:
    for text in _spellings(secret):
        yield _Needle(_lower(text), alone=len(text) < _MIN_LENGTH_WITHIN_WORDS and text.isalnum())
    raw = secret.encode("utf-8", "surrogatepass")
    if len(raw) < MIN_LENGTH:
        return
    yield _Needle(raw.hex())
    for offset in range(3):
        for text in _encode_within(raw, offset):
            yield _Needle(text.lower(), base64=True)


def _spellings(secret: str) -> Iterator[str]:
    """Yield a secret as forms write it, as Unicode normalises it, and as it looks in a wrong encoding."""
    yield secret
    yield secret.replace(" ", "+")
    yield secret.encode("utf-16-le", "surrogatepass").decode("latin-1").rstrip("\0")
    yield secret.encode("utf-16-le", "surrogatepass").decode("utf-8", "replace").rstrip("\0")
    if secret.isascii():
        return
    for form in ("NFC", "NFD", "NFKC"):
        yield unicodedata.normalize(form, secret)
    yield secret.encode("utf-8", "surrogatepass").decode("latin-1")
    yield secret.encode("latin-1", "replace").decode("utf-8", "replace")
    yield secret.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")


def _encode(text: str) -> Iterator[str]:
    """Yield a text in base64, for URLs and otherwise, without padding."""
    raw = text.encode("utf-8", "surrogatepass")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode().rstrip("=")


def _encode_within(raw: bytes, offset: int) -> Iterator[str]:
    """Yield the base64 of bytes within other bytes, without the characters that depend on those."""
    padded = bytes(offset) + raw
    whole_groups = (len(padded) * 8) // 6
    first = (offset * 8 + 5) // 6
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(padded).decode()[first:whole_groups]
