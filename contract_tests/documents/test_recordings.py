"""Does the contract say what the documents recorded, and does the generated client read it?"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import httpx
import pytest
from wallaroo_mlops_client.types import UNSET

from contract_tests.support.recorded import (
    FOLDER,
    SPEC,
    answer_schema,
    answered,
    exchanges,
    files,
    module_of,
    operation_of,
    problems,
    recorded_answer,
    request_schema,
    requested,
    sent_body,
)
from wallaroo_ext._util.json_values import list_of
from wallaroo_ext.operations import parse

NO_DOCUMENT_HAS_IT = {
    "get_assay_by_id",
    "get_assay_results_between",
    "get_assay_results_v2",
    "get_assay_v2",
    "get_assay_v2_by_id",
    "get_model_upload_logs",
    "get_model_version_by_id",
    "get_next_assay_run_v2",
    "get_pipeline_by_name",
    "get_pipeline_logs",
    "get_pipeline_version",
    "get_topic_name",
    "get_topic_partitions",
    "get_topic_records",
    "insert_model_config",
    "list_pipelines",
    "preview_assay_baseline_v2",
    "preview_assay_v2",
    "schedule_assay_v2",
    "set_assay_v2_active",
    "summarize_assay_baseline",
}

# Where a section's recorded exchanges are not as many as the calls in its code.
UNCOUNTED = {
    ("api-essentials-guide", "Retrieve MLOps API Token"): 1,  # the call stands in a function that is defined elsewhere
    ("external-inference-url-tutorial", "Set Variables"): 1,  # the call stands in a function that is defined beside it
    ("pipeline-management-guide", "HTTP Headers"): 1,  # the line of the call was lost when the text was extracted
}


def headings() -> dict[str, dict[str, int]]:
    """Return the sections of the documents with the number of calls in each, counted in the documents themselves."""
    return json.loads((FOLDER / "headings.json").read_text(encoding="utf-8"))["documents"]


def test_every_call_of_the_documents_is_recorded() -> None:
    assert files().keys() == headings().keys()
    for document, sections in headings().items():
        recorded = Counter(exchange["heading"] for exchange in files()[document]["exchanges"])
        counted = {name: calls + UNCOUNTED.get((document, name), 0) for name, calls in sections.items()}
        assert recorded == {name: calls for name, calls in counted.items() if calls}, document


def test_every_documented_operation_is_recorded() -> None:
    assert {exchange["operation"] for exchange in exchanges()} == set(SPEC.operations) - NO_DOCUMENT_HAS_IT


def test_every_exchange_is_whole() -> None:
    ids = [exchange["id"] for exchange in exchanges()]
    assert len(ids) == len(set(ids)) > 100
    for exchange in exchanges():
        response = exchange["response"]
        assert "body" in response or "truncated_text" in response or response["shown"] is False, exchange["id"]
        assert response.get("shown", True) or response["reason"], exchange["id"]


def test_recordings_name_nobody_and_hold_no_token() -> None:
    text = json.dumps(files())
    assert {address.rpartition("@")[2] for address in re.findall(r"[\w.+-]+@[\w.-]+", text)} == {"example.com"}
    assert "eyJ" not in text


@pytest.mark.parametrize("exchange", requested())
def test_a_recorded_request_fits_the_contract(exchange: dict[str, Any]) -> None:
    assert problems(request_schema(exchange), sent_body(exchange)) == []


@pytest.mark.parametrize("exchange", [found for found in exchanges() if "query" in found["request"]])
def test_a_recorded_query_fits_the_contract(exchange: dict[str, Any]) -> None:
    parameters = {found["name"]: found for found in operation_of(exchange["operation"])["parameters"]}
    query = exchange["request"]["query"]
    assert {name for name, found in parameters.items() if found.get("required")} <= query.keys() <= parameters.keys()
    for name, value in query.items():
        assert problems(parameters[name]["schema"], value) == []


@pytest.mark.parametrize("exchange", answered())
def test_a_recorded_answer_fits_the_contract(exchange: dict[str, Any]) -> None:
    assert problems(answer_schema(exchange["operation"]), recorded_answer(exchange)) == []


@pytest.mark.parametrize("exchange", answered())
def test_the_client_reads_a_recorded_answer_and_gives_the_same_json_back(exchange: dict[str, Any]) -> None:
    name, body = exchange["operation"], recorded_answer(exchange)
    response = httpx.Response(SPEC.operations[name].success, content=json.dumps(body))
    assert as_json(parse(module_of(name), response)) == body


def as_json(parsed: Any) -> Any:
    if isinstance(parsed, list):
        return [as_json(item) for item in list_of(parsed)]
    return parsed if parsed is None or parsed is UNSET else parsed.to_dict()
