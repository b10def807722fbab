"""Do the pieces of a run keep their promises, each by itself?"""

from __future__ import annotations

import asyncio
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.support.data.batch_rows import running_threads
from wallaroo_ext import BatchRetries, EngineError, PartSize, ServerError
from wallaroo_ext.batch.asyncio_threads import FromLoop, elements
from wallaroo_ext.batch.options import ScoringOptions
from wallaroo_ext.batch.reading.positions import Ledger, Position
from wallaroo_ext.batch.retries import StoppedError, with_retries
from wallaroo_ext.batch.scoring.chunking import Chunk, chunk_batches
from wallaroo_ext.batch.scoring.ordered_map import map_in_order
from wallaroo_ext.batch.scoring.rejections import Rejection, RejectionLimit, score_by_halves
from wallaroo_ext.batch.scoring.request_size import RequestSize
from wallaroo_ext.batch.scoring.scorer import Scorer
from wallaroo_ext.errors import (
    AuthenticationError,
    ConnectionFailedError,
    ContractViolationError,
    InvalidDataError,
    InvalidRequestError,
    RateLimitedError,
    WallarooError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator

arrow: Any = pa
AT_ONCE = BatchRetries(first_pause=0.0)


def numbers(*sizes: int) -> list[Any]:
    ends = np.cumsum([0, *sizes])
    return [arrow.record_batch({"n": np.arange(a, b)}) for a, b in pairwise(ends)]


def always(rows: int) -> Callable[..., int]:
    """Return a function that gives every chunk so many rows."""
    return lambda *_: rows


class TestChunking:
    @given(sizes=st.lists(st.integers(0, 40), max_size=12), wanted=st.lists(st.integers(1, 25), min_size=1))
    def test_every_row_is_in_one_chunk_in_order(self, sizes: list[int], wanted: list[int]) -> None:
        asked: list[int] = []

        def next_size(row_bytes: float, available: int) -> int:
            assert row_bytes == 8
            assert available > 0
            asked.append(wanted[len(asked) % len(wanted)])
            return asked[-1]

        chunks = list(chunk_batches(numbers(*sizes), next_size, 100))
        rows = [row for chunk in chunks for row in chunk.rows.column("n").to_pylist()]
        assert rows == list(range(sum(sizes)))
        assert [chunk.first for chunk in chunks] == [100 + chunk.rows.column("n")[0].as_py() for chunk in chunks]
        assert all(chunk.rows.num_rows in wanted for chunk in chunks[:-1])
        assert all(chunk.rows.column("n").num_chunks == 1 for chunk in chunks)

    def test_a_chunk_of_one_batch_shares_its_memory(self) -> None:
        [batch] = numbers(10)
        first = next(chunk_batches([batch], always(4)))
        column: Any = first.rows.column("n").chunk(0)
        assert column.buffers()[1].address == batch.column(0).buffers()[1].address

    def test_batches_are_read_when_they_are_needed(self) -> None:
        read: list[int] = []

        def source() -> Iterator[Any]:
            for number, batch in enumerate(numbers(5, 5, 5)):
                read.append(number)
                yield batch

        chunks = chunk_batches(source(), always(5))
        next(chunks)
        assert read == [0]

    @pytest.mark.parametrize("wrong", [arrow.record_batch({"m": [1]}), arrow.record_batch({"n": ["text"]})])
    def test_a_batch_of_another_schema_is_refused(self, wrong: Any) -> None:
        with pytest.raises(InvalidDataError):
            list(chunk_batches([*numbers(1), wrong], always(10)))


class TestOrderedMap:
    def test_results_come_in_order_however_long_each_takes(self) -> None:
        def work(number: int) -> int:
            time.sleep(0.02 if number % 3 == 0 else 0.001)
            return number * number

        assert list(map_in_order(range(40), work, 5)) == [number * number for number in range(40)]
        assert running_threads() == []

    def test_no_more_are_under_way_or_waiting_than_it_may(self) -> None:
        lock, busy, most, read = threading.Lock(), [0], [0], [0]

        def source() -> Iterator[int]:
            while True:
                read[0] += 1
                yield read[0]

        def work(number: int) -> int:
            with lock:
                busy[0] += 1
                most[0] = max(most[0], busy[0])
            time.sleep(0.003)
            with lock:
                busy[0] -= 1
            return number

        results = map_in_order(source(), work, 3)
        for taken in range(1, 20):
            next(results)
            time.sleep(0.002)
            assert read[0] <= taken + 4 * 3
        assert most[0] == 3
        results.close()
        assert running_threads() == []

    def test_fewer_are_begun_than_there_are_threads_where_it_is_said(self) -> None:
        lock, busy, most = threading.Lock(), [0], [0]

        def work(number: int) -> int:
            with lock:
                busy[0] += 1
                most[0] = max(most[0], busy[0])
            time.sleep(0.002)
            with lock:
                busy[0] -= 1
            return number

        assert list(map_in_order(range(30), work, 8, begun=lambda: 2)) == list(range(30))
        assert most[0] <= 2

    def test_one_that_takes_long_does_not_stop_the_others_at_once(self) -> None:
        others = threading.Event()
        finished: list[int] = []

        def work(number: int) -> int:
            if number == 0:
                assert others.wait(30)
            finished.append(number)
            if len(finished) == 2 * 3 + 2:  # more than wait at a time
                others.set()
            return number

        assert list(map_in_order(range(50), work, 3)) == list(range(50))

    def test_an_error_ends_the_threads_after_the_results_before_it(self) -> None:
        def work(number: int) -> int:
            if number == 7:
                raise ZeroDivisionError
            return number

        results = map_in_order(range(1000), work, 4)
        assert [next(results) for _ in range(7)] == list(range(7))
        with pytest.raises(ZeroDivisionError):
            next(results)
        assert running_threads() == []

    @pytest.mark.parametrize("how", ["close", "source"])
    def test_its_end_is_told_to_the_work(self, how: str) -> None:
        stopped = threading.Event()

        def source() -> Iterator[int]:
            yield from range(3)
            raise ValueError("no more")

        results = map_in_order(
            source() if how == "source" else iter(range(50)), lambda _: stopped.wait(0.05), 2, stopped
        )
        if how == "close":
            next(results)
            results.close()
        else:
            with pytest.raises(ValueError, match="no more"):
                list(results)
        assert stopped.is_set()
        assert running_threads() == []

    def test_an_error_of_the_source_comes_after_the_results_before_it(self) -> None:
        def source() -> Iterator[int]:
            yield from range(3)
            raise ValueError("no more")

        def work(number: int) -> int:
            time.sleep(0.05)
            return number

        results = map_in_order(source(), work, 2)
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ValueError, match="no more"):
            next(results)
        assert running_threads() == []

    def test_its_natural_end_stops_nothing(self) -> None:
        stopped = threading.Event()
        assert list(map_in_order(range(3), str, 2, stopped)) == ["0", "1", "2"]
        assert not stopped.is_set()


