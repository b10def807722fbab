"""The errors of this package, one tree.

WallarooError
├── ConfigurationError            a setting is missing or contradicts another one
├── InvalidDataError              data that cannot be sent: of a wrong type, or no table
├── ConnectionFailedError         no answer came: the instance could not be reached, or the connection was lost
│   └── RequestTimeoutError       no answer came in the time that was given for it
├── AnswerError                   an answer came, and it is not the one that was asked for
│   ├── ApiError                  the instance answered with an error
│   │   ├── AuthenticationError   401; or no token was given for the credentials
│   │   ├── PermissionDeniedError 403
│   │   ├── NotFoundError         404
│   │   ├── ConflictError         409
│   │   ├── RateLimitedError      429
│   │   ├── InvalidRequestError   400 and every other 4xx: the request is wrong
│   │   ├── EngineError           the inference engine could not score the rows
│   │   └── ServerError           500 and above
│   ├── ContractViolationError    the answer is not what the contract says: another shape, HTML, a redirect
│   └── AnswerTooLargeError       the answer is larger than this client reads
├── AmbiguousError                several things fit what was asked for, and one was wanted
├── WaitTimeoutError              something did not happen in the time that was given for it
├── UploadCorruptedError          the instance stored other bytes than were sent
├── ConversionError               an uploaded model did not become ready
├── DeploymentError               a deployment ended in `Error`
└── ForkedError                   a forked process goes on with what its parent began

The text of an error is a sentence about what happened and one about what to do next, its `advice`. No message, repr,
attribute or pickle holds a token, a password or a secret. Errors can be pickled and copied with all their attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.terminal_text import visible
from wallaroo_ext.redaction.known_secrets import without_known_secrets

if TYPE_CHECKING:
    from wallaroo_ext.transport.retry.attempts import Attempt


class WallarooError(Exception):
    """The base of all errors of this package.

    Attributes:
        advice: What to do next, a sentence; empty where the message says it.
    """

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(without_known_secrets(message))
        self.advice = without_known_secrets(advice)

    def __str__(self) -> str:
        """Return the message and the advice, with what cannot be seen written out."""
        return visible(f"{super().__str__()} {self.advice}".rstrip())

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how it is pickled and copied: what it is made of, not how it is called, because that takes names."""
        return _restored, (type(self), self.args), self.__dict__


def _restored(kind: type[WallarooError], arguments: tuple[Any, ...]) -> WallarooError:
    """Return an error without its attributes, which follow."""
    return kind.__new__(kind, *arguments)


class ConfigurationError(WallarooError):
    """A setting is missing, or contradicts another one."""


class InvalidDataError(WallarooError):
    """Data that cannot be sent: of a type that is no table, or with columns of different lengths."""


class ConnectionFailedError(WallarooError):
    """No answer came: the instance could not be reached, or the connection was lost.

    Attributes:
        operation: The contract's `operationId`; empty where the request was none of an operation.
        attempts: What became of each attempt to send the request; `outcome` is a status, or the name of an exception.
    """

    def __init__(
        self, message: str, *, operation: str = "", attempts: tuple[Attempt, ...] = (), advice: str = ""
    ) -> None:
        super().__init__(message, advice=advice)
        self.operation = operation
        self.attempts = attempts


class RequestTimeoutError(ConnectionFailedError):
    """No answer came in the time that was given for it."""


class AnswerError(WallarooError):
    """An answer came, and it is not the one that was asked for.

    Attributes:
        operation: The contract's `operationId`; empty where the request was none of an operation.
        status: The answer's HTTP status.
        code: The code in the body, where the body has the API's form or the engine's; usually the status again.
        msg: What the body says, without secrets.
        request_id: What the instance calls the request in its own logs, for those who run it.
        body: The first 500 characters of the body, without secrets.
        attempts: What became of each attempt to send the request; `outcome` is a status, or the name of an exception.
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
    """No token was given for the credentials, or the instance refuses the token."""


class PermissionDeniedError(ApiError):
    """The instance knows the caller and does not allow the request."""


class NotFoundError(ApiError):
    """What the request names does not exist, or not for this caller."""


class ConflictError(ApiError):
    """What the request asks for contradicts what is there (409).

    The documents' releases answer 400 where a name is taken, which is an InvalidRequestError.
    """


class RateLimitedError(ApiError):
    """The caller has to wait before the next request, `retry_after` seconds where the instance says how long."""


class InvalidRequestError(ApiError):
    """The request is malformed, or what it asks for is not possible."""


class EngineError(ApiError):
    """The inference engine could not score the rows; the message says which field is wrong."""


class ServerError(ApiError):
    """The instance failed, or the gateway in front of it could not reach it."""


class ContractViolationError(AnswerError):
    """The answer is not what the contract says: another shape, no JSON, a redirect, a status that it does not have."""


class AnswerTooLargeError(AnswerError):
    """The answer is larger than this client reads; it was not read to its end."""


class AmbiguousError(WallarooError):
    """Several things fit what was asked for, and one was wanted.

    Attributes:
        candidates: What fits, one text each.
    """

    def __init__(self, message: str, *, candidates: list[str], advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.candidates = candidates


class WaitTimeoutError(WallarooError):
    """Something did not happen in the time that was given for it."""


class UploadCorruptedError(WallarooError):
    """The instance stored other bytes than were sent.

    Attributes:
        version_id: The id of the model version.
        sent_sha: The SHA-256 of what was sent, in hexadecimal.
        stored_sha: That of what is stored, as the instance says.
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
    """

    def __init__(self, message: str, *, version_id: int, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.version_id = version_id


class DeploymentError(WallarooError):
    """A deployment ended in `Error`.

    Attributes:
        details: What the instance and its pods say, one text each.
    """

    def __init__(self, message: str, *, details: list[str], advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.details = details


class ForkedError(WallarooError):
    """A forked process goes on with what its parent began, such as reading an answer: it has to begin that anew."""
