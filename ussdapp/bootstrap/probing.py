"""Tries a channel as it is configured, without submitting anything."""

from importlib import import_module

from ussdapp.bootstrap.channels import KINDS
from ussdapp.settings import ChannelSettings
from ussdapp.wire.probe import probe_bind


def probe(channel: ChannelSettings) -> str:
    """What is wrong with it, in one sentence, or "": an SMPP channel is bound and unbound, any
    other is asked for something of its account that costs nothing."""
    if channel.kind not in KINDS:
        return f"kind must be one of {', '.join(KINDS)}"
    module = import_module(KINDS[channel.kind])
    try:
        if channel.kind == "smpp":
            options = module.read_options(channel.options)
            return probe_bind(options.login, options.limits, options.tls)
        return str(module.probe(channel.options))
    except ValueError as refusal:
        return f"its settings are refused: {refusal}"
