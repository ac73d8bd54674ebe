"""Knows what was delivered and not yet kept, and answers it only after it was."""

import struct
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Protocol

import structlog

from ussdapp.core.inbound import Receipt
from ussdapp.wire import pdu
from ussdapp.wire.bodies import Delivered

Keep = Callable[[list[Delivered | Receipt]], bool]
Arrived = tuple[int, int, Delivered | Receipt]  # command, sequence number, what it brought


class Quick(Protocol):
    """Reads receipts in the usual form."""

    def usual(self, body: bytes) -> Receipt | None:
        """That of a deliver_sm's body, None for any other."""
        ...

    def usual_run(self, data: bytes, at: int) -> tuple[list[Arrived], int] | None:
        """Those in a row from `at` on, and where they end; None where there are none."""
        ...


_RESPONSE: Final = struct.Struct(">IIIIx")  # an empty message_id (4.6.2)
_MOST_TOGETHER: Final = 2000
_log = structlog.get_logger()


class Keeper:
    """Hands over what arrived, in one thread and in order; kept is answered with ESME_ROK, not
    kept, raised or more than `most` waiting with ESME_RX_T_APPN: the SMSC tries it again."""

    def __init__(self, keep: Keep, put: Callable[[bytes], object], most: int) -> None:
        self._keep, self._put, self._most = keep, put, most
        self._waiting: list[Arrived] = []
        self._under_way = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="smpp-keeper")

    @property
    def busy(self) -> bool:
        """Whether something waits for its answer."""
        return bool(self._waiting or self._under_way)

    def accept(self, arrived: list[Arrived]) -> None:
        """Takes what arrived; does not wait for it to be kept."""
        with self._lock:
            room = max(0, self._most - len(self._waiting))
            self._waiting += arrived[:room]
        self._answer(arrived[room:], pdu.ESME_RX_T_APPN)
        self._pool.submit(self._keep_all).add_done_callback(self._ended)

    def close(self) -> None:
        """Takes nothing more; what waits stays unanswered."""
        self._waiting.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _keep_all(self) -> None:
        while batch := self._batch():
            status = pdu.ESME_RX_T_APPN
            try:
                if self._keep([delivered for _, _, delivered in batch]) is True:
                    status = pdu.ESME_ROK
            finally:
                self._answer(batch, status)
                self._under_way = 0

    def _batch(self) -> list[Arrived]:
        with self._lock:
            batch = self._waiting[:_MOST_TOGETHER]
            del self._waiting[:_MOST_TOGETHER]
            self._under_way = len(batch)
        return batch

    def _answer(self, batch: list[Arrived], status: int) -> None:
        if batch:
            pack, response = _RESPONSE.pack, pdu.RESPONSE
            self._put(b"".join([pack(17, c | response, status, s) for c, s, _ in batch]))

    def _ended(self, future: Future[None]) -> None:
        if future.cancelled() or (error := future.exception()) is None:
            return
        _log.error("smpp.not_kept", error=type(error).__name__)
        if self._waiting:
            self._pool.submit(self._keep_all).add_done_callback(self._ended)
