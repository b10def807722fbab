"""Looking something up in what an instance lists: the sentences for what is not there, and for what fits twice."""

from __future__ import annotations

from difflib import get_close_matches
from http import HTTPStatus
from typing import TYPE_CHECKING

from wallaroo_ext.errors import AmbiguousError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHOWN = 10


def not_there(
    operation: str, what: str, *, known: Mapping[str, str] | None = None, wanted: str = "", advice: str = ""
) -> NotFoundError:
    """Return the error for what an instance does not list.

    Its `status` is 404, as if the instance had been asked for the thing itself.

    Args:
        operation: The operation whose answer does not have it.
        what: A sentence that says so.
        known: What the instance lists instead: by its name, how it is shown.
        wanted: The name that was looked for, for near ones to be found.
        advice: What to do next, where nothing is known that could be listed.
    """
    advice = advice if known is None else _advice(wanted, known)
    return NotFoundError(what, operation=operation, status=HTTPStatus.NOT_FOUND, msg=what, advice=advice)


def _advice(wanted: str, known: Mapping[str, str]) -> str:
    """Return the names that are near the wanted one, else all that there are."""
    by_folded = {name.casefold(): shown for name, shown in known.items()}
    near = [by_folded[name] for name in get_close_matches(wanted.casefold(), by_folded, n=3)]
    if near:
        return f"Near names: {_listed(near)}."
    return f"There are: {_listed(list(known.values()))}." if known else "There are none."


def fits_twice(what: str, candidates: Sequence[str], advice: str) -> AmbiguousError:
    """Return the error for what several things fit.

    Args:
        what: What is not clear, without a full stop.
        candidates: What fits.
        advice: How to say it clearly.
    """
    return AmbiguousError(f"{what}: {_listed(candidates)}.", candidates=list(candidates), advice=advice)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
