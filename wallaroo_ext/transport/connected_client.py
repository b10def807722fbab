"""The client that `connect` gives: the generated one, which forked children can use as well."""

from __future__ import annotations

import threading
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any

from wallaroo_mlops_client import Client

from wallaroo_ext._util.after_fork import PerProcess

if TYPE_CHECKING:
    import httpx


class ConnectedClient(Client):
    """The generated client, whose cookies have a lock for each process: httpx takes it for every answer."""

    def get_httpx_client(self) -> httpx.Client:
        """Return what sends the requests of threads."""
        return super().get_httpx_client() if self._client else _with_own_lock(super().get_httpx_client())

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """Return what sends the requests of asyncio."""
        return (
            super().get_async_httpx_client() if self._async_client else _with_own_lock(super().get_async_httpx_client())
        )


class _CookieJar(CookieJar):
    """A jar that a child can use, although another thread of its parent was using it when the child was forked."""

    def __init__(self, cookies: CookieJar) -> None:
        self._locks = PerProcess(threading.RLock)
        super().__init__()
        for cookie in cookies:
            self.set_cookie(cookie)

    @property
    def _cookies_lock(self) -> Any:
        """The lock that each method of the base class takes."""
        return self._locks.get()

    @_cookies_lock.setter
    def _cookies_lock(self, lock: object) -> None:
        """The base class makes one, which is not used."""


def _with_own_lock(http: Any) -> Any:
    http.cookies.jar = _CookieJar(http.cookies.jar)
    return http
