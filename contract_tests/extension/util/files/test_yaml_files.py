"""Is YAML read by version 1.2's core schema, JSON as JSON, and anything else refused with its line?"""

from __future__ import annotations

import pytest

from wallaroo_ext._util.files.yaml_files import line_of, parse_yaml

VALUES = {
    "on": "on",
    "off": "off",
    "yes": "yes",
    "n": "n",
    "true": True,
    "False": False,
    "~": None,
    "null": None,
    "": None,
    "12:30:00": "12:30:00",
    "2023-01-01": "2023-01-01",
    "1e9": 1e9,
    "1.5E-3": 1.5e-3,
    ".5": 0.5,
    "1.": 1.0,
    "017": 17,
    "0o17": 15,
    "0x1F": 31,
    "+1": 1,
    "-0": 0,
    "1_000": "1_000",
    "0b11": "0b11",
    "'017'": "017",
    "!!str 12": "12",
    "=": "=",
}


@pytest.mark.parametrize(("text", "value"), VALUES.items(), ids=repr)
def test_a_value_is_that_of_the_core_schema(text: str, value: object) -> None:
    found = parse_yaml(f"a: {text}\n".encode())["a"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_texts_as_they_are_written() -> None:
    assert parse_yaml(b"200: a\non: b\n1.0: c\n~: d\n") == {"200": "a", "on": "b", "1.0": "c", "~": "d"}


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a":"\\ud83d\\ude80"}', {"a": "\U0001f680"}),
        (b'\xef\xbb\xbf{"a":\t1}', {"a": 1}),
        (b"\xef\xbb\xbfa: 1\r\nb: |\r\n  x\r\n  y\r\n", {"a": 1, "b": "x\ny\n"}),
        ("a: ä".encode("utf-16"), {"a": "ä"}),
        (b"{a: 1, b: [x]}", {"a": 1, "b": ["x"]}),
        (b"x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\n", {"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 3}}),
        (b"", None),
    ],
)
def test_a_file_is_read_however_it_is_written(content: bytes, value: object) -> None:
    assert parse_yaml(content) == value


def test_what_an_alias_stands_for_is_a_value_of_its_own() -> None:
    found = parse_yaml(b"a: &x {b: 1}\nc: *x\n")
    assert found["a"] is not found["c"]


_TENS = [b"x%d: &x%d [%s]\n" % (n, n, b",".join([b"*x%d" % (n - 1)] * 10)) for n in range(1, 9)]
_BOMB = b"x0: &x0 [x]\n" + b"".join(_TENS)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: 1\nb: 2\na: 3\n", "line 3: the key 'a' is there twice"),
        (b'{"a": 1,\n"a": 2}', "line 2: the key 'a' is there twice"),
        (b'{"a": 1,\n]', "it is no JSON, line 2, column 1"),
        (b'{"a": "\\ud83d"}', "half of a surrogate pair"),
        (b'{"a": NaN}', "NaN is no number of it"),
        (b"a: .inf", "line 1: .inf is no number of JSON"),
        (b"a: 1e999", "line 1: 1e999 is no number of JSON"),
        (b"a: !ours x", "line 1: there is no way to read the tag !ours"),
        (b"a: !!int x", "line 1: 'x' is no int"),
        (b"a: &x [*x]", "line 1: an alias stands for what it is a part of"),
        (b"a: *x", "undefined alias"),
        (b"a: {[1]: 2}", "line 1: a list or an object stands for a key"),
        (b"a:\n\t- b", "line 2, column 1"),
        (b"a: 1\n---\nb: 2", "line 2, column 1: expected a single document"),
        (b"a: 1\nb: \xff", "line 2: it is no text in UTF-8"),
        (b"<<: 3", "line 1: `<<` stands before what is no object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (_BOMB, "too large"),
    ],
)
def test_what_is_neither_is_refused_with_its_line(content: bytes, says: str) -> None:
    with pytest.raises(ValueError, match="it is") as caught:
        parse_yaml(content)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_line_of_a_part_is_that_of_its_key() -> None:
    text = b"a:\n  b:\n  - c: 1\n  - d:\n      e: 2\n"
    assert line_of(text, ("a", "b", "1", "d", "e")) == 5
    assert line_of(text, ("a", "b", "7", "x")) == 2, "the nearest part that is there"
    assert line_of(text, ()) == 1
    assert line_of(b'{"a": {\n\t"b": "\\ud83d\\ude80",\n "c": [1,\n2]}}', ("a", "c", "1")) == 4
