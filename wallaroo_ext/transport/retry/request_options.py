"""What a request may say about itself, as entries of httpx's `extensions=`."""

from __future__ import annotations

from typing import Final

OPERATION: Final = "wallaroo_ext.operation"
"""The contract's `operationId`, for a URL that the contract does not know."""

DEADLINE: Final = "wallaroo_ext.deadline"
"""The time for all attempts, in seconds, in place of the policy's; None for no end."""

STREAM: Final = "wallaroo_ext.stream"
"""True: the answer is given back before its body has come. An answer that breaks off is not asked for again then."""

ANSWER_LIMIT: Final = "wallaroo_ext.answer_limit"
"""How large the answer may be, in bytes, in place of the client's limit."""

MAX_DEADLINE: Final = "wallaroo_ext.longest"
"""The longest time for all attempts, in seconds, where the policy's deadline is longer."""
