"""An institution's notification is accepted on the channel of its route, under its own sender ID,
for its own time, and rung for once it is due."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.kept import Kept as Memory
from tests.fakes.templates import Shelf, Speakers
from ussdapp.core.acceptance import FURTHEST, TooFarAhead
from ussdapp.core.inbound import KeyHolder
from ussdapp.core.keys import IssuedKey
from ussdapp.core.msisdn import Msisdn
from ussdapp.core.notification import Class
from ussdapp.core.parts import TooLong
from ussdapp.core.phishing import PhishingRefused
from ussdapp.core.routing import Route, Routes
from ussdapp.core.sender_ids import SenderIdRefused
from ussdapp.core.simulated import ROUTES, SIMULATED
from ussdapp.core.templates import NoSuchTemplate, ValuesLacking, use_of
from ussdapp.usecases.accept_notification import (
    Accepted,
    Accepting,
    AcceptNotification,
    Asked,
    Kept,
)

NOON = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ASHA = Msisdn("255754000001")
JUMA = Msisdn("255713000002")
NOBODY = Msisdn("255700000000")
EGA = IssuedKey(1, "ega", live=True, scopes=frozenset(), sender_ids=frozenset({"EGA"}))
ASKED = Asked((ASHA,), "Habari", Class.TRANSACTION, "k", "body")


@dataclass
class Acceptances:
    """Notes what is to be kept; `repeated` tells that it was."""

    came: list[Accepting] = field(default_factory=list)
    repeated: bool = False

    def accept(self, accepting: Accepting) -> Kept:
        self.came.append(accepting)
        channels = () if self.repeated else (channel for _, channel in accepting.to)
        ids = tuple(f"id{n}" for n in range(len(accepting.to)))
        return Kept(ids, accepting.written, accepting.accepted_at, frozenset(channels))

    def before(self, effect: str, count: int, body: str) -> Kept | None:
        found = [one for one in self.came if one.effect == effect]
        return Kept(("id0",), found[0].written, found[0].accepted_at) if found else None


@dataclass
class World:
    acceptances: Acceptances = field(default_factory=Acceptances)
    memory: Memory = field(default_factory=Memory)
    shelf: Shelf = field(default_factory=Shelf)
    speakers: Speakers = field(default_factory=Speakers)
    accepted: Accepted | None = None

    def accept(self, asked: Asked = ASKED, holder: KeyHolder = EGA) -> Accepting:
        routes = Routes.ordered([*ROUTES, Route("25571", "mixx"), Route("", "sandbox")])
        numbers = iter(range(100))
        accept = AcceptNotification(
            self.acceptances,
            self.memory,
            self.shelf,  # type: ignore[arg-type]  # it publishes nothing
            self.speakers,
            routes,
            "15200",
            lambda: f"drawn{next(numbers)}",
        )
        self.accepted = accepted = accept(holder, asked, NOON)
        assert len(accepted.ids) == len(asked.to)
        return self.acceptances.came[-1]


def test_each_msisdn_takes_its_route_and_its_channel_is_rung_for() -> None:
    world = World()
    kept = world.accept(replace(ASKED, to=(ASHA, JUMA)))
    assert list(kept.to) == [(ASHA, "sandbox"), (JUMA, "mixx")]
    assert sorted(world.memory.rung) == ["mixx", "sandbox"]


def test_what_was_accepted_before_is_not_rung_for_again() -> None:
    world = World(Acceptances(repeated=True))
    world.accept()
    assert world.memory.rung == []


def test_what_is_simulated_is_never_rung_for() -> None:
    world = World()
    assert list(world.accept(replace(ASKED, to=(NOBODY,))).to) == [(NOBODY, SIMULATED)]
    kept = world.accept(holder=replace(EGA, live=False))
    assert list(kept.to) == [(ASHA, SIMULATED)]
    assert world.memory.rung == []


@pytest.mark.parametrize("klass", list(Class))
def test_it_lives_as_long_as_its_class_from_when_it_is_due(klass: Class) -> None:
    life = timedelta(minutes=10) if klass is Class.URGENT else timedelta(hours=24)
    assert World().accept(replace(ASKED, klass=klass)).expires_at == NOON + life
    later = NOON + timedelta(hours=5)
    kept = World().accept(replace(ASKED, klass=klass, send_at=later))
    assert (kept.due_at, kept.expires_at) == (later, later + life)


def test_it_lives_as_long_as_was_asked() -> None:
    kept = World().accept(replace(ASKED, expires_in=timedelta(seconds=5)))
    assert kept.expires_at == NOON + timedelta(seconds=5)


def test_a_time_that_has_passed_is_now_and_one_far_ahead_is_refused() -> None:
    assert World().accept(replace(ASKED, send_at=NOON - timedelta(days=1))).due_at == NOON
    assert World().accept(replace(ASKED, send_at=NOON + FURTHEST)).due_at == NOON + FURTHEST
    with pytest.raises(TooFarAhead):
        World().accept(replace(ASKED, send_at=NOON + FURTHEST + timedelta(seconds=1)))


def test_what_is_not_due_is_not_rung_for() -> None:
    world = World()
    world.accept(replace(ASKED, send_at=NOON + timedelta(seconds=1)))
    assert world.memory.rung == []


@pytest.mark.parametrize(("wanted", "used"), [(None, "15200"), ("15200", "15200"), ("EGA", "EGA")])
def test_it_is_sent_under_the_short_code_or_an_allotted_sender_id(
    wanted: str | None, used: str
) -> None:
    assert World().accept(replace(ASKED, sender_id=wanted)).sender_id == used


@pytest.mark.parametrize("wanted", ["ega", "BENKI", ""])
def test_any_other_sender_id_is_refused(wanted: str) -> None:
    with pytest.raises(SenderIdRefused):
        World().accept(replace(ASKED, sender_id=wanted))
    with pytest.raises(SenderIdRefused):
        World().accept(replace(ASKED, sender_id="EGA"), KeyHolder(1, "ega", True, frozenset()))


def test_a_text_of_too_many_parts_is_refused() -> None:
    with pytest.raises(TooLong):
        World().accept(replace(ASKED, text="x" * 1531))


def test_its_effect_is_the_institutions_own_key_and_mode() -> None:
    holders = (EGA, replace(EGA, institution="gepg"), replace(EGA, live=False))
    effects = [World().accept(holder=one).effect for one in holders]
    effects.append(World().accept(replace(ASKED, key="other")).effect)
    # a key that is spelt like a drawn one is none
    effects.append(World().accept(replace(ASKED, key=None)).effect)
    effects.append(World().accept(replace(ASKED, key="new:drawn0")).effect)
    assert len(set(effects)) == 6
    assert World().accept(holder=replace(EGA, key_id=2)).effect == effects[0]


def test_without_a_key_none_is_a_repeat() -> None:
    world = World()
    once, again = (world.accept(replace(ASKED, key=None)).effect for _ in range(2))
    assert once.startswith("api:live:ega:new:")
    assert again.startswith("api:live:ega:new:")


def of_template(reference: str = "ombi", key: str | None = "k", **values: str) -> Asked:
    return replace(ASKED, text="", key=key, template=use_of(reference, values))


def shelved() -> World:
    world = World(speakers=Speakers(frozenset({JUMA})))
    world.shelf.add("ombi", "Ndugu ((jina)), karibu.", "Dear ((jina)), welcome.")
    return world


def test_a_template_is_filled_in_the_language_its_citizen_chose() -> None:
    world = shelved()
    kept = world.accept(of_template(Jina="Asha"))
    assert (kept.written.text, kept.written.template) == ("Ndugu Asha, karibu.", "ombi@1")
    english = world.accept(replace(of_template(key="other", jina="Juma"), to=(JUMA,)))
    assert english.written.text == "Dear Juma, welcome."


def test_a_version_that_is_named_is_used_and_else_the_one_that_stands() -> None:
    world = shelved()
    world.shelf.add("ombi", "Habari ((jina)).", "Hello ((jina)).")
    assert world.accept(of_template(key="a", jina="Asha")).written.template == "ombi@2"
    assert world.accept(of_template("ombi@1", "b", jina="Asha")).written.template == "ombi@1"
    for reference in ("ombi@3", "nyingine"):
        with pytest.raises(NoSuchTemplate):
            world.accept(of_template(reference, "c", jina="Asha"))


def test_a_repeat_is_told_the_version_that_was_used_first() -> None:
    world = shelved()
    world.accept(of_template(jina="Asha"))
    first = world.accepted
    world.shelf.add("ombi", "((cheo)) ((jina)) – karibu.", "((cheo)) ((jina)), welcome.")
    world.accept(of_template(jina="Asha"))
    assert world.accepted == first
    assert len(world.acceptances.came) == 1


def test_what_nothing_fills_is_named() -> None:
    world = shelved()
    for values in ({}, {"jina": " "}, {"name": "Asha"}):
        with pytest.raises(ValuesLacking, match=r"\(\(jina\)\)"):
            world.accept(of_template(**values))


def test_a_text_that_looks_like_phishing_is_refused_and_one_a_value_makes_so() -> None:
    world = shelved()
    for asked in (replace(ASKED, text="Tuma PIN yako"), of_template(jina="bit.ly/abc")):
        with pytest.raises(PhishingRefused):
            world.accept(asked)
    assert world.acceptances.came == []


def test_look_alikes_are_replaced_where_the_institution_lets_them() -> None:
    asked = replace(ASKED, text="\u201cHabari\u201d\u00a0\u2013 karibu\u2026")
    assert World().accept(asked).written.text == asked.text
    kept = World().accept(asked, replace(EGA, plain_text=True))
    assert (kept.written.text, kept.written.encoding.value) == ('"Habari" - karibu...', "gsm7")


def test_the_character_that_makes_a_text_ucs2_is_named_with_its_cost() -> None:
    world = World()
    world.accept(replace(ASKED, text="x" * 100 + "\u2019"))
    assert world.accepted
    (note,) = world.accepted.notes
    assert note.code == "ucs2"
    assert "U+2019 (right single quotation mark) at character 101" in note.sentence
    assert "2 parts in place of 1. Write ' instead." in note.sentence
    world.accept(replace(ASKED, key="plain"))
    assert world.accepted.notes == ()
