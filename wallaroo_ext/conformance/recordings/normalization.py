"""What differs from one recording to the next, and whose it was, replaced by what is always the same.

In all texts of a cassette at once, so that what was equal stays equal:

- the prefix of the run's names, and the instance's host: `conformance` and `wallaroo.example.com`;
- other hosts, addresses of people, and people's names: numbered ones at `example.com`;
- IPv4 addresses: numbered ones of the range that is kept for documentation (RFC 5737);
- UUIDs: numbered ones; ids that are numbers stay;
- times, as text and in milliseconds: seconds of one hour, in the order in which the times were, and in their own form;
- how long something took in an instance (`elapsed`, `elapsed_ns`, `elapsed_millis`): its place in the list.

What is inside of a binary answer stays as it is.
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
"""What the names in a cassette begin with, in place of the prefix of the run that it was recorded in."""

HOST = "wallaroo.example.com"
URL = f"https://{HOST}"
"""Where a recorded instance seems to be."""

_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_EMAIL = re.compile(r"[\w.+-]+@(?!example\.com\b)[\w-]+(?:\.[\w-]+)*")
_OTHER_HOST = re.compile(r"(?<=://)(?!(?:[\w-]+\.)*example\.com\b)[^/\s\"'\\:]+(?::\d+)?")
_IPV4 = re.compile(r"(?<![\d.])(?!192\.0\.2\.)\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_UUID = re.compile(r"\b[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\b")
_PERSON = re.compile(r'("(?:firstName|lastName)": ")[^"]+')
_USERNAME = re.compile(r'("(?:username|userName)": ")([^"@]+)(?=")')
_ELAPSED = re.compile(r'("elapsed": \[)([^\]]*)')
_ELAPSED_ALONE = re.compile(r'(elapsed_(?:ns|millis)\\?": )\d+')
TIME = re.compile(
    r"\b(?P<text>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)?"
    r"|\b(?P<ms>1[5-9]\d{11})\b"
)
"""A time: RFC 3339's, also without a zone, or the milliseconds since 1970."""


@dataclass
class Normalising:
    """The replacements of one cassette.

    Args:
        prefix: The prefix of the run's names.
        urls: The URLs of the instance.
    """

    prefix: str
    urls: Sequence[str]
    _numbers: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """Return all texts of a cassette, in their order, as they are kept."""
        replaced = [self._replaced(text) for text in texts]
        times = _ranks(replaced)
        return [TIME.sub(lambda found: _in_order(found, times), text) for text in replaced]

    def _replaced(self, text: str) -> str:
        for url in self.urls:
            text = text.replace(f"//{urlsplit(url).netloc}", f"//{HOST}").replace("http://" + HOST, URL)
        text = text.replace(self.prefix, PREFIX)
        text = _OTHER_HOST.sub(self._numbered("host", "host-{}.example.com"), text)
        text = _EMAIL.sub(self._numbered("person", "person-{}@example.com"), text)
        text = _USERNAME.sub(lambda found: found[1] + self._number("user", found[2], "user-{}"), text)
        text = _PERSON.sub(r"\1Somebody", text)
        text = _IPV4.sub(self._numbered("ip", "192.0.2.{}"), text)
        text = _UUID.sub(self._numbered("uuid", "00000000-0000-4000-8000-{:012}"), text)
        text = _ELAPSED.sub(_numbered_items, text)
        return _ELAPSED_ALONE.sub(r"\g<1>1", text)

    def _numbered(self, kind: str, form: str) -> Callable[[re.Match[str]], str]:
        return lambda found: self._number(kind, found[0], form)

    def _number(self, kind: str, value: str, form: str) -> str:
        """Return what stands for a value: the number in which it came first."""
        if kind == "user" and value.startswith(PREFIX):
            return value
        known = self._numbers.setdefault(kind, {})
        return form.format(known.setdefault(value, len(known) + 1))


def _numbered_items(found: re.Match[str]) -> str:
    """Return the numbers of a list as their places in it, with the spaces between them as they are."""
    places = iter(range(1, found[2].count(",") + 2))
    return found[1] + re.sub(r"\d+", lambda _: str(next(places)), found[2])


def _instant(found: re.Match[str]) -> datetime:
    """Return the moment that a text means; one without a zone is taken as UTC."""
    if found["ms"]:
        return datetime.fromtimestamp(int(found["ms"]) / 1000, UTC)
    zone = "+00:00" if found["zone"] in {None, "Z"} else found["zone"]
    try:
        return datetime.fromisoformat(f"{found['text']}{(found['fraction'] or '.0')[:7]}{zone}")
    except ValueError:  # the 31st of June
        return _BEGINNING


def _ranks(texts: Iterable[str]) -> dict[datetime, datetime]:
    """Return what stands for each moment: a second of its own, in their order."""
    moments = sorted({_instant(found) for text in texts for found in TIME.finditer(text)})
    return {moment: _BEGINNING + timedelta(seconds=rank) for rank, moment in enumerate(moments)}


def _in_order(found: re.Match[str], times: dict[datetime, datetime]) -> str:
    moment = times[_instant(found)]
    if found["ms"]:
        return str(int(moment.timestamp() * 1000))
    fraction = "." + "0" * (len(found["fraction"]) - 1) if found["fraction"] else ""
    zone = found["zone"] or ""
    return moment.strftime(f"%Y-%m-%d{found['text'][10]}%H:%M:%S") + fraction + ("+00:00" if len(zone) > 1 else zone)
