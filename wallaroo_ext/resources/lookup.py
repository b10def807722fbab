"""Errors for a name that an instance does not list, or that fits several things."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from wallaroo_ext._util.near_names import near_names
from wallaroo_ext.errors import AmbiguousError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SHOWN = 10
NEAR = "Near names: "
"""How the advice of an error begins that names similar things."""


def not_found_error(
    operation: str, what: str, *, known: Mapping[str, str] | None = None, wanted: str = "", advice: str = ""
) -> NotFoundError:
    """Return the error for something that an instance does not list.

    Its `status` is 404, as if the instance had been asked for the thing itself.

    Args:
        operation: The operation whose answer does not have it.
        what: A sentence that says so.
        known: The things that the instance lists: how each is shown, by its name.
        wanted: The name that was looked for, to find similar ones.
        advice: What to do next, where there is no `known`.
    """
    advice = advice if known is None else _advice(wanted, known)
    return NotFoundError(what, operation=operation, status=HTTPStatus.NOT_FOUND, msg=what, advice=advice)


def near_or_all(wanted: str, known: Iterable[str]) -> str:
    """Return a sentence with the names that are similar to the wanted one, or else with all."""
    return _advice(wanted, {name: name for name in known})


def _advice(wanted: str, known: Mapping[str, str]) -> str:
    """Return a sentence with the names that are similar to the wanted one, or else with all."""
    near = [known[name] for name in near_names(wanted, known)]
    if near:
        return f"{NEAR}{_listed(near)}."
    return f"There are: {_listed(list(known.values()))}." if known else "There are none."


def ambiguous_error(what: str, candidates: Sequence[str], advice: str) -> AmbiguousError:
    """Return the error for a name that fits several things.

    Args:
        what: What is not clear, without a full stop.
        candidates: The things that fit.
        advice: How to make it clear.
    """
    return AmbiguousError(f"{what}: {_listed(candidates)}.", candidates=list(candidates), advice=advice)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