def answer_error(kind: type[Any], status: int, **more: Any) -> Any:
    return kind("said no", status=status, **more)


class TestRetries:
    @pytest.mark.parametrize(
        ("error", "attempts"),
        [
            (ConnectionFailedError("lost"), 6),
            (answer_error(ContractViolationError, 200), 6),
            (answer_error(ContractViolationError, 307), 6),
            (answer_error(RateLimitedError, 429), 6),
            (answer_error(ServerError, 520), 6),
            (answer_error(ServerError, 500), 6),
            (answer_error(EngineError, 500), 6),
            (answer_error(AuthenticationError, 401), 3),
            (answer_error(EngineError, 400), 1),
            (answer_error(InvalidRequestError, 413), 1),
            (answer_error(RateLimitedError, 429, retry_after=3600.0), 1),
            (InvalidDataError("no table"), 1),
        ],
    )
    def test_what_may_pass_is_sent_again_and_then_raised_as_it_is(self, error: WallarooError, attempts: int) -> None:
        sent: list[int] = []

        def send() -> None:
            sent.append(1)
            raise error

        with pytest.raises(type(error)) as raised:
            with_retries(send, AT_ONCE, threading.Event())
        assert raised.value is error
        assert len(sent) == attempts
        notes = getattr(error, "__notes__", [])
        assert notes == ([f"The run had sent this request {attempts} times."] if attempts > 1 else [])

    @pytest.mark.parametrize(
        ("make", "wrong", "message"),
        [
            (BatchRetries, {"attempts": 0}, "`attempts` is a whole number from 1 on, not 0"),
            (BatchRetries, {"sign_ins": 2.5}, "`sign_ins` is a whole number from 1 on"),
            (BatchRetries, {"first_pause": -1}, "`first_pause` is a number of seconds from 0 on, not -1"),
            (BatchRetries, {"longest_pause": "5"}, "`longest_pause` is a number of seconds"),
            (BatchRetries, {"longest_retry_after": None}, "`longest_retry_after` is a number of seconds"),
            (PartSize, {"rows": 0}, "`rows` is a whole number from 1 on"),
            (PartSize, {"rows": "5"}, "`rows` is a whole number from 1 on"),
            (PartSize, {"seconds": float("nan")}, "`seconds` is a number of seconds"),
            (PartSize, {"seconds": 0}, "more than no time"),
        ],
    )
    def test_what_it_cannot_be_is_refused(self, make: Any, wrong: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidDataError, match=message):
            make(**wrong)

    def test_a_success_tells_how_many_it_took(self) -> None:
        outcomes: list[Any] = [ConnectionFailedError("lost"), answer_error(ServerError, 520), "answer"]

        def send() -> Any:
            outcome = outcomes.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        assert with_retries(send, AT_ONCE, threading.Event()) == ("answer", 3)

    def test_pauses_grow_up_to_a_limit_and_obey_the_instance(self) -> None:
        retries = BatchRetries(first_pause=1.0, longest_pause=4.0, attempts=10)
        error = ConnectionFailedError("lost")
        for attempt, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (8, 4.0)):
            pauses = [retries.pause(error, attempt) or 0.0 for _ in range(200)]
            assert longest * 0.8 < max(pauses) <= longest
        assert retries.pause(answer_error(RateLimitedError, 429, retry_after=30.0), 1) == 30.0

    def test_the_end_of_the_run_ends_a_pause(self) -> None:
        stopped = threading.Event()
        stopped.set()

        def send() -> None:
            raise ConnectionFailedError("lost")

        with pytest.raises(StoppedError):
            with_retries(send, BatchRetries(first_pause=1000.0, longest_pause=1000.0), stopped)


