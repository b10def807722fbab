"""How a sandbox is set up: what may differ from one run on a data directory to the next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """The choices of one run.

    Attributes:
        token_lifetime: How long an access token lives, in seconds.
        refresh_lifetime: How long a refresh token lives, in seconds.
        auth_url: Another issuer to trust instead of the sandbox itself, without a path; None for the sandbox.
        release: The release of Wallaroo whose generation of answers is given.
        log_limit_mib: How much the inference log may keep, in MiB.
    """

    token_lifetime: int = 3600
    refresh_lifetime: int = 1800
    auth_url: str | None = None
    release: str = "2023.4"
    log_limit_mib: int = 1024


DEFAULT_OPTIONS = SandboxOptions()
