"""The options of a sandbox, which may differ between runs on the same data directory."""

from __future__ import annotations

from dataclasses import dataclass, field

from wallaroo_ext import contract

AUDIENCE = "account"
"""The audience of Keycloak's access tokens, unless a client is configured otherwise: its account console."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """The options of one run.

    Attributes:
        token_lifetime: The lifetime of an access token, in seconds.
        refresh_lifetime: The lifetime of a refresh token, in seconds.
        auth_url: The URL, without a path, of another issuer to trust; None if the sandbox issues tokens itself.
        audience: The required audience of the other issuer's tokens.
        release: The release of Wallaroo to imitate, one of `contract.RELEASES`.
        log_limit_mib: The size limit of the inference log, in MiB.
        json_limit_mib: The size limit of a JSON body, in MiB.
        arrow_limit_mib: The size limit of an Arrow body, in MiB.
        upload_limit_mib: The size limit of an uploaded file, in MiB.
        rows_memory_mib: The memory limit of the parsed rows of one request, in MiB.
        model_memory_mib: The memory limit of the computations of one deployment's models, in MiB, without their
            weights.
        model_seconds: The time limit of loading or running a model, in seconds.
        deployments: The largest number of deployments at a time; each has a process.
        control_secret: A secret that lets clients on other machines use the control routes; None for no such access.
    """

    token_lifetime: int = 3600
    refresh_lifetime: int = 1800
    auth_url: str | None = None
    audience: str = AUDIENCE
    release: str = contract.RELEASES[-1]
    log_limit_mib: int = 1024
    json_limit_mib: int = 64
    arrow_limit_mib: int = 512
    upload_limit_mib: int = 16 * 1024
    rows_memory_mib: int = 2048
    model_memory_mib: int = 4096
    model_seconds: float = 300
    deployments: int = 256
    control_secret: str | None = field(default=None, repr=False)

    @property
    def configures_uploads(self) -> bool:
        """Whether a model version has a configuration from its upload on, and not from its first deployment."""
        return self.is_since("2023.4")

    def is_since(self, release: str) -> bool:
        """Return whether the imitated release is a certain one or a later one."""
        return contract.RELEASES.index(self.release) >= contract.RELEASES.index(release)


DEFAULT_OPTIONS = SandboxOptions()
