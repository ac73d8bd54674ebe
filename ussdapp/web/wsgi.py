"""The web process's entry: `granian --interface wsgi ussdapp.web.wsgi:app`. Nothing imports it."""

from ussdapp.bootstrap import open_gateway
from ussdapp.web import create_app
from ussdapp.web.serving import utc_now

app = create_app(open_gateway(), utc_now)
