"""Judges what an instance answers to a method that the contract does not have for a path: by HTTP, RFC 9110.

Gateways answer such requests themselves, each in its way: 405 with `Allow` or without, 501, 404, 403 or 400. All of
them refuse. `Allow` is due where the answer is the API's own, and what `Allow` lists in an answer to OPTIONS may be the
gateway's: that what the contract has is among it is all that is asked.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from schemathesis import checks
from schemathesis.core.transport import HTTP_METHODS_SCHEMA
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario
from schemathesis.openapi.checks import AllowHeaderMismatch, UnsupportedMethodResponse

if TYPE_CHECKING:
    from collections.abc import Callable

_ANSWERED_BY_ANYBODY = {"OPTIONS", "HEAD"}
"""Methods that servers answer for any path, whatever is behind it."""
_TRACED = "message/http"
_NOT_MADE = True
"""What a check returns in place of None where it has nothing to look at, so that it does not count as passed."""


def unsupported_method(_: Any, response: Any, case: Any) -> bool | None:
    """Check that a method which the contract does not have is refused, and how, where the API itself does so."""
    data = case.meta.phase.data
    if not isinstance(data, CoveragePhaseData) or data.scenario != CoverageScenario.UNSPECIFIED_HTTP_METHOD:
        return _NOT_MADE
    method, status, kind = response.request.method, response.status_code, _media_type(response)
    if is_refusal(method, status, kind):
        if status == HTTPStatus.METHOD_NOT_ALLOWED and "json" in kind:
            missing = ", ".join(sorted(method.upper() for method in _declared(case) - _allowed(response)))
            what = f"has no {missing} in `Allow`" if response.headers.get("allow") else "has no `Allow`"
            if missing:
                raise _failure(case, method, status, f"{what}, which 405 has by RFC 9110", "missing_allow_header")
        return None
    raise _failure(case, method, status, "is no refusal of a method that the contract does not have", "wrong_status")


def is_refusal(method: str, status: int, kind: str) -> bool:
    """Return whether an answer is what HTTP has for a method that is not supported.

    Args:
        method: The method.
        status: The status.
        kind: The media type; empty where there is none.
    """
    if method in _ANSWERED_BY_ANYBODY or status == HTTPStatus.NOT_IMPLEMENTED:
        return status < HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.NOT_IMPLEMENTED
    if method == "TRACE" and status == HTTPStatus.OK:
        return kind == _TRACED  # the request comes back, as HTTP says
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def _failure(case: Any, method: str, status: int, what: str, reason: Any) -> UnsupportedMethodResponse:
    return UnsupportedMethodResponse(
        operation=case.operation.label,
        method=method,
        status_code=status,
        failure_reason=reason,
        message=f"The answer {status} to {method} {what}.",
    )


def allow_header_conformance(_: Any, response: Any, case: Any) -> bool | None:
    """Check that the methods which an answer to OPTIONS lists in `Allow` include those of the contract."""
    values = response.headers.get("allow")
    if response.request.method != "OPTIONS" or not values:
        return _NOT_MADE
    listed = _allowed(response)
    missing = sorted(method.upper() for method in _declared(case) - listed)
    if not missing:
        return None
    if not listed - {"", "options", "head", "get"}:
        return _NOT_MADE
    raise AllowHeaderMismatch(
        operation=case.operation.label,
        allow_header=", ".join(values),
        missing_methods=missing,
        undocumented_methods=[],
        message=f"`Allow: {', '.join(values)}` lacks {', '.join(missing)}, which the contract has.",
    )


def _allowed(response: Any) -> set[str]:
    """Return the methods that an answer lists in `Allow`, in lower case."""
    return {method.strip().lower() for method in ",".join(response.headers.get("allow") or ()).split(",")}


def _declared(case: Any) -> set[str]:
    """Return the methods that the contract has for the path of a case, in lower case."""
    return {method.lower() for method in case.operation.schema[case.operation.path]} & HTTP_METHODS_SCHEMA


def _media_type(response: Any) -> str:
    return next(iter(response.headers.get("content-type") or ()), "").partition(";")[0].strip().lower()


def not_a_server_error(context: Any, response: Any, case: Any) -> bool | None:
    """Check that an answer is no error of the server; 501 refuses a method as 405 does."""
    is_undeclared = case.method.lower() != case.operation.method.lower()
    if is_undeclared and response.status_code == HTTPStatus.NOT_IMPLEMENTED:
        return _NOT_MADE
    return cast("Any", checks).not_a_server_error(context, response, case)


OWN_CHECKS: dict[str, Callable[[Any, Any, Any], bool | None]] = {
    check.__name__: check for check in (unsupported_method, allow_header_conformance, not_a_server_error)
}
"""The checks that are made in place of those of schemathesis, by their names."""
