"""Where channels are joined: which module speaks a kind, and which channel takes an MSISDN."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

from ussdapp.channels import africastalking, beem
from ussdapp.core.routing import Route, Routes
from ussdapp.core.simulated import ROUTES as SIMULATED_ROUTES
from ussdapp.core.simulated import SIMULATED
from ussdapp.ports import BoundSending
from ussdapp.settings import ChannelSettings, Settings, SettingsRefused
from ussdapp.wire.http import Callbacks

# by name: only the process that submits on a channel imports what its kind needs
KINDS: Final = {
    "smpp": "ussdapp.channels.smpp",
    "africastalking": "ussdapp.channels.africastalking.sending",
    "beem": "ussdapp.channels.beem.sending",
}
CALLBACKS: Final[Mapping[str, Callable[[str], Callbacks]]] = {
    "africastalking": africastalking.AfricasTalkingCallbacks,
    "beem": beem.BeemCallbacks,
}


def dialects(settings: Settings) -> dict[str, Callbacks]:
    """The dialect of each channel that is called back; raises SettingsRefused."""
    called = [channel for channel in settings.channels.values() if channel.tokens]
    if strangers := [channel for channel in called if channel.callbacks not in CALLBACKS]:
        known = ", ".join(CALLBACKS)
        names = ", ".join(channel.name for channel in strangers)
        raise SettingsRefused(f"channels {names}: callbacks must be one of {known}")
    return {channel.name: CALLBACKS[channel.callbacks](channel.name) for channel in called}


def sending(channel: ChannelSettings) -> BoundSending:
    """A channel that submits, made anew; raises ValueError for what is wrong with its settings."""
    if channel.kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    made: BoundSending = import_module(KINDS[channel.kind]).build(channel.name, channel.options)
    return made


def routes_of(settings: Settings) -> Routes:
    """The configured prefixes; what none of them takes goes by the first channel."""
    if SIMULATED in settings.channels:
        raise SettingsRefused(f"no channel can be named {SIMULATED}: choose another name")
    rules = [
        Route(prefix, channel.name)
        for channel in settings.channels.values()
        for prefix in channel.routes
    ]
    return Routes.ordered([*SIMULATED_ROUTES, *rules, Route("", next(iter(settings.channels)))])


def heard_on(settings: Settings) -> dict[tuple[str, str], str]:
    """Which channel reaches a network that an inbound came from: an operator's bind its own, and
    what an aggregator names the channel that lists it."""
    channels = settings.channels.values()
    own = {(one.name, ""): one.name for one in channels if one.kind == "smpp"}
    return own | {
        (via.name, network): one.name
        for one in channels
        for network in one.networks
        for via in channels
        if via.kind != "smpp"
    }
