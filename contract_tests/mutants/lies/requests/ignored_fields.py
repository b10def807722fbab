"""Lies about fields that a request need not have: filters that are ignored, and what is accepted and forgotten."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.asking import ask_instead
from contract_tests.mutants.lies.fields import rules, without, writes
from contract_tests.mutants.lies.inference.logged import has_logged_rows
from contract_tests.mutants.lies.inference.rows import scores_rows
from contract_tests.mutants.lies.kinds import Kind
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.support.servers.asgi_exchanges import Answer

Path = tuple[str, ...]

_JSON, _MULTIPART = "application/json", "multipart/form-data"
_DEEPEST = 4
_METADATA = re.compile(rb'(name="metadata".*?\r\n\r\n)(.*?)(\r\n--)', re.DOTALL)
_BY_HAND = {
    "invite_user": {"password"},
    "add_workspace_user": {"user_type"},
    "insert_model_config": {"tensor_fields", "filter_threshold"},
    "create_pipeline": {"definition"},
    "copy_pipeline": {"pipeline_version"},
    "deploy_pipeline": {"models", "model_ids"},
}
"""The fields that `writes_and_times` has mutants of."""

_NO_LIES = {
    "*.summarizer.bin_width": "No source shows a value of it.",
    "*.iopath": "It is for releases before 2023.4, and these mutants are of the newest one.",
    "run_interactive_assay*.model_insights_url": "It is for people, who find the results of stored assays there.",
    "run_interactive_assay_baseline.window.*": "A baseline is compared with itself, whatever the window is.",
    "run_interactive_assay_baseline.run_until": "A baseline is compared with itself, however long the assay is run.",
    "*.fixed_window.interval": "A fixed window is a single one.",
    "summarize_assay_baseline.summarizer.bin_weights": "A distribution has no scores, which weights are for.",
    "preview_assay_baseline_v2.*.bin_weights": "A distribution has no scores, which weights are for.",
    "*.summarizer.provided_edges": "Without them, no edges can be provided; `other-summarizer` has another mode.",
    "*.fixed_window.start": "Without it, there is no time to take rows of.",
    "get_topic_name.workspace_id": "Without it, there is no topic to name.",
}
"""The fields that an instance can ignore and tell the truth, or cannot do without, with the reasons."""


def optional_fields(operation: str, media_type: str = _JSON) -> Iterator[Path]:
    """Yield the paths of the fields that a request need not have, none of them below another one of a single use.

    Args:
        operation: The contract's `operationId`.
        media_type: The media type of its body.
    """
    content = rules().request_content(operation).get(media_type, {})
    for path in dict.fromkeys(_optional(content.get("schema", {}), ())):
        if not any(fnmatchcase(".".join((operation, *path)), pattern) for pattern in _NO_LIES):
            yield path


def _optional(schema: dict[str, Any], path: Path) -> Iterator[Path]:
    schema = rules().schemas.resolve(schema)
    if len(path) >= _DEEPEST:
        return
    for kind in ("allOf", "anyOf", "oneOf"):
        for inner in list_of(schema.get(kind)):
            yield from _optional(inner, path)
    required = [*list_of(schema.get("required")), *list_of(schema.get("x-one-of-required"))]
    is_choice = bool(path) and not required  # of one of several fields, of which none can be left out
    for name, inner in object_of(schema.get("properties")).items():
        if name not in required and not is_choice:
            yield (*path, name)
        yield from _optional(inner, (*path, name))


def _ignored(operation: str) -> Iterator[Mutant]:
    """Yield the mutants that ignore a field of a request which reads."""
    if writes(operation) or has_logged_rows(operation) or not rules().takes_token(operation):
        return
    for path in optional_fields(operation):
        where = ".".join(path)
        yield Mutant(operation, "field-ignored", where, f"`{where}` is ignored.", _without(operation, path))


def _forgotten(operation: str) -> Iterator[Mutant]:
    """Yield the mutants that forget a field of a request which writes."""
    if not writes(operation) or scores_rows(operation):
        return
    for path in optional_fields(operation):
        where = ".".join(path)
        if where not in _BY_HAND.get(operation, ()):
            text = f"What is sent as `{where}` is forgotten."
            yield Mutant(operation, "forgets", where, text, _without(operation, path))
    for path in optional_fields(operation, _MULTIPART):
        if len(path) > 1 and path[0] == "metadata":
            where = ".".join(path)
            text = f"What is sent as `{where}` is forgotten."
            yield Mutant(operation, "forgets", where, text, _without_metadata(operation, path[1:]))


def _without(operation: str, path: Path) -> Lie:
    """Return a lie that leaves a field out of each request that is good without it, too."""

    async def lie(exchange: Exchange) -> Answer:
        body = exchange.request.json
        changed = without(body, path)
        if changed == body:
            return await exchange.ask()
        return await ask_instead(operation, exchange, exchange.request.with_json(changed), accepts_more=True)

    return lie


def _without_metadata(operation: str, path: Path) -> Lie:
    async def lie(exchange: Exchange) -> Answer:
        found = _METADATA.search(exchange.request.body)
        if found is None:
            return await exchange.ask()
        try:
            body = json.loads(found[2])
        except ValueError:
            return await exchange.ask()
        changed = without(body, path)
        if changed == body:
            return await exchange.ask()
        start, end = found.span(2)
        whole = exchange.request.body
        request = exchange.request.with_body(whole[:start] + json.dumps(changed).encode() + whole[end:])
        return await ask_instead(operation, exchange, request, accepts_more=True)

    return lie


KINDS = (
    Kind("field-ignored", "A field of a request is ignored.", "It reads by no field that may be left out.", _ignored),
    Kind("forgets", "An accepted field is forgotten.", "It writes no field that may be left out.", _forgotten),
)
