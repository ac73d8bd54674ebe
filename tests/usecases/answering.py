"""What the tests of a dialogue begin with: a complaint's path, and handsets that key it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.fakes.dialogue import NOON, Handset, World, real_menu
from ussdapp.core.dialogue import begin
from ussdapp.core.inbound import Keyed
from ussdapp.core.session import Shown
from ussdapp.stores.seal import Seal
from ussdapp.stores.sessions import RedisSessions

WORDS = "Maji hayatoki Mbezi tangu Jumatatu"
PATH = ("9", "2", "1", "1", "ega", WORDS, "1", "1")
FIRST = begin(real_menu(), "sw").text
TEXTS = ["", *("*".join(PATH[:count]) for count in range(1, len(PATH) + 1))]
UNAVAILABLE = "Samahani, huduma haipatikani kwa sasa. Jaribu tena baadaye."


def handset(world: World) -> Handset:
    return Handset(world.process())


@dataclass
class Elsewhere:
    """Every callback of one handset goes to another process, as behind several workers."""

    world: World

    def __call__(self, keyed: Keyed, now: object) -> Shown:
        return self.world.process()(keyed, NOON)


def parallel(answer: object, texts: list[str], session_id: str) -> list[list[Shown]]:
    """Four threads send each callback at once; what each callback was answered."""
    phones = [Handset(answer, session_id=session_id) for _ in range(4)]  # type: ignore[arg-type]
    with ThreadPoolExecutor(4) as pool:
        return [list(pool.map(Handset.sends, phones, [text] * 4)) for text in texts]


def shown_by(world: World, lost_at: int | None) -> list[Shown]:
    """The screens of PATH, Redis wiped before one key."""
    phone = Handset(Elsewhere(world))  # type: ignore[arg-type]
    screens = [phone.dials()]
    for number, key in enumerate(PATH, 1):
        if number == lost_at:
            world.sessions.wipe()
        screens.append(phone.keys_in(key))
    assert len(world.cases.cases) == 1
    return screens


def real_sessions(url: str) -> RedisSessions:
    client = Redis.from_url(url, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))
    return RedisSessions(client, Seal(b"s" * 32, b"i" * 32))
