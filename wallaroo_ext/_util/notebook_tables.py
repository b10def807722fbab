"""What objects of this package show in a notebook: a small table of their values."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class FieldsInNotebook:
    """A dataclass that notebooks show as a table of its fields: those of its repr that are not None."""

    def _repr_html_(self: DataclassInstance) -> str:
        from wallaroo_mlops_client.types import html_table

        shown = {field.name: getattr(self, field.name) for field in fields(self) if field.repr}
        return html_table(type(self).__name__, [pair for pair in shown.items() if pair[1] is not None])


def table_of(value: object, **shown: Any) -> str:
    """Return a table of what an object shows of itself, by name."""
    from wallaroo_mlops_client.types import html_table

    return html_table(type(value).__name__, list(shown.items()))
