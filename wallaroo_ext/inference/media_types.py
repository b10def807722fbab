"""The formats of inference requests and answers, with the media types that the contract gives them."""

from __future__ import annotations

from functools import cache
from typing import Literal, get_args

from wallaroo_ext import contract
from wallaroo_ext.errors import InvalidDataError

Wire = Literal["arrow", "pandas-records", "json"]
"""The format of rows: an Arrow file, JSON records, or JSON columns, which are all that the oldest releases take."""

OPERATION = "infer_pipeline"
JSON = "application/json"


def check_wire(wire: object) -> None:
    """Raise InvalidDataError unless this is a format of rows."""
    if wire not in get_args(Wire):
        raise InvalidDataError(f"`wire` is one of {', '.join(get_args(Wire))}, not {wire!r}.")


@cache
def request_type(wire: Wire) -> str:
    """Return the media type of a request in this format.

    Raises:
        InvalidDataError: There is no such format.
    """
    check_wire(wire)
    kinds = contract.operation("infer_deployment").request_types  # the older URL's, which are all that there are
    if wire == "json":
        return next(kind for kind in kinds if kind == JSON)
    return next(kind for kind in kinds if wire in kind)


def answer_type(wire: Wire) -> str:
    """Return the media type to ask for in the answer."""
    return arrow_media_type() if wire == "arrow" else JSON


def arrow_media_type() -> str:
    """Return the media type of an Arrow file."""
    return request_type("arrow")
