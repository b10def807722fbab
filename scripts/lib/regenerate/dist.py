"""Makes the copies of the contract for other tools, in `openapi/dist/`: a JSON, a YAML, a JSON a release, and a page.

A copy says the same of requests and answers. It has no links, which generators refuse or ignore; every object of an
answer is open in so many words, without which they drop what a newer release adds; nothing that only this repository
reads; and no component that nothing refers to, as there is in the contract of a release.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

from scripts.lib.regenerate.contract_page import contract_page
from scripts.lib.regenerate.generated_files import difference_lines
from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.contract_checks import DATA, NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DIRECTORY = contract.path().parent / "dist"
NAME = "wallaroo-mlops"
PAGE = f"{NAME}.html"

_OWN = {"x-evidence", "x-names", "x-writes", "x-always", "links"}
"""The keys that only this repository reads, and links."""
_ABOUT = """\
Every operation is a POST with a bearer token. Requests and answers are JSON unless an operation says otherwise.


This is the copy for other tools, made by `scripts/regenerate` from `openapi/wallaroo-mlops.yaml`, which says of each
statement where it comes from. Answers require only what clients need, keep unknown fields, and have no closed
enumerations: the values known so far stand in `x-extensible-enum`. `x-one-of-required` lists the fields of which a
request needs at least one, and `x-idempotent` says whether a request may be sent twice.
"""


def copies() -> dict[str, str]:
    """Return the contents of the copies, by their file's name in `openapi/dist/`."""
    document = copy_of(contract.load())
    texts = {f"{NAME}.json": _as_json(document), f"{NAME}.yaml": as_yaml(document)}
    return texts | {
        f"{NAME}-{release}.json": _as_json(copy_of(contract.load(release))) for release in contract.RELEASES
    }


def write(directory: Path = DIRECTORY) -> None:
    """Write the copies and the page, and remove the copies that are no more."""
    texts = copies()
    (directory / PAGE).write_text(contract_page(), encoding="utf-8", newline="\n")
    for stale in _existing(directory) - texts.keys():
        (directory / stale).unlink()
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8", newline="\n")


def differences(directory: Path = DIRECTORY) -> list[str]:
    """Return a line for each copy that is not what the contract gives, and for the page if it is there and is not."""
    texts = copies()
    existing = _existing(directory)
    if (directory / PAGE).exists():  # it is not committed
        texts[PAGE] = contract_page()
        existing.add(PAGE)
    return difference_lines(texts.keys(), existing, lambda name: _read(directory / name) != texts[name])


def _existing(directory: Path) -> set[str]:
    return {file.name for file in directory.glob("*") if file.suffix in {".json", ".yaml"}}


def _read(file: Path) -> str:
    return file.read_bytes().decode("utf-8", errors="replace")


def copy_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return the copy of a contract for other tools. The contract is not changed."""
    copy: dict[str, Any] = _without_own(document)
    for schema in list(_answered(copy)):
        if schema.get("type") == "object":
            schema.setdefault("additionalProperties", True)
    copy["info"] = object_of(copy["info"]) | {"description": _ABOUT}
    _drop_unused(copy)
    return copy


def _without_own(value: Any, *, are_names: bool = False) -> Any:
    """Return a part of a contract, all of it copied, without what only this repository reads."""
    if isinstance(value, list):
        return [_without_own(inner) for inner in list_of(value)]
    if not isinstance(value, dict):
        return value
    if not are_names and len(choices := list_of(object_of(value).get("anyOf"))) == 1:  # an overlay took the others away
        value = object_of(choices[0]) | {key: inner for key, inner in object_of(value).items() if key != "anyOf"}
    kept = {key: inner for key, inner in object_of(value).items() if are_names or key not in _OWN}
    return {
        key: json.loads(json.dumps(inner))
        if key in DATA and not are_names
        else _without_own(inner, are_names=key in NAMES and not are_names)
        for key, inner in kept.items()
    }


def _answered(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the objects that answers consist of, schemas among them, each once."""
    waiting: list[Any] = [operation["responses"] for _, _, operation in contract.operations(document)]
    seen: set[str] = set()
    while waiting:
        value = waiting.pop()
        waiting += list_of(value)
        fields = object_of(value)
        if not fields:
            continue
        yield fields
        reference = fields.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            seen.add(reference)
            waiting.append(contract.resolve(document, {"$ref": reference}))
        waiting += [inner for key, inner in fields.items() if key not in DATA]


def _drop_unused(document: dict[str, Any]) -> None:
    """Remove the components that nothing refers to, until there are none."""
    kinds = [kind for kind in object_of(document["components"]) if kind != "securitySchemes"]
    unused = True
    while unused:
        text = json.dumps(document)
        unused = [
            (kind, name)
            for kind in kinds
            for name in document["components"][kind]
            if f'"#/components/{kind}/{name}"' not in text
        ]
        for kind, name in unused:
            del document["components"][kind][name]


def _as_json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


class _Dumper(yaml.SafeDumper):
    """Writes YAML that readers of 1.1 and 1.2 read alike: without anchors, and what looks like a number in quotes."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base class gives it
        """Return that a value is written out wherever it stands."""
        return True


_LIKE_A_NUMBER = re.compile(r"[-+.]?\d[\w.:+-]*")


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else "'" if _LIKE_A_NUMBER.fullmatch(text) else None
    made: yaml.Node = dumper.represent_scalar(  # pyright: ignore[reportUnknownMemberType] - its stub leaves a type out
        "tag:yaml.org,2002:str", text, style=style
    )
    return made


_Dumper.add_representer(str, _text)


def as_yaml(document: dict[str, Any]) -> str:
    """Return a contract as YAML, in its order."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
