"""Contains some shared types for properties"""

import datetime
import json
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from enum import Enum
from html import escape
from http import HTTPStatus
from reprlib import Repr
from typing import IO, Any, BinaryIO, Generic, Literal, TypeVar

from attrs import define, fields_dict


class Unset:
    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        return "UNSET"


UNSET: Unset = Unset()


def text_of(value: Any) -> str:
    """Return a value as it stands in a path, a header, a cookie, or a part of a form"""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return json.dumps(value) if isinstance(value, (bool, list, dict)) else str(value)


class _Hidden:
    """Stands for a secret in a repr"""

    def __repr__(self) -> str:
        return "[hidden]"


_HIDDEN = _Hidden()
_SECRETS = ("password", "secret", "token")
_ROWS, _COLUMNS = 20, 12


class ApiModel:
    """What all models share: a repr on one line, and a table in notebooks

    Both leave out what is unset, hide secrets, and cut what is long.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return _short.repr(self)

    def _repr_html_(self) -> str:
        shown = _shown(self)
        name = type(self).__name__
        if len(shown) == 1 and (items := _models_in(*shown.values())):
            columns = list(
                dict.fromkeys(
                    key
                    for item in items
                    for key, value in _shown(item).items()
                    if _is_flat(value)
                )
            )
            rows = [
                [_shown(item).get(column, "") for column in columns] for item in items
            ]
            return html_table(f"{name}: {len(items)} {', '.join(shown)}", rows, columns)
        return html_table(name, [list(pair) for pair in shown.items()])


def _shown(model: ApiModel) -> dict[str, Any]:
    """Return what a model shows of itself, by name"""
    values = {name: getattr(model, name) for name in fields_dict(type(model))}
    further = values.pop("additional_properties", {})
    return _without_secrets(
        {
            **{
                name: value
                for name, value in values.items()
                if not isinstance(value, Unset)
            },
            **further,
        }
    )


def _without_secrets(values: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return values with a sign in place of those whose name says that they are secret"""
    return {
        name: _HIDDEN
        if str(name).lower().endswith(_SECRETS) and value not in (None, "")
        else value
        for name, value in values.items()
    }


def _models_in(value: object) -> list[ApiModel]:
    """Return the models of a list; none for anything else"""
    items = value if isinstance(value, list) else []
    return items if all(isinstance(item, ApiModel) for item in items) else []


def _is_flat(value: object) -> bool:
    return not isinstance(value, (ApiModel, list, dict))


class _Short(Repr):
    """Writes values on one line: long ones cut, secrets hidden"""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 8
        self.maxlist = self.maxtuple = self.maxdict = 10
        self.maxstring = self.maxother = self.maxlong = 80

    def repr_instance(self, x: object, level: int) -> str:
        if not isinstance(x, ApiModel):
            return super().repr_instance(x, level)
        name = type(x).__name__
        if level <= 0:
            return f"{name}(...)"
        return f"{name}({', '.join(f'{key}={self.repr1(value, level - 1)}' for key, value in _shown(x).items())})"

    def repr_list(self, x: list[Any], level: int) -> str:
        if level <= 0 or len(x) <= self.maxlist:
            return super().repr_list(x, level)
        shown = ", ".join(self.repr1(item, level - 1) for item in x[: self.maxlist])
        return f"[{shown}, and {len(x) - self.maxlist} more]"

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        return super().repr_dict(_without_secrets(x), level)


_short = _Short()


def html_table(
    title: str, rows: Sequence[Sequence[object]], header: Iterable[str] = ()
) -> str:
    """Return a small table for notebooks, in the colours that the notebook has

    Args:
        title: The line above it.
        rows: The cells of each row; a long table is cut.
        header: The names of the columns; without them, the first cell of each row is its name.
    """
    names = list(header)[:_COLUMNS]
    head = "".join(f"<th>{_cell(name)}</th>" for name in names)
    lines = [f"<tr>{head}</tr>"] if names else []
    for row in rows[:_ROWS]:
        cells = [_cell(value) for value in row[:_COLUMNS]]
        first = "td" if names else "th"
        lines.append(
            f"<tr><{first}>{cells[0]}</{first}>{''.join(f'<td>{cell}</td>' for cell in cells[1:])}</tr>"
        )
    if len(rows) > _ROWS:
        lines.append(f"<tr><td>and {len(rows) - _ROWS} more</td></tr>")
    caption = (
        f'<caption style="caption-side: top; text-align: left">{_cell(title)}</caption>'
    )
    return f'<table style="text-align: left">{caption}{"".join(lines)}</table>'


def _cell(value: object) -> str:
    """Return the text of a cell"""
    is_text = (
        isinstance(value, str)
        and value.isprintable()
        and len(value) <= _short.maxstring
    )
    return escape(str(value) if is_text else _short.repr(value))


# The types that `httpx.Client(files=)` can accept, copied from that library.
FileContent = IO[bytes] | bytes | str
FileTypes = (
    # (filename, file (or bytes), content_type)
    tuple[str | None, FileContent, str | None]
    # (filename, file (or bytes), content_type, headers)
    | tuple[str | None, FileContent, str | None, Mapping[str, str]]
)
RequestFiles = list[tuple[str, FileTypes]]


@define
class File:
    """Contains information for file uploads"""

    payload: BinaryIO
    file_name: str | None = None
    mime_type: str | None = None

    def to_tuple(self) -> FileTypes:
        """Return a tuple representation that httpx will accept for multipart/form-data"""
        return self.file_name, self.payload, self.mime_type


T = TypeVar("T")


@define
class Response(Generic[T]):
    """A response from an endpoint"""

    status_code: HTTPStatus
    content: bytes
    headers: MutableMapping[str, str]
    parsed: T | None

    def __repr__(self) -> str:
        what = (
            f"{len(self.content)} bytes"
            if self.parsed is None
            else _short.repr(self.parsed)
        )
        return f"Response({int(self.status_code)}, {what})"

    def _repr_html_(self) -> str | None:
        return self.parsed._repr_html_() if isinstance(self.parsed, ApiModel) else None


__all__ = [
    "UNSET",
    "ApiModel",
    "File",
    "FileTypes",
    "RequestFiles",
    "Response",
    "Unset",
    "html_table",
    "text_of",
]
