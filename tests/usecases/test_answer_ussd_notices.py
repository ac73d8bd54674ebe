"""A citizen stops notices, and starts them again, from the menu."""

from tests.fakes.dialogue import ASHA, Handset, World
from ussdapp.core.asks import ASKS
from ussdapp.core.reference import Reference
from ussdapp.core.session import MOST_TRIES, Shown

TRA, ALL = (ASHA, "tra"), (ASHA, None)
STOP_TRA, STOP_ALL = ("1", "tra", "1"), ("2", "1")
START_TRA, START_ALL = ("3", "tra", "1"), ("4", "1")
DEEP = ("9", "6", *STOP_TRA)


def keyed(world: World, session_id: str, *keys: str) -> Shown:
    phone = Handset(world.process(), session_id=session_id)
    phone.dials()
    return phone.keys_in("9", "6", *keys)


def test_notices_of_one_institution_are_stopped_and_start_again(world: World) -> None:
    assert keyed(world, "s1", *STOP_TRA).text.startswith(
        "Hutapokea tena matangazo na taarifa za TRA"
    )
    assert world.opt_outs.out == {TRA}
    assert keyed(world, "s2", *START_TRA).text.startswith("Umeruhusu tena taarifa za TRA")
    assert world.opt_outs.out == set()


def test_notices_of_all_are_stopped_and_to_come_back_to_all_is_to_come_back_to_each(
    world: World,
) -> None:
    keyed(world, "s1", *STOP_TRA)
    keyed(world, "s2", *STOP_ALL)
    assert world.opt_outs.out == {TRA, ALL}
    keyed(world, "s3", *START_TRA)
    assert world.opt_outs.out == {ALL}
    keyed(world, "s4", *START_ALL)
    assert world.opt_outs.out == set()


def test_nothing_is_stopped_that_was_not_confirmed(world: World) -> None:
    assert keyed(world, "s1", "1", "tra", "2").text.startswith("Matangazo na taarifa kwa SMS")
    world.sessions.drafts.clear()
    assert keyed(world, "s2", "2", "2").text.startswith("Matangazo na taarifa kwa SMS")
    world.sessions.drafts.clear()
    deep = Handset(world.process(), session_id="s3").sends("*".join(DEEP))
    assert deep.text.startswith("Uache kupata matangazo na taarifa za TRA?")
    assert world.opt_outs.changes == 0


def test_a_late_repeat_of_a_stop_does_not_undo_the_start_after_it(world: World) -> None:
    phone = Handset(world.process(), session_id="s1")
    phone.dials()
    stopped = phone.keys_in(*DEEP)
    keyed(world, "s2", *START_TRA)
    assert phone.sends("*".join(DEEP)) == stopped
    assert world.opt_outs.out == set()


def test_without_postgresql_nothing_is_said_to_be_stopped(world: World) -> None:
    world.opt_outs.down = True
    assert keyed(world, "s1", *STOP_TRA).text.startswith("Samahani, hatukuweza kubadilisha sasa.")


def test_each_ask_for_notices_is_an_effect() -> None:
    asks = [shape for name, shape in ASKS.items() if name.startswith("notices.")]
    assert len(asks) == 4
    assert all(shape.effect for shape in asks)


def test_the_same_words_again_are_said_to_be_there_already(world: World) -> None:
    for session_id in ("s1", "s2"):
        phone = Handset(world.process(), session_id=session_id)
        phone.dials()
        shown = phone.keys_in("9", "2", "1", "1", "ega", "Maji hayatoki Mbezi", "1", "1")
    (case,) = world.cases.cases.values()
    assert shown.text.startswith("Tayari umeshatuma ujumbe huu kwa EGA.")
    assert str(case.reference) in shown.text


def test_after_ten_wrong_references_the_citizen_is_told_to_come_back_tomorrow(
    world: World,
) -> None:
    for number in range(MOST_TRIES):
        world.sessions.tried(ASHA, "20261122", Reference.numbered(number).digits)
    phone = Handset(world.process())
    phone.dials()
    shown = phone.keys_in("9", "2", "2", Reference.numbered(77).digits)
    assert shown.ends
    assert shown.text.startswith("Leo umeandika namba za kumbukumbu zisizo sahihi")
