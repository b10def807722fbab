"""Sending a request again if that is safe: what may be sent again, when, and how often.

`transport.RetryTransport` does it; it is imported when a client is made.
"""

from wallaroo_ext.errors import Attempt
from wallaroo_ext.transport.retry.attempts import attempts_of
from wallaroo_ext.transport.retry.clock import Clock
from wallaroo_ext.transport.retry.policy import RetryPolicy

__all__ = ["Attempt", "Clock", "RetryPolicy", "attempts_of"]
