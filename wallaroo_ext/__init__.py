"""What plain REST makes hard on a Wallaroo instance: signing in, uploading models, scoring rows.

The functions here extend the generated client, `wallaroo_mlops_client`: `connect` gives a client that every generated
operation takes, and so do the functions of this package. `wallaroo_ext.aio` has the same functions for asyncio.

Importing this package loads httpx and nothing else of weight; the generated client, pyarrow and pandas are loaded when
they are first needed.
"""

from wallaroo_ext.auth import BearerToken, KeycloakAuth
from wallaroo_ext.client import connect
from wallaroo_ext.deployments import wait_until_running
from wallaroo_ext.errors import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    ContractViolationError,
    ConversionError,
    DeploymentError,
    EngineError,
    InvalidDataError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    WaitTimeoutError,
    WallarooError,
)
from wallaroo_ext.inference import infer
from wallaroo_ext.operations import call
from wallaroo_ext.settings import Settings
from wallaroo_ext.uploads import upload_model

__all__ = [
    "ApiError",
    "AuthenticationError",
    "BearerToken",
    "ConfigurationError",
    "ConnectionFailedError",
    "ContractViolationError",
    "ConversionError",
    "DeploymentError",
    "EngineError",
    "InvalidDataError",
    "InvalidRequestError",
    "KeycloakAuth",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitedError",
    "ServerError",
    "Settings",
    "WaitTimeoutError",
    "WallarooError",
    "call",
    "connect",
    "infer",
    "upload_model",
    "wait_until_running",
]
