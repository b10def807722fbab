"""Does a message between the sandbox and its model processes arrive whole, or not at all?"""

from __future__ import annotations

from typing import Any

import pytest

from wallaroo_ext.sandbox.engine import messages


class Connection:
    """A connection on which bytes arrive in pieces, as after a signal; it ends after them."""

    def __init__(self, piece: int, content: bytes = b"") -> None:
        self._piece = piece
        self.content = content

    def sendall(self, content: bytes) -> None:
        self.content += content

    def recv(self, size: int, _flags: int) -> bytes:
        size = min(size, self._piece)
        found, self.content = self.content[:size], self.content[size:]
        return found


def sent(piece: int) -> Any:
    connection: Any = Connection(piece)
    messages.send(connection, {"status": 200, "names": ["a", "b"]}, [b"rows and ", b"more rows"])
    return connection


@pytest.mark.parametrize("piece", [1, 5, 1000])
def test_it_is_put_together_of_the_pieces_in_which_it_arrives(piece: int) -> None:
    message = messages.receive(sent(piece), max_size=18)
    assert message.header == {"status": 200, "names": ["a", "b"]}
    assert bytes(message.content) == b"rows and more rows"


@pytest.mark.parametrize("piece", [1, 5, 1000])
def test_one_whose_end_is_missing_is_none(piece: int) -> None:
    connection = sent(piece)
    connection.content = connection.content[:-1]
    with pytest.raises(messages.BrokenMessageError, match="the other process has ended"):
        messages.receive(connection, max_size=18)


def test_one_that_is_larger_than_allowed_is_refused_before_it_is_read() -> None:
    connection = sent(1000)
    with pytest.raises(messages.BrokenMessageError, match="18 bytes"):
        messages.receive(connection, max_size=17)
    assert connection.content.endswith(b"rows and more rows")