class TestSourcesOfAnEventLoop:
    def test_rows_whose_source_is_cancelled_do_not_look_complete(self) -> None:
        async def source() -> AsyncIterator[int]:
            yield 1
            raise asyncio.CancelledError

        seen: list[int] = []

        def make(rows: Iterable[int], _: threading.Event) -> Generator[int]:
            for row in rows:
                seen.append(row)
                yield row
            seen.append(-1)

        async def take() -> list[int]:
            return [element async for element in elements(make, source())]

        with pytest.raises(asyncio.CancelledError):
            asyncio.run(take())
        assert seen == [1]

    def test_a_generator_that_is_left_early_cleans_up_in_its_loop(self) -> None:
        cleaned: list[str] = []

        async def source() -> AsyncIterator[int]:
            try:
                yield 1
                yield 2
            finally:
                await asyncio.sleep(0)
                cleaned.append(threading.current_thread().name)

        rows = source()

        async def take() -> None:
            scored = elements(lambda rows, _: (row for row in rows), rows)
            assert await anext(scored) == 1
            await scored.aclose()

        asyncio.run(take())
        assert cleaned == [threading.current_thread().name]

    @pytest.mark.parametrize("kind", ["coroutine", "future"])
    def test_an_iterator_is_asked_in_its_loop(self, kind: str) -> None:
        async def take() -> list[int]:
            return [element async for element in elements(lambda rows, _: (row for row in rows), _Counted(kind, 3))]

        assert asyncio.run(take()) == [1, 2, 3]

    def test_one_that_ends_while_an_element_is_asked_for_is_not_waited_for(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def source() -> AsyncIterator[int]:
            await asyncio.Event().wait()
            yield 1

        async def main() -> None:
            reading = FromLoop(source(), asyncio.get_running_loop())
            ask = asyncio.run_coroutine_threadsafe

            def ended_meanwhile(*arguments: Any) -> Any:
                reading.end()
                return ask(*arguments)

            monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", ended_meanwhile)
            taking = asyncio.create_task(asyncio.to_thread(next, iter(reading)))
            await asyncio.wait([taking], timeout=5)
            was_waited_for = not taking.done()
            reading.end()
            with pytest.raises(StoppedError):
                await taking
            assert not was_waited_for

        asyncio.run(main())


class _Counted:
    """An iterator that needs its event loop, as those of streams do, whatever its `__anext__` returns."""

    def __init__(self, kind: str, count: int) -> None:
        self._kind = kind
        self._left = iter(range(1, count + 1))

    def __aiter__(self) -> _Counted:
        return self

    def __anext__(self) -> Any:
        number = next(self._left, None)
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if number is None:
            future.set_exception(StopAsyncIteration())
        else:
            future.set_result(number)
        return future if self._kind == "future" else self._awaited(future)

    async def _awaited(self, future: asyncio.Future[int]) -> int:
        return await future


class TestScorer:
    def test_whether_an_error_is_of_the_size_is_decided_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Other threads learn sizes meanwhile: what was no reason to stop sending is none to send in parts."""
        later, sent = iter([False]), list[int]()

        def send(_: Scorer, rows: Any) -> None:
            sent.append(rows.num_rows)
            raise answer_error(ServerError, 500)

        def may_be_too_large(*_: object) -> bool:
            return next(later, True)

        monkeypatch.setattr(Scorer, "_send", send)
        monkeypatch.setattr(Scorer, "_may_be_too_large", may_be_too_large)
        scorer = Scorer(
            cast("Any", None),
            "/infer/a-1",
            ScoringOptions(retries=BatchRetries(attempts=1)),
            size=RequestSize(10, in_flight=1, max_bytes=1 << 20),
            limit=RejectionLimit(None),
            stopped=threading.Event(),
        )
        with pytest.raises(ServerError):
            scorer(Chunk(0, arrow.table({"n": [1.0, 2.0]})))
        assert sent == [2]


class TestHalving:
    @given(rows=st.integers(1, 60), wrong=st.sets(st.integers(0, 59)))
    def test_just_the_wrong_rows_are_rejected(self, rows: int, wrong: set[int]) -> None:
        wrong = {number for number in wrong if number < rows}
        table: Any = arrow.table({"n": np.arange(rows)})

        def score(chunk: Chunk) -> Any:
            if wrong & set(chunk.rows.column("n").to_pylist()):
                raise answer_error(EngineError, 400)
            return chunk.rows

        pieces = list(score_by_halves(Chunk(7, table), score, lambda chunk, error: Rejection(chunk.first, str(error))))
        rejected = [piece.row - 7 for piece in pieces if isinstance(piece, Rejection)]
        assert rejected == sorted(wrong)
        order = [
            n for piece in pieces for n in ([piece.row - 7] if isinstance(piece, Rejection) else piece["n"].to_pylist())
        ]
        assert order == list(range(rows))

    def test_other_errors_are_raised(self) -> None:
        def score(_: Chunk) -> Any:
            raise answer_error(InvalidRequestError, 400)

        with pytest.raises(InvalidRequestError):
            list(
                score_by_halves(
                    Chunk(0, arrow.table({"n": [1, 2]})), score, lambda chunk, _: Rejection(chunk.first, "")
                )
            )

    def test_the_limit_raises_the_engines_error_and_says_so(self) -> None:
        limit = RejectionLimit(2, already=1)
        limit.count(answer_error(EngineError, 400))
        with pytest.raises(EngineError, match=r"said no More than 2 rows were rejected\."):
            limit.count(answer_error(EngineError, 400))
        RejectionLimit(None).count(answer_error(EngineError, 400))


class TestLedger:
    @given(spans=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), min_size=1, max_size=8), data=st.data())
    def test_it_knows_where_each_row_came_from(self, spans: list[tuple[int, int]], data: st.DataObject) -> None:
        ledger, places = Ledger(), list[Position]()
        at: dict[int, int] = {}
        for file, rows in sorted(spans):
            ledger.read(len(places), rows, Position(file, at.get(file, 0)))
            places += [Position(file, at.get(file, 0) + row) for row in range(rows)]
            at[file] = at.get(file, 0) + rows
        finished = 0
        while finished < len(places):
            upto = data.draw(st.integers(finished + 1, len(places)))
            assert [ledger.position(row) for row in range(finished, upto)] == places[finished:upto]
            end = ledger.finish(upto)
            before = places[upto - 1]
            assert end in {Position(before.file, before.row + 1), *places[upto : upto + 1]}
            finished = upto
