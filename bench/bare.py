"""The least that Flask can do for a USSD callback: the form is read, a screen is sent.

WEB_APP=bench.bare:app granian ...
"""

from flask import Flask, Response, request

SCREEN = "CON Karibu huduma za Serikali\n1 Malipo (GePG)\n2 LUKU\n3 Ajira\n9 Huduma zaidi"

app = Flask(__name__)


@app.post("/ussd")
def ussd() -> Response:
    """The same screen for every key."""
    assert request.form["sessionId"]
    assert "text" in request.form
    return Response(SCREEN, mimetype="text/plain")
