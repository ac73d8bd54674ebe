from concurrent.futures import ThreadPoolExecutor

from tests.fakes.patience import PATIENCE, until
from tests.wire.peer import QUICK, Peer
from ussdapp.wire import pdu
from ussdapp.wire.bodies import Login
from ussdapp.wire.held import HeldBind, binder
from ussdapp.wire.window import Unwritten


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def held(peer: Peer, clock: Clock, chance: float = 1.0) -> HeldBind:
    make = binder(Login("127.0.0.1", peer.port, "ega", "x"), QUICK, lambda _: True, None)
    return HeldBind(make, clock, lambda: chance)


def test_each_failure_doubles_the_wait_up_to_a_minute():
    peer, clock = Peer(), Clock()
    bind = held(peer, clock)
    peer.close()  # nobody listens
    waits = []
    for _ in range(9):
        waits.append(round(bind.keep_bound(), 3))
        clock.now += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert bind.submit([b""]) == [Unwritten()]


def test_a_refused_bind_is_left_alone_for_up_to_five_minutes():
    peer, clock = Peer(), Clock()
    bind = held(peer, clock)

    def refuse() -> None:
        peer.accept()
        peer.say(pdu.BIND_TRANSCEIVER | pdu.RESPONSE, 0x0E, peer.hear().sequence)

    waits = []
    with ThreadPoolExecutor(1) as pool:
        for _ in range(10):
            refused = pool.submit(refuse)
            waits.append(round(bind.keep_bound(), 3))
            refused.result(PATIENCE)
            clock.now += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    peer.close()


def test_chance_takes_off_up_to_half_of_the_wait_and_calling_early_does_not_connect():
    peer, clock = Peer(), Clock()
    bind = held(peer, clock, chance=0.0)
    peer.close()
    assert bind.keep_bound() == 0.5
    clock.now += 0.25
    assert bind.keep_bound() == 0.25


def test_a_lost_bind_is_made_again_after_a_wait():
    peer, clock = Peer(), Clock()
    bind = held(peer, clock)
    with ThreadPoolExecutor(1) as pool:
        welcomed = pool.submit(peer.welcome)
        bind.keep_bound()
        welcomed.result(PATIENCE)
        assert bind.bound
        bind.keep_bound()
        peer.hang_up()
        until(lambda: not bind.bound)
        assert bind.keep_bound() == 1.0
        clock.now += 1.0
        welcomed = pool.submit(peer.welcome)
        bind.keep_bound()
        welcomed.result(PATIENCE)
        assert bind.bound
        closing = pool.submit(bind.close)
        unbind = peer.hear()
        peer.say(pdu.UNBIND | pdu.RESPONSE, 0, unbind.sequence)
        closing.result(PATIENCE)
    assert not bind.bound
    clock.now += 100
    bind.keep_bound()
    assert not bind.bound, "a bind that was closed stays closed"
    peer.close()


def test_a_bind_that_is_dropped_at_once_is_not_made_again_at_once():
    peer, clock = Peer(), Clock()
    bind = held(peer, clock)
    waits = []
    with ThreadPoolExecutor(1) as pool:
        for _ in range(3):
            welcomed = pool.submit(peer.welcome)
            bind.keep_bound()
            welcomed.result(PATIENCE)
            peer.hang_up()
            until(lambda: not bind.bound)
            waits.append(bind.keep_bound())
            clock.now += waits[-1]
    assert waits == [1, 2, 4]
    peer.close()
