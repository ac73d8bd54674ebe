"""What Schemathesis asks beside its own checks. Loaded by it, in a place of its own: it may import
nothing of ours.

A schema says which requests are well formed. What only the gateway can know (whose a sender ID is,
what a cursor names) is refused as 422 with one of these codes; any other refusal of
a request that the schema allows is a fault of the schema.
"""

import schemathesis

KNOWN = {
    ("cursor", "unknown"),
    ("sender_id", "not_allotted"),
    ("send_at", "range"),
    ("since", "range"),
    ("from", "range"),
    ("to", "not_simulated"),
    ("institution", "unknown"),
    ("institution", "same"),
    ("template", "unknown"),
    ("values", "missing"),
    ("values", "no_template"),
    ("values", "too_long"),
    ("text", "required"),  # one of text and template, which a schema says at too great a length
    ("text", "both"),
    ("text", "too_long"),  # counted in parts, which depend on the characters
    ("text", "required"),  # where there is no template
    ("text", "both"),
    ("text", "foreign_link"),
    ("text", "asks_secret"),
    ("text", "asks_money"),
    ("template", "unknown"),
    ("values", "no_template"),
    ("values", "missing"),
    ("values", "unreadable"),
    ("values", "foreign_link"),
    ("values", "asks_secret"),
    ("values", "asks_money"),
    ("name", "shape"),
    ("sw", "foreign_link"),
    ("sw", "asks_secret"),
    ("sw", "asks_money"),
    ("sw", "placeholder"),
    ("sw", "too_long"),
    ("en", "foreign_link"),
    ("en", "asks_secret"),
    ("en", "asks_money"),
    ("en", "placeholder"),
    ("en", "too_long"),
    ("file", "unreadable"),
    ("file", "no_to"),
    ("file", "no_column"),
    ("file", "twice"),
    ("file", "size"),
}
ANY = {"value", "url"}  # of a code that is asked for: what it may be is the charter's
# what the proof says of a branch's files, and the lint of a text that looks like phishing
JUDGED = {"menu", "foreign_link", "asks_secret", "asks_money"}


@schemathesis.check
def well_formed_is_taken(ctx, response, case) -> None:
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code != 422:
        return
    errors = response.json().get("errors", [])
    said = {
        (one["field"], one["code"])
        for one in errors
        if one["field"] not in ANY and one["code"] not in JUDGED
    }
    assert errors, f"refused without a field: {response.json()['detail']}"
    assert said <= KNOWN, f"the schema allows it, and it is refused as {sorted(said - KNOWN)}"


@schemathesis.check
def refusals_say_which_field(ctx, response, case) -> None:
    if response.status_code >= 400:
        told = response.json()
        assert told["status"] == response.status_code
        assert told["detail"].endswith((".", "?")), told["detail"]
