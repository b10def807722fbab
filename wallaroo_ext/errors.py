"""The errors of this package, one tree.

WallarooError
├── ConfigurationError            a setting is missing or contradicts another one
├── InvalidDataError              data that cannot be sent: of a wrong type, or no table
├── ConnectionFailedError         no answer came: the instance could not be reached, or the connection was lost
│   └── RequestTimeoutError       no answer came in time
├── AnswerError                   an answer came, but not the one that was asked for
│   ├── ApiError                  the instance answered with an error
│   │   ├── AuthenticationError   401; or the credentials were refused
│   │   ├── PermissionDeniedError 403
│   │   ├── NotFoundError         404
│   │   ├── ConflictError         409
│   │   ├── RateLimitedError      429
│   │   ├── InvalidRequestError   400 and every other 4xx: the request is wrong
│   │   ├── EngineError           the inference engine could not score the rows
│   │   └── ServerError           500 and above
│   ├── ContractViolationError    the answer is not what the contract says: another shape, HTML, a redirect
│   └── AnswerTooLargeError       the answer is larger than this client reads
├── AmbiguousError                several things match what was asked for, and one was wanted
├── WaitTimeoutError              something did not happen in time
├── UploadCorruptedError          the instance stored other bytes than were sent
├── ConversionError               an uploaded model did not become ready
├── DeploymentError               a deployment stayed in `Error`
└── ForkedError                   a forked process continues what its parent started

What starts and steers a sandbox has two more: `SandboxFailedError` in `sandbox.process`, and `SandboxControlError` in
`sandbox.control_client`.

The text of an error is a sentence about what happened and one about what to do next, its `advice`. No message, repr,
attribute or pickle holds a token, a password or a secret. Errors can be pickled and copied with all their attributes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from wallaroo_ext.redaction.known_secrets import remove_known_secrets
from wallaroo_ext.redaction.terminal_text import printable_lines


class Attempt(NamedTuple):
    """One time that a request was sent.

    Attributes:
        outcome: The answer's status, or the name of httpx's exception.
        seconds: How long it took.
        pause: How long the client waited afterwards, in seconds; None after the last attempt.
        stopped: Why there was no further attempt, if another one might have helped.
    """

    outcome: str
    seconds: float
    pause: float | None = None
    stopped: str | None = None


class WallarooError(Exception):
    """The base of all errors of this package.

    Attributes:
        advice: What to do next, a sentence; empty if the message says it.
    """

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(remove_known_secrets(message))
        self.advice = remove_known_secrets(advice)

    def __str__(self) -> str:
        """Return the message and the advice, with unprintable characters escaped."""
        return printable_lines(f"{super().__str__()} {self.advice}".rstrip())

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to pickle and copy the error: by its attributes, because `__init__` takes keywords."""
        return _restore, (type(self), self.args), self.__dict__


def _restore(kind: type[WallarooError], arguments: tuple[Any, ...]) -> WallarooError:
    """Return an error without its attributes, which pickle adds afterwards."""
    return kind.__new__(kind, *arguments)


def _without_known_secrets(texts: list[str]) -> list[str]:
    """Return texts without the secrets that this process holds."""
    return [remove_known_secrets(text) for text in texts]


class ConfigurationError(WallarooError):
    """A setting is missing, or contradicts another one."""


class InvalidDataError(WallarooError):
    """Data that cannot be sent: of a type that is no table, or with columns of different lengths."""


class ConnectionFailedError(WallarooError):
    """No answer came: the instance could not be reached, or the connection was lost.

    Attributes:
        operation: The contract's `operationId`; empty where the request was none of an operation.
        attempts: The attempts to send the request.
    """

    def __init__(
        self, message: str, *, operation: str = "", attempts: tuple[Attempt, ...] = (), advice: str = ""
    ) -> None:
        super().__init__(message, advice=advice)
        self.operation = operation
        self.attempts = attempts


class RequestTimeoutError(ConnectionFailedError):
    """No answer came in time."""


class AnswerError(WallarooError):
    """An answer came, but not the one that was asked for.

    Attributes:
        operation: The contract's `operationId`; empty where the request was none of an operation.
        status: The answer's HTTP status.
        code: The code in the body, if it has the API's form or the engine's; usually the same as the status.
        msg: What the body says, without secrets.
        request_id: The id of the request in the instance's own logs, for those who run it.
        body: The first 500 characters of the body, without secrets.
        attempts: The attempts to send the request.
        retry_after: How long the instance asks to wait before the next request, in seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        operation: str = "",
        code: int | None = None,
        msg: str | None = None,
        request_id: str | None = None,
        body: str = "",
        attempts: tuple[Attempt, ...] = (),
        retry_after: float | None = None,
        advice: str = "",
    ) -> None:
        super().__init__(message, advice=advice)
        self.operation = operation
        self.status = status
        self.code = code
        self.msg = msg
        self.request_id = request_id
        self.body = body
        self.attempts = attempts
        self.retry_after = retry_after


class ApiError(AnswerError):
    """The instance answered with an error."""


class AuthenticationError(ApiError):
    """The credentials were refused, or the instance refuses the token."""


class PermissionDeniedError(ApiError):
    """The instance knows the caller and does not allow the request."""


class NotFoundError(ApiError):
    """What the request names does not exist, or this caller may not see it."""


class ConflictError(ApiError):
    """The request contradicts the state of the instance (409).

    The documented releases answer 400 if a name is taken, which is an InvalidRequestError.
    """


class RateLimitedError(ApiError):
    """The caller has to wait before the next request: `retry_after` seconds, if the instance says how long."""


class InvalidRequestError(ApiError):
    """The request is malformed, or asks for something impossible."""


class EngineError(ApiError):
    """The inference engine could not score the rows; the message says which field is wrong."""


class ServerError(ApiError):
    """The instance failed, or the gateway in front of it could not reach it."""


class ContractViolationError(AnswerError):
    """The answer is not what the contract says: another shape, no JSON, a redirect, an unknown status."""


class AnswerTooLargeError(AnswerError):
    """The answer is larger than this client reads; it was not read to its end."""


class AmbiguousError(WallarooError):
    """Several things match what was asked for, and one was wanted.

    Attributes:
        candidates: What matches, one text each.
    """

    def __init__(self, message: str, *, candidates: list[str], advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.candidates = _without_known_secrets(candidates)


class WaitTimeoutError(WallarooError):
    """Something did not happen in time."""


class UploadCorruptedError(WallarooError):
    """The instance stored other bytes than were sent.

    Attributes:
        version_id: The id of the model version.
        sent_sha: The SHA-256 of what was sent, in hexadecimal.
        stored_sha: The SHA-256 of what is stored, as the instance reports it.
    """

    def __init__(self, message: str, *, version_id: int, sent_sha: str, stored_sha: str, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.version_id = version_id
        self.sent_sha = sent_sha
        self.stored_sha = stored_sha


class ConversionError(WallarooError):
    """An uploaded model's conversion ended in `error`.

    Attributes:
        version_id: The id of the model version.
        logs: The lines that were logged while it was converted, without secrets; none where the release keeps no log.
    """

    def __init__(self, message: str, *, version_id: int, logs: list[str] | None = None, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.version_id = version_id
        self.logs = _without_known_secrets(logs or [])


class DeploymentError(WallarooError):
    """A deployment stayed in `Error`.

    Attributes:
        details: What the instance and its pods say, one text each, without secrets.
    """

    def __init__(self, message: str, *, details: list[str], advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.details = _without_known_secrets(details)


class ForkedError(WallarooError):
    """A forked process continues what its parent started, such as reading an answer: it has to start again."""
