"""Lies about values of the right form: another thing's id, another digest, another value, other numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import EACH, Field, changed, fields, rules
from contract_tests.mutants.lies.inference.rows import table_of, with_table
from contract_tests.mutants.lies.kinds import Kind, in_turn, of_json, of_success
from contract_tests.mutants.lies.wrong_fields import IN_EMPTY_LISTS
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.support.servers.asgi_exchanges import Answer

_ELSEWHERE = 1000
_NOBODYS_UUID = "00000000-0000-4000-8000-000000000000"
_OTHER_SHA = "0" * 64
_PLAIN = {"string", "integer", "number", "boolean"}


def _is_id(field: Field) -> bool:
    """Return whether a field is an id that is always there."""
    return (field.name == "id" or field.name.endswith("_id")) and "null" not in field.types


def _named(operation: str, wanted: Callable[[Field], bool]) -> list[Field]:
    present = [found for found in fields(operation) if not str(found).startswith(IN_EMPTY_LISTS)]
    return [found for found in present if wanted(found)]


def _mutants(
    operation: str, kind: str, found: list[Field], text: str, change: Callable[[Any], Any]
) -> Iterator[Mutant]:
    for field in found:
        lie = of_json(operation, lambda body, f=field: changed(body, f.path, change))
        yield Mutant(operation, kind, str(field), text.format(field), lie)


def _ids(operation: str) -> Iterator[Mutant]:
    ids = _named(operation, _is_id)
    text = "`{}` is that of another thing, in the last of its kind."
    yield from _mutants(operation, "foreign-id", in_turn(ids, operation), text, _foreign)


def _foreign(value: Any) -> Any:
    if isinstance(value, int):
        return value + _ELSEWHERE
    return _NOBODYS_UUID if isinstance(value, str) else value


def _shas(operation: str) -> Iterator[Mutant]:
    text = "`{}` is another digest, in the last of its kind."
    yield from _mutants(
        operation, "changed-sha", _named(operation, lambda field: field.name == "sha"), text, lambda _: _OTHER_SHA
    )


def _values(operation: str) -> Iterator[Mutant]:
    def is_value(field: Field) -> bool:
        kinds = set(field.types)
        return bool(_PLAIN & kinds) and "null" not in kinds and not _is_id(field)

    text = "`{}` has another value, in the last of its kind."
    found = _named(operation, lambda field: is_value(field) and field.name != "sha")
    yield from _mutants(operation, "other-value", in_turn(found, operation), text, _another)


def _another(value: Any) -> Any:
    """Return another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return value[::-1] if isinstance(value, str) else value


def _numbers(operation: str) -> Iterator[Mutant]:
    answer = rules().answer_schema(operation)
    row = rules().schemas.resolve(rules().schemas.resolve(answer).get("items", {}))
    if "out" not in object_of(row.get("properties")):
        return
    for where in ("out", "in"):
        lie = of_json(operation, lambda body, where=where: changed(body, (EACH, where), _shifted))
        yield Mutant(
            operation, "other-numbers", where, f"The numbers of `{where}` in the last row are larger by 1.", lie
        )
    yield Mutant(
        operation, "other-numbers", "order", "The rows come in the opposite order.", of_json(operation, _backwards)
    )
    yield Mutant(
        operation, "other-numbers", "arrow", "An Arrow answer has its last row twice.", of_success(operation, _doubled)
    )


def _shifted(value: Any) -> Any:
    """Return a value with all numbers larger by 1."""
    if isinstance(value, dict):
        return {name: _shifted(inner) for name, inner in object_of(value).items()}
    if isinstance(value, list):
        return [_shifted(inner) for inner in list_of(value)]
    return value + 1 if isinstance(value, int | float) and not isinstance(value, bool) else value


def _backwards(rows: Any) -> Any:
    """Return rows with their outputs in the opposite order."""
    found = list(map(object_of, list_of(rows)))
    outputs = [{name: row[name] for name in row if name.startswith("out")} for row in found]
    return [row | out for row, out in zip(found, outputs[::-1], strict=True)]


def _doubled(answer: Answer) -> Answer:
    """Return an Arrow answer with its last row twice; another answer as it is."""
    import pyarrow as pa

    if "arrow" not in answer.media_type:
        return answer
    table = table_of(answer.body)
    return with_table(answer, pa.concat_tables([table, table.slice(table.num_rows - 1)]))


KINDS = (
    Kind("foreign-id", "An id in the answer is that of another thing.", "Its answer has no id.", _ids),
    Kind("changed-sha", "A digest is not the file's.", "Its answer has no digest.", _shas),
    Kind(
        "other-value",
        "A field has another value of the same type.",
        "Its answer has no field beside ids that is always there.",
        _values,
    ),
    Kind("other-numbers", "A model's rows are wrong.", "It scores no rows.", _numbers),
)
