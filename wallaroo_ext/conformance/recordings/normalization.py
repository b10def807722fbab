"""Replaces what differs from one recording to the next, or says whose it was, by what is always the same.

All texts of a cassette are replaced together, so that equal values stay equal:

- the prefix of the run's names, and the instance's host: `conformance` and `wallaroo.example.com`;
- other hosts, addresses of people, and people's names: numbered ones at `example.com`;
- IPv4 addresses: numbered ones of the range that is kept for documentation (RFC 5737);
- UUIDs: numbered ones; ids that are numbers stay;
- times, as text and in milliseconds: seconds of one hour, in the order in which the times were, and in their own form;
- durations that an instance measured (`elapsed`, `elapsed_ns`, `elapsed_millis`): their place in the list.

Binary answers stay as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

PREFIX = "conformance"
"""The beginning of names in a cassette, in place of the prefix of the run that it was recorded in."""

HOST = "wallaroo.example.com"
URL = f"https://{HOST}"
"""The URL of every instance in a cassette."""

_FIRST_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@(?!example\.com\b)[\w-]+(?:\.[\w-]+)*")
_OTHER_HOST = re.compile(r"(?<=://)(?!(?:[\w-]+\.)*example\.com\b)[^/\s\"'\\:]+(?::\d+)?")
_IPV4 = re.compile(r"(?<![\d.])(?!192\.0\.2\.)\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_UUID = re.compile(r"\b[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\b")
_PERSON = re.compile(r'("(?:firstName|lastName)": ")[^"]+')
_USERNAME = re.compile(r'("(?:username|userName)": ")([^"@]+)(?=")')
_ELAPSED_LIST = re.compile(r'("elapsed": \[)([^\]]*)')
_ELAPSED = re.compile(r'(elapsed_(?:ns|millis)\\?": )\d+')
TIME = re.compile(
    r"\b(?P<text>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)?"
    r"|\b(?P<ms>1[5-9]\d{11})\b"
)
"""A time: RFC 3339's, also without a zone, or the milliseconds since 1970."""


@dataclass
class Normalizer:
    """The replacements of one cassette.

    Args:
        prefix: The prefix of the run's names.
        urls: The URLs of the instance.
    """

    prefix: str
    urls: Sequence[str]
    _numbers: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """Return all texts of a cassette, in their order, with the replacements."""
        replaced = [self._replace(text) for text in texts]
        moments = _replacements_of_moments(replaced)
        return [TIME.sub(lambda found: _replace_time(found, moments), text) for text in replaced]

    def _replace(self, text: str) -> str:
        for url in self.urls:
            text = text.replace(f"//{urlsplit(url).netloc}", f"//{HOST}").replace("http://" + HOST, URL)
        text = text.replace(self.prefix, PREFIX)
        text = _OTHER_HOST.sub(self._numbered("host", "host-{}.example.com"), text)
        text = _EMAIL.sub(self._numbered("person", "person-{}@example.com"), text)
        text = _USERNAME.sub(lambda found: found[1] + self._number("user", found[2], "user-{}"), text)
        text = _PERSON.sub(r"\1Somebody", text)
        text = _IPV4.sub(self._numbered("ip", "192.0.2.{}"), text)
        text = _UUID.sub(self._numbered("uuid", "00000000-0000-4000-8000-{:012}"), text)
        text = _ELAPSED_LIST.sub(_number_items, text)
        return _ELAPSED.sub(r"\g<1>1", text)

    def _numbered(self, kind: str, form: str) -> Callable[[re.Match[str]], str]:
        return lambda found: self._number(kind, found[0], form)

    def _number(self, kind: str, value: str, form: str) -> str:
        """Return the replacement of a value, which has the value's number in the order in which values came."""
        if kind == "user" and value.startswith(PREFIX):
            return value
        known = self._numbers.setdefault(kind, {})
        return form.format(known.setdefault(value, len(known) + 1))


def _number_items(found: re.Match[str]) -> str:
    """Return a list with 1, 2, 3 … in place of its numbers, and its spaces as they are."""
    numbers = iter(range(1, found[2].count(",") + 2))
    return found[1] + re.sub(r"\d+", lambda _: str(next(numbers)), found[2])


def _moment(found: re.Match[str]) -> datetime:
    """Return the moment that a time stands for; a time without a zone is in UTC."""
    if found["ms"]:
        return datetime.fromtimestamp(int(found["ms"]) / 1000, UTC)
    zone = "+00:00" if found["zone"] in {None, "Z"} else found["zone"]
    try:
        return datetime.fromisoformat(f"{found['text']}{(found['fraction'] or '.0')[:7]}{zone}")
    except ValueError:  # the 31st of June
        return _FIRST_MOMENT


def _replacements_of_moments(texts: Iterable[str]) -> dict[datetime, datetime]:
    """Return the replacement of each moment: a second of its own, in the order of the moments."""
    moments = sorted({_moment(found) for text in texts for found in TIME.finditer(text)})
    return {moment: _FIRST_MOMENT + timedelta(seconds=rank) for rank, moment in enumerate(moments)}


def _replace_time(found: re.Match[str], replacements: dict[datetime, datetime]) -> str:
    moment = replacements[_moment(found)]
    if found["ms"]:
        return str(int(moment.timestamp() * 1000))
    fraction = "." + "0" * (len(found["fraction"]) - 1) if found["fraction"] else ""
    zone = found["zone"] or ""
    return moment.strftime(f"%Y-%m-%d{found['text'][10]}%H:%M:%S") + fraction + ("+00:00" if len(zone) > 1 else zone)
