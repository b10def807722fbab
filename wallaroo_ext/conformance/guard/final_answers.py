"""Lets the library requests pass over interim answers, such as 103 with early hints, as RFC 9110 asks of clients."""

from __future__ import annotations

import http.client
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from urllib3 import PoolManager


class _FinalAnswer(http.client.HTTPResponse):
    """An answer that is no interim one; the standard library passes over 100 alone."""

    @override
    def begin(self) -> None:
        super().begin()
        while self.status < HTTPStatus.OK and self.status != HTTPStatus.SWITCHING_PROTOCOLS:
            self.headers: Any = None  # which tells `begin` that nothing was read
            super().begin()


class _Connection(HTTPConnection):
    response_class = _FinalAnswer


class _SecureConnection(HTTPSConnection):
    response_class = _FinalAnswer


class _Pool(HTTPConnectionPool):
    ConnectionCls: ClassVar[Any] = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls: ClassVar[Any] = _SecureConnection


class FinalAnswersAdapter(HTTPAdapter):
    """Sends the requests of a session, and passes over interim answers."""

    poolmanager: PoolManager

    @override
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        _pass_over(self.poolmanager)

    @override
    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **options)
        _pass_over(manager)
        return manager


def _pass_over(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
