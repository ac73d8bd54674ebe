"""The sandbox's web process: `granian --interface wsgi ussdapp.sandbox.site:app`."""

from pathlib import Path

from ussdapp.bootstrap import open_gateway
from ussdapp.sandbox.phone.routes import add_phone
from ussdapp.web import create_app
from ussdapp.web.serving import utc_now

_gateway = open_gateway()
app = create_app(_gateway, utc_now)
if _gateway.settings.sandbox:
    add_phone(app, Path(_gateway.settings.ledger))
