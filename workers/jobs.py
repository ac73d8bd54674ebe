"""What RQ calls by name: each job is a doorbell and carries a channel's name."""

from workers.bound import bound


def deliver(_channel: str, hands: int = 1) -> None:
    """There may be work on that channel; so many of its workers were told."""
    bound().rung(hands)
