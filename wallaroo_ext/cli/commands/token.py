"""`wallaroo-ext token`: print a bearer token for other programs."""

from __future__ import annotations

import math
import time
from typing import Any

from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.printing import output


def token(*, options: Options = DEFAULT_OPTIONS) -> None:
    """Print a bearer token, for programs that call the API by themselves.

    `curl -H "Authorization: Bearer $(wallaroo-ext token)" …`. With --json it comes with its lifetime, in seconds.
    """
    with options.reported(), options.connect() as client:
        auth: Any = client.get_httpx_client().auth
        found = auth.token()
        if output.is_terminal():
            output.print_note("This token is a secret: whoever has it can act as you until it expires.")
        output.print_line(to_token_answer(found.access, found.expires_at) if options.json else found.access)


def to_token_answer(access: str, expires_at: float) -> str:
    """Return a token as the JSON of a token endpoint; without a lifetime if it is unknown.

    Args:
        access: The token.
        expires_at: When it expires, on the monotonic clock.
    """
    lifetime = {} if math.isinf(expires_at) else {"expires_in": max(0, int(expires_at - time.monotonic()))}
    return output.to_json({"access_token": access, "token_type": "Bearer"} | lifetime, machine=True)
