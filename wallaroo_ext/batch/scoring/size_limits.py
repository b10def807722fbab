"""The bytes that a request may have: within the run's memory, and below what the instance refused as too large."""

from __future__ import annotations

_CLOSE = 1.1
"""How near the largest request that was taken may be to the smallest refused one, so that none in between is tried."""

_ROUNDING = 1.01

_LEAST_PART = 8
"""A refused request is sent again in at most so many parts at once, however small those were that were taken so far."""

_FORGET_AFTER, _FORGET_FACTOR = 64, 4


class SizeLimits:
    """What is known of how large a request may be, in bytes of its rows.

    A size that was refused is never sent again, nor a larger one. What lies between it and the largest size that was
    taken is tried by one request at a time, in the middle, until both are close. A refusal that only may have been for
    the size is forgotten after 64 more requests, and after four times as many each further time.

    Args:
        most: The largest size.
    """

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._taken = 0.0
        self._refused: float | None = None
        self._trial: float | None = None
        self._uncertain: int | None = None
        self._forget_after = _FORGET_AFTER

    @property
    def most(self) -> float:
        """The largest size of requests, for the present."""
        return self._most if self._refused is None else min(self._most, self._good(self._refused))

    @property
    def refused(self) -> bool:
        """Whether a size was refused."""
        return self._refused is not None

    def next_trial(self) -> float | None:
        """Return a size between the taken and the refused ones, for one request; None if there is nothing to try."""
        if self._refused is None or self._trial is not None or not self._taken:
            return None
        good = self._good(self._refused)
        if self._refused <= good * _CLOSE:
            return None
        return (self._refused * good) ** 0.5

    def begin_trial(self, size: float) -> None:
        """Take into account that one request of such a size is sent, so that no other one is before its answer."""
        self._trial = size

    def taken(self, size: float) -> bool:
        """Take into account that a request was not refused; return whether that allows larger ones than before."""
        self._count_down()
        if self._trial is not None and size >= self._trial / _CLOSE:
            self._trial = None
        if size <= self._taken or (self._refused is not None and size >= self._refused):
            return False
        self._taken = size
        return self._refused is not None

    def refuse(self, size: float, *, certain: bool = True) -> None:
        """Take into account that a request was refused as too large; if not `certain`, for some time only."""
        before = self._refused
        if certain:
            self._uncertain = None
        elif self._refused is None:
            self._uncertain = self._forget_after
            self._forget_after *= _FORGET_FACTOR
        self._trial = None
        self._refused = size if before is None else min(before, size)
        if self._taken >= self._refused:
            self._taken = 0.0

    def is_too_large(self, size: float, *, is_part: bool = False) -> bool:
        """Return whether a request would be refused, by what is known; a part of a refused one is no trial."""
        if self._refused is None:
            return False
        trial = 0.0 if is_part else self._trial or 0.0
        return size >= self._refused or size > max(self._good(self._refused), trial) * _ROUNDING

    def is_new(self, size: float) -> bool:
        """Return whether no request of this size or above was taken yet, but a smaller one was."""
        return 0 < self._taken < size

    @property
    def none_taken(self) -> bool:
        """Whether no request was taken yet."""
        return not self._taken

    def _good(self, refused: float) -> float:
        return max(self._taken, refused / _LEAST_PART)

    def _count_down(self) -> None:
        if self._uncertain is None:
            return
        self._uncertain -= 1
        if self._uncertain <= 0:
            self._refused = self._uncertain = self._trial = None
