"""The client that `connect` returns: the generated client, made safe for forked children."""

from __future__ import annotations

import threading
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any

from wallaroo_mlops_client import Client

from wallaroo_ext._util.after_fork import PerProcess
from wallaroo_ext._util.notebook_tables import table_of

if TYPE_CHECKING:
    import httpx


class ConnectedClient(Client):
    """The generated client with a lock of its cookies for each process: httpx takes that lock for every answer."""

    def __repr__(self) -> str:
        return f"ConnectedClient({self._base_url!r})"

    def _repr_html_(self) -> str:
        return table_of(self, url=self._base_url)

    def get_httpx_client(self) -> httpx.Client:
        """Return the httpx client for threads."""
        return super().get_httpx_client() if self._client else _with_own_lock(super().get_httpx_client())

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """Return the httpx client for asyncio."""
        return (
            super().get_async_httpx_client() if self._async_client else _with_own_lock(super().get_async_httpx_client())
        )


class _CookieJar(CookieJar):
    """A cookie jar that a child can use even if another thread of its parent was using it during the fork."""

    def __init__(self, cookies: CookieJar) -> None:
        self._locks = PerProcess(threading.RLock)
        super().__init__()
        for cookie in cookies:
            self.set_cookie(cookie)

    @property
    def _cookies_lock(self) -> Any:
        """The lock that the methods of the base class take."""
        return self._locks.get()

    @_cookies_lock.setter
    def _cookies_lock(self, lock: object) -> None:
        """Ignore the lock that the base class makes."""


def _with_own_lock(http: Any) -> Any:
    http.cookies.jar = _CookieJar(http.cookies.jar)
    return http
