"""Guessing the encoding of a text that is not UTF-8, for advice: a person sees a word of it, and decides.

The guess is the usual encoding in which the words look most like words: letters of one script, in upper or lower case
as words have it, and of those that are often used. Of a short text, several are nearly as likely.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ENCODINGS = (  # of those that fit equally well, the first one is the guess
    "cp1252",
    "cp1250",
    "cp932",
    "euc_jp",
    "euc_kr",
    "cp1251",
    "gb18030",
    "big5",
    "cp1253",
    "koi8-r",
    "mac_roman",
    "cp850",
    "cp866",
)
_ANY = "latin-1"
"""The encoding in which every file is a text."""

_WORD = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*")
_OTHER_SIGN = re.compile(r"[^\w\s\x00-\x7f]")
_OFTEN_USED = {"euc_jp": "shift_jis", "cp932": "shift_jis", "gb18030": "gb2312", "big5": "big5"}
_USUAL_SIGNS = "°€£§µ²³«»“”„‘’–—…·®©¥、。「」（）：；・ー　％"  # noqa: RUF001 - the signs that texts have
_HALF_WIDTH = range(0xFF61, 0xFFA0)
_SAMPLE = 1 << 16


_UNCERTAIN = 0.15
"""By how much the likeness of two encodings has to differ for one of them to be out of the question."""


def guess_encodings(content: bytes) -> list[str]:
    """Return the encodings in which a text may be, the likeliest one first.

    Args:
        content: The text, or a part of it that begins and ends with lines.
    """
    found = {encoding: _likeness(content[:_SAMPLE], encoding) for encoding in _ENCODINGS}
    best = max(found.values())
    if best <= 0:
        return [_ANY]
    ranked = sorted(_ENCODINGS, key=lambda encoding: -found[encoding])  # those that are alike stay in their order
    return [encoding for encoding in ranked if found[encoding] > best - _UNCERTAIN]


def _likeness(content: bytes, encoding: str) -> float:
    """Return how much of the text beyond ASCII looks like words in an encoding, from 0 to 1; -1 if it is none there."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return -1
    words: list[str] = _WORD.findall(text)
    beyond = [sum(not letter.isascii() for letter in word) for word in words]
    signs = _OTHER_SIGN.findall(text)
    points = sum(count * _word_likeness(word, encoding) for word, count in zip(words, beyond, strict=True))
    points += sum(0.6 for sign in signs if sign in _USUAL_SIGNS)
    controls = sum(0x80 <= ord(letter) < 0xA0 for letter in text)  # noqa: PLR2004 - Unicode's other control characters
    if encoding == "euc_jp" and not any("HIRAGANA" in name or "KATAKANA" in name for name in map(_script, text)):
        return 0
    return points / (sum(beyond) + len(signs) + controls or 1)


def _word_likeness(word: str, encoding: str) -> float:
    scripts = {_script(letter) for letter in word}
    if len(scripts) > 1 and scripts != {"CJK", "HIRAGANA", "KATAKANA"} & scripts:
        return 0
    if scripts & {"CJK", "HIRAGANA", "KATAKANA"}:
        return _east_asian_likeness(word, encoding)
    if scripts == {"HANGUL"}:
        return 1
    if scripts == {"LATIN"} and not any(letter.isascii() for letter in word):
        return 0.1 if len(word) > 1 else 0.5
    if len(word) == 1:
        return 0.5
    return 1 if word in {word.lower(), word.upper(), word.capitalize()} or word[1:] == word[1:].lower() else 0.2


def _east_asian_likeness(word: str, encoding: str) -> float:
    if any(ord(letter) in _HALF_WIDTH for letter in word):
        return 0.1
    try:
        word.encode(_OFTEN_USED.get(encoding, encoding))
    except UnicodeEncodeError:
        return 0.3
    return 0.9


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").removeprefix("HALFWIDTH ").split(" ")[0].split("-")[0]
