"""The errors of this package, one tree.

WallarooError
├── ConfigurationError        a setting is missing or contradicts another one
├── AuthenticationError       no token was given for the credentials, or the instance refuses the token
├── ConnectionFailedError     the instance could not be reached, or the connection was lost
├── WaitTimeoutError          something did not happen in the time that was given for it
├── InvalidDataError          data that cannot be sent: of a wrong type, or no table
├── ApiError                  the instance answered with an error
│   ├── InvalidRequestError   400, 405, 413, 415: the request is wrong
│   ├── PermissionDeniedError 403
│   ├── NotFoundError         404
│   ├── RateLimitedError      429
│   ├── EngineError           the inference engine could not score the rows
│   └── ServerError           500 and above
├── ContractViolationError    the answer is not what the contract says: another shape, HTML, an unknown status
├── ConversionError           an uploaded model did not become ready
└── DeploymentError           a deployment ended in `Error`

No message, repr or attribute holds a token, a password or a secret.
"""

from __future__ import annotations

import re

_BODY_LIMIT = 500
_REMOVED = "[removed]"
_SECRETS = re.compile(
    r"""(?ix)
    eyJ[\w-]+ (?:\.[\w-]*){0,2}                                                     # a JSON web token, whole or cut off
    | (?P<scheme> (?:bearer|basic) \s+ ) [\w.~+/=-]+
    | (?P<name> ["']? [\w-]*(?:token|password|secret) ["']? \s*[:=]\s* ) (?: "[^"]*"? | '[^']*'? | [^\s&,;}]+ )
    """
)


def excerpt(body: bytes) -> str:
    """The first 500 bytes of a body as text, without secrets."""
    return redacted(body[:_BODY_LIMIT].decode("utf-8", errors="replace"))


def redacted(text: str) -> str:
    """A text with what looks like a secret taken out."""
    return _SECRETS.sub(lambda found: f"{found['scheme'] or found['name'] or ''}{_REMOVED}", text)


class WallarooError(Exception):
    """The base of all errors of this package."""


class ConfigurationError(WallarooError):
    """A setting is missing, or contradicts another one."""


class AuthenticationError(WallarooError):
    """No token was given for the credentials, or the instance refuses the token.

    Attributes:
        status: The HTTP status of the refusal.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class ConnectionFailedError(WallarooError):
    """The instance could not be reached in time, or the connection was lost."""


class WaitTimeoutError(WallarooError):
    """Something did not happen in the time that was given for it."""


class InvalidDataError(WallarooError):
    """Data that cannot be sent: of a type that is no table, or with columns of different lengths."""


class _AnswerError(WallarooError):
    """An answer that is not the one that was asked for.

    Attributes:
        operation: The contract's `operationId`.
        status: The answer's HTTP status.
        body: The first 500 bytes of the answer, without secrets.
    """

    def __init__(self, message: str, *, operation: str, status: int, body: str) -> None:
        super().__init__(message)
        self.operation = operation
        self.status = status
        self.body = body


class ApiError(_AnswerError):
    """The instance answered with an error."""


class InvalidRequestError(ApiError):
    """The request is malformed, or what it asks for is not possible."""


class PermissionDeniedError(ApiError):
    """The instance knows the caller and does not allow the request."""


class NotFoundError(ApiError):
    """What the request names does not exist, or not for this caller."""


class RateLimitedError(ApiError):
    """The caller has to wait before the next request."""


class EngineError(ApiError):
    """The inference engine could not score the rows; the message says which field is wrong."""


class ServerError(ApiError):
    """The instance failed."""


class ContractViolationError(_AnswerError):
    """The answer is not what the contract says: another shape, no JSON, an unknown status."""


class ConversionError(WallarooError):
    """An uploaded model's conversion ended in `error`.

    Attributes:
        version_id: The id of the model version.
    """

    def __init__(self, message: str, *, version_id: int) -> None:
        super().__init__(message)
        self.version_id = version_id


class DeploymentError(WallarooError):
    """A deployment ended in `Error`.

    Attributes:
        details: What the instance and its pods say, one text each.
    """

    def __init__(self, message: str, *, details: list[str]) -> None:
        super().__init__(message)
        self.details = details
