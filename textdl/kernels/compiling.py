"""How the loops are compiled: once a machine, whatever folders can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

# What a sum of products may do to be vectorised; not "nnan" and "ninf": NaN and infinity must come through.
REASSOCIATE = {"contract", "reassoc", "nsz", "arcp"}


class Entry:
    """A compiled function that Python calls. Its code is kept on disk, and other threads run on meanwhile (no GIL).

    numba keeps it in ``NUMBA_CACHE_DIR``, else in ``__pycache__``, else in the user's cache folder. Where none of them
    can be written, or the disk is full, the function is compiled afresh in every process.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        try:
            self.compiled = self._compile(cache=True)
        except RuntimeError:  # "no locator available": nowhere to write
            self.compiled = self._compile(cache=False)

    def __call__(self, *arguments: Any) -> Any:
        try:
            return self.compiled(*arguments)
        except OSError:  # of numba's reading or saving, before the function runs: it opens no file itself
            self.compiled = self._compile(cache=False)
            return self.compiled(*arguments)

    def _compile(self, cache: bool) -> Callable[..., Any]:
        import numba

        compiled: Callable[..., Any] = numba.njit(cache=cache, nogil=True, error_model="numpy")(self.function)
        return compiled


def part(function: F) -> F:
    """Compile a function that only compiled functions call, with exact float operations."""
    import numba

    compiled: F = numba.njit(error_model="numpy")(function)
    return compiled


def fast_part(function: F) -> F:
    """Like :func:`part`, with sums in any order and fused multiply-adds; NaN and infinity are kept."""
    import numba

    compiled: F = numba.njit(error_model="numpy", fastmath=REASSOCIATE)(function)
    return compiled
