"""Asks for an instance that only a SOCKS proxy could reach, where none is."""

import os

from wallaroo_ext import ConnectionFailedError, RetryPolicy, connect, list_workspaces

os.environ |= {"ALL_PROXY": "socks5://127.0.0.1:1", "WALLAROO_API_URL": "http://wallaroo.example.com"}
os.environ |= {"WALLAROO_AUTH_URL": "http://keycloak.example.com"}
with connect(retries=RetryPolicy(attempts=1)) as client:
    try:
        list_workspaces(client)
    except ConnectionFailedError as error:
        assert "through the proxy 127.0.0.1:1 failed" in str(error), error
    else:
        raise AssertionError
