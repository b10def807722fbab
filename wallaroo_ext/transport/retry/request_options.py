"""Options of a single request, as keys of httpx's `extensions=`."""

from __future__ import annotations

from typing import Final

OPERATION: Final = "wallaroo_ext.operation"
"""The contract's `operationId`, for a URL that the contract does not know."""

DEADLINE: Final = "wallaroo_ext.deadline"
"""The time for all attempts, in seconds, instead of the policy's; None for no limit."""

STREAM: Final = "wallaroo_ext.stream"
"""True to return the answer before its body has come. If it breaks off, the request is not sent again."""

ANSWER_LIMIT: Final = "wallaroo_ext.answer_limit"
"""The largest answer, in bytes, instead of the client's limit."""

MAX_DEADLINE: Final = "wallaroo_ext.longest"
"""A limit on the policy's deadline, in seconds."""

PROXY: Final = "wallaroo_ext.proxy"
"""The proxy that the request went through, which the connections note for messages."""

ON_ANSWER: Final = "wallaroo_ext.on_answer"
"""A function that is called when an answer begins to come. It returns the function that takes each part of the body,
which the answer has as a whole in the end all the same."""
