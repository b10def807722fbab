"""Makes runs of the contract suite by hand, for the tests of its report; some are of hostile instances."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

from wallaroo_ext import contract
from wallaroo_ext._util.arrow.files import MEDIA_TYPE as ARROW
from wallaroo_ext.conformance.drift.changes import Change, Drift
from wallaroo_ext.conformance.exchanges import Body, Exchange, redact_body, redact_headers
from wallaroo_ext.conformance.results import (
    Exclusion,
    Finding,
    LeftBehind,
    Notice,
    OperationRow,
    Run,
    Subject,
    TestOutcome,
)
from wallaroo_ext.conformance.rules import ALWAYS, CONTENT_TYPE, SCHEMA, STATUS, Rule, Rules, Source

URL = "https://api.wallaroo.example.com"
STARTED = 1_790_000_000.0
PREFIX = "conformance-4f1c-"
NO_BODY = Body(b"", 0)
JSON = (("content-type", "application/json"),)
SIGNED = (("Authorization", "Bearer not-a-real-token"), ("Content-Type", "application/json"), ("Accept", "*/*"))
_NOT_EXERCISED = {"invite_user": "A licence limits how many users there may be.", "deactivate_user": "--read-only"}


@cache
def _rules() -> Rules:
    return Rules(contract.load())


def rows() -> list[OperationRow]:
    """Return the operations of the contract, two of which were not exercised."""
    found = _rules().operations.values()
    return [
        OperationRow(
            each["operationId"],
            each["tags"][0],
            each["summary"],
            contract.operation(each["operationId"]).path,
            _NOT_EXERCISED.get(each["operationId"], ""),
        )
        for each in found
    ]


def run(**parts: Any) -> Run:
    """Return a run that found nothing, with other parts where some are given."""
    subject = Subject("live", URL, "Wallaroo MLOps API 0.1.0", "3f" * 32, PREFIX, 20_231, ("--allow-user-changes",))
    return replace(Run(subject, rows(), STARTED, 41.7), **parts)


def exchange(operation: str = "list_models", **parts: Any) -> Exchange:
    """Return an exchange of JSON, with other parts where some are given."""
    request, answer = b'{"workspace_id": 1}', json.dumps({"models": [{"id": "one", "name": "tumours"}]}).encode()
    usual: dict[str, Any] = {
        "operation": operation,
        "method": "POST",
        "url": URL + contract.operation(operation).path,
        "request_headers": redact_headers(SIGNED),
        "request": redact_body(request, "application/json"),
        "status": 200,
        "answer_headers": redact_headers((*JSON, ("date", "Wed, 25 Nov 2026 19:00:00 GMT"), ("set-cookie", "a=b"))),
        "answer": redact_body(answer, "application/json"),
        "started": STARTED + 3.5,
        "seconds": 0.042,
        "test": "contract_tests/instance/test_properties.py::test_examples[list_models]",
    }
    return Exchange(**(usual | parts))


def rule() -> Rule:
    """Return a rule with two sources."""
    return Rule(
        "#/components/schemas/Model/properties/id/type",
        "id:\n  description: The id of the model.\n  type: integer",
        (Source("mlops-api-tutorial", "List Models", "recorded"), Source("field-notes", "Models", "observed")),
    )


def finding(**parts: Any) -> Finding:
    """Return a finding of a wrong type, with other parts where some are given."""
    usual: dict[str, Any] = {
        "operation": "list_models",
        "check": SCHEMA,
        "message": '$.models[0].id: "one" is not of type "integer"',
        "rule": rule(),
        "exchange": exchange(),
        "test": "contract_tests/instance/test_properties.py::test_examples[list_models]",
    }
    return Finding(**(usual | parts))


def conforming() -> Run:
    """Return a run against an instance that keeps the contract."""
    made = run(subject=replace(run().subject, instance="sandbox", url="http://127.0.0.1:41237", options=()))
    _exercise(made, successes=12)
    made.tests += [TestOutcome(f"contract_tests/instance/test_meaning.py::test_{n}", "passed", 0.2) for n in range(40)]
    made.tests.append(TestOutcome("contract_tests/instance/test_users.py::test_invite", "skipped", 0, "--read-only"))
    return made


def early() -> Run:
    """Return a run that ended before it began."""
    reason = f"{URL} refused the sign-in (401, invalid_grant). Check WALLAROO_USER and WALLAROO_PASSWORD."
    return run(could_not_run=reason, seconds=0.3)


def _exercise(made: Run, successes: int) -> None:
    """Let every operation that may be tried succeed so often, and be refused twice."""
    for row in made.operations:
        if row.not_exercised:
            continue
        made.exchanges += [exchange(row.id)] * successes + [exchange(row.id, status=404)] * 2
        for check in (STATUS, CONTENT_TYPE, SCHEMA, ALWAYS, "not_a_server_error", "ignored_auth"):
            made.passed[row.id, check] += successes + 2


def failing() -> Run:
    """Return a run with everything in it that a report can show."""
    made = run(withheld=Counter({"undeploy_pipeline": 3, "set_assay_active": 1}), drift=drift())
    _exercise(made, successes=9)
    for broken in findings():
        made.add_check(broken.operation, broken.check, [broken])
    made.exchanges += [each.exchange for each in made.findings if each.exchange]
    made.exchanges = [
        each for each in made.exchanges if each.operation != "copy_pipeline" or each.status != 200
    ] + 3 * [exchange("copy_pipeline")]
    made.notices += [
        Notice("get_deployment_status", "$.engines[0].status", '"Degraded" is not among Pending, Running, Error.'),
        Notice("list_model_versions", "$[2].status", '"queued" is not among uploading, converting, ready, error.'),
    ]
    made.exclusions.append(
        Exclusion("negative_data_rejection", ("upload_model", "upload_model_stream"), "A part may have any type.")
    )
    made.left_behind += [LeftBehind("model", 1000 + number, f"{PREFIX}m{number}", 31) for number in range(110)]
    made.left_behind += [
        LeftBehind("workspace", 31, f"{PREFIX}w", None),
        LeftBehind("assay", 77, f"{PREFIX}a", 31, "inactive"),
        LeftBehind(
            "deployment", 812, f"{PREFIX}p-812", 31, "it could not be ended: the instance is gone", is_active=True
        ),
    ]
    undescribed = "The contract does not say what it writes (x-writes is missing)."
    made.operations.append(OperationRow("purge_models", "models", "Purge", "/purge", undescribed, is_described=False))
    made.withheld_because["undeploy_pipeline"] = ["$request.body#/pipeline_id 1 names no pipeline id of this run."]
    made.tests += [TestOutcome(f"contract_tests/instance/test_meaning.py::test_{n}", "passed", 0.2) for n in range(60)]
    made.tests += [
        TestOutcome("contract_tests/instance/test_properties.py::test_examples[list_models]", "failed", 1.25, "see it"),
        TestOutcome(
            "contract_tests/instance/test_state.py::test_chain",
            "error",
            2.5,
            "E   AssertionError: the sha256 that is listed is not that of the upload\nE   assert '3f3f' == '1a1a'",
        ),
        TestOutcome("contract_tests/instance/test_users.py::test_invite", "skipped", 0, "needs --allow-user-changes"),
    ]
    return made


def findings() -> list[Finding]:
    """Return many findings: some alike, some without an answer, some with bodies that are cut, binary or no JSON."""
    rules = _rules()
    schema = (*rules.locations["create_workspace"], "responses")
    unlisted = Finding(
        "create_workspace",
        STATUS,
        "The contract has no answer of status 418 for create_workspace.",
        rules.rule(schema),
        exchange("create_workspace", status=418, answer=redact_body(b"I am a teapot", "text/plain")),
        "contract_tests/instance/test_properties.py::test_fuzzing[create_workspace]",
    )
    words = ("one", "two", "three", "four")
    return [
        *[finding(message=f'$.models[{len(word)}].id: "{word}" is not of type "integer"') for word in words],
        finding(operation="get_model", exchange=exchange("get_model"), message='$.id: "one" is not of type "integer"'),
        finding(
            check=ALWAYS,
            message="$.models[0] has no `sha`, which every recording has.",
            rule=replace(rule(), pointer="#/components/schemas/Model/x-always", text="x-always:\n- sha\n- created_at"),
        ),
        unlisted,
        *_findings_with_odd_bodies(),
    ]


def _findings_with_odd_bodies() -> list[Finding]:
    upload = b"--b\r\nContent-Type: application/octet-stream\r\n\r\n" + bytes(range(256)) * 3 + b"\r\n--b--\r\n"
    multipart = "multipart/form-data; boundary=b"
    page = b"<html><title>502 Bad Gateway</title></html>"
    rows_sent = b"ARROW1\0\0" + bytes(200_000)
    closed = "The connection was closed."
    nothing = exchange("deploy_pipeline", status=0, answer=NO_BODY, answer_headers=(), error=closed)
    return [
        Finding(
            "upload_model",
            CONTENT_TYPE,
            "The answer has the media type text/html, and the contract has application/json.",
            rule(),
            exchange(
                "upload_model",
                request_headers=redact_headers((*SIGNED[:1], ("Content-Type", multipart))),
                request=redact_body(upload, multipart),
                answer_headers=(("content-type", "text/html"),),
                answer=redact_body(page, "text/html"),
                status=502,
            ),
            "contract_tests/instance/test_state.py::test_upload",
        ),
        Finding(
            "infer_pipeline",
            SCHEMA,
            '{"code": 1} is not of type "array"',
            rule(),
            exchange(
                "infer_pipeline",
                request_headers=redact_headers((*SIGNED[:1], ("Content-Type", ARROW))),
                request=redact_body(rows_sent, ARROW),
                answer=redact_body(json.dumps([{"time": 1, "out": [0.5] * 9000}]).encode(), "application/json"),
            ),
            "contract_tests/instance/test_state.py::test_inference",
        ),
        Finding("deploy_pipeline", "not_a_server_error", closed, None, nothing, "test_state.py::t"),
        Finding("undeploy_pipeline", "undeployed_is_gone", f"{PREFIX}p7 still answers after it was undeployed."),
    ]


def drift() -> Drift:
    """Return thirty changes, every third of which breaks a client."""
    names = [row.id for row in rows()]
    reasons = ("New fields are kept.", "Nobody needs it.", "A client may need this field, and it is gone.")
    kinds = ("added", "changed", "removed")
    changes = (
        Change(
            names[number],
            f"answer 200 $.items[*].field_{number}",
            kinds[number % 3],
            None if number % 3 == 0 else {"type": "integer"},
            None if number % 3 == 2 else {"type": ["integer", "null"], "description": "As the other side has it."},
            breaks=number % 3 == 2,
            reason=reasons[number % 3],
        )
        for number in range(30)
    )
    return Drift(f"{URL}/v1/api/docs/openapi.json", tuple(changes))


ATTACK = (
    "</pre></style></script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "{{ 7 * 7 }}{% raw %}&lt;' \" ` \x00\x1b[31m\x07\r\x7f\u202e\u2028\ud800 ]]> --> end"
)
"""A text of a hostile instance, which must only be shown and do nothing."""


def hostile() -> Run:
    """Return a run of an instance that has put an attack in everything that it could choose."""
    url = "javascript:document.title='owned'//\"><script>document.title='owned'</script>\ud800"
    body = ATTACK.encode("utf-8", errors="surrogatepass")
    text = json.dumps({ATTACK: ATTACK}).encode()
    bad = Rule(ATTACK, ATTACK, (Source(ATTACK, ATTACK, ATTACK),))
    headers = ((ATTACK, ATTACK), ("content-type", ATTACK))
    parts: dict[str, Any] = {"url": url, "request_headers": headers, "answer_headers": headers, "error": ATTACK}
    exchanges = [
        exchange(method=ATTACK, request=Body(body, len(body)), answer=Body(text, len(text)), test=ATTACK, **parts),
        exchange(status=0, request=Body(text, len(text)), answer=NO_BODY, **parts),
    ]
    made = run(
        subject=Subject("live", url, ATTACK, ATTACK, ATTACK, 1, (ATTACK,)),
        exchanges=exchanges,
        findings=[Finding(ATTACK, ATTACK, ATTACK * 3, bad, each, ATTACK) for each in exchanges],
        notices=[Notice(ATTACK, ATTACK, ATTACK)],
        exclusions=[Exclusion(ATTACK, (ATTACK,), ATTACK)],
        withheld=Counter({ATTACK: 2}),
        withheld_because={ATTACK: [ATTACK]},
        left_behind=[LeftBehind(ATTACK, ATTACK, ATTACK, ATTACK, ATTACK, is_active=True)],
        tests=[TestOutcome(ATTACK, outcome, 1.0, ATTACK) for outcome in ("failed", "skipped", "passed", ATTACK)],
        drift=Drift(ATTACK, (Change(ATTACK, ATTACK, "added", {ATTACK: float("nan")}, ATTACK, True, ATTACK),)),
    )
    made.operations.append(OperationRow("odd", ATTACK, ATTACK, ATTACK, ATTACK))
    made.failed[ATTACK, ATTACK] += 1
    return made
