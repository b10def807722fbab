"""Which parts of an answer are asked for, and how its names are joined: the parameters `dataset` of a request."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.column_names import SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

ALL = "*"
"""Asks for all parts; published clients send it, and it is the default of the instance, too."""

METADATA = "metadata"
"""The part that published clients leave out, unless it is named: it repeats the same texts in each row."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The parameters of a request; what is empty is not sent.

    Attributes:
        dataset: The parts that are wanted.
        exclude: The parts that are not.
        separator: The text that joins names.
    """

    dataset: tuple[str, ...] = (ALL,)
    exclude: tuple[str, ...] = (METADATA,)
    separator: str = SEPARATOR


DEFAULT = Selection()
"""What published clients send."""


def selection_of(
    dataset: str | Sequence[str],
    exclude: str | Sequence[str] | None,
    separator: str,
    *,
    left_out: Sequence[str] = (METADATA,),
) -> Selection:
    """Return the parameters for what a caller asks for.

    Args:
        dataset: The parts that are wanted.
        exclude: The parts to leave out; None for those of `left_out` that `dataset` does not name.
        separator: The text that joins names.
        left_out: The parts to leave out by default.

    Raises:
        InvalidDataError: A part or the separator is no text.
    """
    if not isinstance(separator, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may be untyped
        raise InvalidDataError(f"`dataset_separator` is a text, not {type(separator).__name__}.")
    wanted = _names("dataset", dataset)
    if exclude is None:
        exclude = [part for part in left_out if not any(_is_of(part, name) for name in wanted)]
    return Selection(wanted, _names("dataset_exclude", exclude), separator)


def _names(argument: str, value: str | Sequence[str]) -> tuple[str, ...]:
    given: Any = [value] if isinstance(value, str) else value
    if not isinstance(given, Collection) or not all(isinstance(name, str) for name in cast("Collection[Any]", given)):
        raise InvalidDataError(f"`{argument}` is the name of a part of the answer, or a list of names, not {value!r}.")
    return tuple(name for name in cast("Collection[str]", given) if name)


def _is_of(part: str, name: str) -> bool:
    return name == part or name.startswith(f"{part}{SEPARATOR}")


@lru_cache(maxsize=64)
def with_selection(url: httpx.URL, selection: Selection) -> httpx.URL:
    """Return a URL with the parameters, under the contract's names; a program has few of them."""
    if not (selection.dataset or selection.exclude or selection.separator):
        return url
    from wallaroo_mlops_client.api.inference import infer_deployment
    from wallaroo_mlops_client.types import UNSET

    arguments: dict[str, Any] = {
        "dataset": list(selection.dataset) or UNSET,
        "dataset_exclude": list(selection.exclude) or UNSET,
        "dataset_separator": selection.separator or UNSET,
    }
    return url.copy_merge_params(infer_deployment._get_kwargs("", **arguments)["params"])  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - how the generated client makes a request without sending it
