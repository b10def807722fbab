"""How a sandbox is set up: what may differ from one run on a data directory to the next."""

from __future__ import annotations

from dataclasses import dataclass, field

AUDIENCE = "account"
"""The audience of Keycloak's access tokens, unless a client is configured otherwise: its account console."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """The choices of one run.

    Attributes:
        token_lifetime: How long an access token lives, in seconds.
        refresh_lifetime: How long a refresh token lives, in seconds.
        auth_url: Another issuer to trust instead of the sandbox itself, without a path; None for the sandbox.
        audience: Whom the other issuer's tokens have to be for.
        release: The release of Wallaroo whose generation of answers is given.
        log_limit_mib: How much the inference log may keep, in MiB.
        json_limit_mib: How large a body of JSON may be, in MiB.
        arrow_limit_mib: How large a body of Arrow may be, in MiB.
        upload_limit_mib: How large an uploaded file may be, in MiB.
        rows_memory_mib: What the rows of one request may take in memory when they are read and spread out, in MiB.
        model_memory_mib: What the models of one deployment may take at a time for what they compute, in MiB; their
            weights are beside it.
        model_seconds: How long loading a model, or one run of it, may take, in seconds.
        deployments: How many deployments may be there at a time; each has a process.
        control_secret: What lets others than programs on its own machine steer the sandbox; None for nobody.
    """

    token_lifetime: int = 3600
    refresh_lifetime: int = 1800
    auth_url: str | None = None
    audience: str = AUDIENCE
    release: str = "2023.4"
    log_limit_mib: int = 1024
    json_limit_mib: int = 64
    arrow_limit_mib: int = 512
    upload_limit_mib: int = 16 * 1024
    rows_memory_mib: int = 2048
    model_memory_mib: int = 4096
    model_seconds: float = 300
    deployments: int = 256
    control_secret: str | None = field(default=None, repr=False)


DEFAULT_OPTIONS = SandboxOptions()
