"""An institution publishes a template: both texts checked, a new version, or an older one again."""

from dataclasses import dataclass
from datetime import datetime

from ussdapp.core.keys import IssuedKey
from ussdapp.core.templates import TemplateVersion, check
from ussdapp.ports import Templates


@dataclass(frozen=True, slots=True)
class PublishTemplate:
    """Both raise Unavailable."""

    templates: Templates

    def __call__(
        self, holder: IssuedKey, name: str, texts: tuple[str, str], now: datetime
    ) -> tuple[TemplateVersion | None, bool]:
        """The version that stands when it returns, committed, and whether it is new; None for a
        test key, which only has the texts checked. Raises TemplateRefused."""
        check(*texts)
        if not holder.live:
            return None, False
        return self.templates.publish(holder.institution, name, texts, holder.person, now)

    def roll_back(
        self, holder: IssuedKey, name: str, to: int | None, now: datetime
    ) -> TemplateVersion:
        """Lets version `to` stand, or the one before. Raises NoSuchTemplate, NoSuchVersion."""
        return self.templates.roll_back(holder.institution, name, to, holder.person, now)
