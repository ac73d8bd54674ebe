"""A connection whose other end has frozen is cut, and no other."""

import socket

import pytest

from ussdapp.wire.deadline import Deadline


def test_a_silent_connection_is_cut_and_its_reader_told() -> None:
    ours, theirs = socket.socketpair()
    with theirs, ours, Deadline(0.1).over(ours.fileno()):
        assert ours.recv(1) == b""  # would wait for ever


def test_one_that_answered_in_time_is_left_alone() -> None:
    ours, theirs = socket.socketpair()
    deadline = Deadline(0.2)
    with theirs, ours:
        with deadline.over(ours.fileno()):
            theirs.send(b"a")
            assert ours.recv(1) == b"a"
        ours.settimeout(0.8)
        with pytest.raises(TimeoutError):
            ours.recv(1)  # nobody cut it after its use
