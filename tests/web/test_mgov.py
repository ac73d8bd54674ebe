"""A client of the government's mGov gateway changes the host and nothing else."""

import hashlib
import hmac
import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from werkzeug.test import TestResponse

from tests.fakes.served import ASHA, JUMA, Served, listening, now
from ussdapp.core.keys import IssuedKey, KeyRequest, MgovKey
from ussdapp.stores.balance import balance
from ussdapp.web.mgov_bodies import Sent, signed_by

V2 = "/gateway/sms/v2/send-sms"
V1 = ("/gateway/sms/quick_sms", "/msdg/public/quick_sms")
SECRET = "5d2f6c1e-8a43-4b0a-9d0e-1f2e3d4c5b6a"
NAMES = {"sys_id": "EG-7KQ2MZ4X", "user_id": "mfumo@ega.go.tz", "mobile_service_id": "123"}
OK_V1 = {
    "error": False, "statusCode": 48200, "statusMessage": "Success",
    "data": ["Message accepted delivery"],
}  # fmt: skip


@pytest.fixture
def world(world: Served) -> Served:
    keys = world.gateway.keys
    keys.issue_mgov(KeyRequest("ega", "mgov", (), per_second=1000), SECRET, NAMES, now())
    return world


def signature(octets: bytes, secret: str = SECRET) -> str:
    """As the portal's guide says, made without the gateway's own code."""
    return b64encode(hmac.new(secret.encode(), octets, hashlib.sha256).digest()).decode()


def v2_body(**changes: Any) -> dict[str, Any]:
    return {
        "recipients": ASHA, "message": "Ombi lako limepokelewa.",
        "datetime": "2026-08-08 14:03:22", "mobileServiceId": "123", "senderId": "15200",
        "messageId": "11111111-2222-3333-4444-555555555555", **changes,
    }  # fmt: skip


def v1_body(**changes: Any) -> dict[str, Any]:
    return {
        "message": "Ombi lako limepokelewa.", "datetime": "2026-08-08 14:03:22",
        "sender_id": "15200", "mobile_service_id": 123, "recipients": ASHA, **changes,
    }  # fmt: skip


def v2(world: Served, octets: bytes, **headers: str) -> TestResponse:
    sent = {"hash": signature(octets), "sysId": NAMES["sys_id"], **headers}
    return world.web.post(V2, data=octets, headers=sent, content_type="application/json")


def v1(
    world: Served, data: str, how: str = "json", path: str = V1[0], **headers: str
) -> TestResponse:
    sent = {
        "X-Auth-Request-Hash": signature(data.encode()), "X-Auth-Request-Id": NAMES["user_id"],
        "X-Auth-Request-Type": "api", **{k.replace("_", "-"): v for k, v in headers.items()},
    }  # fmt: skip
    outer = {"data": data, "datetime": "2026-08-08 14:03:22"}
    match how:
        case "json":
            return world.web.post(path, json=outer, headers=sent)
        case "form":
            return world.web.post(path, data=outer, headers=sent)
        case _:
            return world.web.post(
                path, data=outer, headers=sent, content_type="multipart/form-data"
            )


def texts(world: Served) -> list[tuple[str, str]]:
    """Whom the operator would be handed what."""
    lease = world.gateway.leases.take("sandbox", 1, now())
    assert lease
    rows = world.gateway.journal.claim(lease, 100, now())
    return [(row.msisdn.digits, row.text) for row in rows]


@pytest.mark.parametrize(
    ("secret", "signed", "made"),
    [
        ("private_key", '{"message":"test","datetime":"2021-07-13 11:16:34","sender_id":'
         '"sender_id","mobile_service_id":"service_id","recipients":"1"}',
         "lI/b3Yz3uIByNpQy+D2xcfBK5I9uoPUAE/sqtw1COxw="),
        ("test-api-key", '{"recipients":"255712345678","message":"Ombi lako limepokelewa. '
         'Kumbukumbu: RT234566710.","datetime":"2026-08-08 14:03:22","mobileServiceId":"123",'
         '"senderId":"15200","messageId":"11111111-2222-3333-4444-555555555555"}',
         "0tN/9BMLq/Fn01F6oPNCILY0EWrC1B6OBINLSZwQrok="),
    ],
    ids=["v1, from openIMIS", "v2"],
)  # fmt: skip
def test_the_published_vectors_are_signed_by_their_keys(
    secret: str, signed: str, made: str
) -> None:
    holder = IssuedKey(1, "ega", live=True, scopes=frozenset())
    keys = [MgovKey(holder, "another", "1"), MgovKey(holder, secret, "1")]
    assert signed_by(Sent(1, "x", made, signed.encode()), keys) is keys[1]
    assert signed_by(Sent(1, "x", made, signed.encode() + b" "), keys) is None
    assert signed_by(Sent(1, "x", made, signed.encode()), []) is None


def test_v2_accepts_and_says_success(world: Served) -> None:
    answer = v2(world, json.dumps(v2_body()).encode())
    assert (answer.status_code, answer.get_json()) == (200, {"success": True})
    assert texts(world) == [(ASHA, "Ombi lako limepokelewa.")]


@pytest.mark.parametrize("path", V1)
@pytest.mark.parametrize("how", ["json", "form", "multipart"])
def test_v1_accepts_in_each_encoding(world: Served, how: str, path: str) -> None:
    data = json.dumps(v1_body(message='Barua ya "Kodi" & ada + 5%, naïve'), ensure_ascii=False)
    answer = v1(world, data, how, path)
    assert (answer.status_code, answer.get_json()) == (200, OK_V1)
    assert texts(world) == [(ASHA, 'Barua ya "Kodi" & ada + 5%, naïve')]


@pytest.mark.parametrize(
    "spelt",
    ['{"message":"a\\/b","datetime":"2026-08-08 14:03:22","sender_id":"15200",'
     '"mobile_service_id":"123","recipients":"255754000001"}',
     '{ "recipients" : "255754000001", "message" : "a\\u002fb", "mobile_service_id" : 123,\r\n'
     '"datetime" : "2026-08-08 14:03:22.123", "sender_id" : "15200" }'],
    ids=["as PHP spells it", "in another order"],
)  # fmt: skip
def test_the_hash_covers_the_string_as_it_was_sent(world: Served, spelt: str) -> None:
    for how in ("json", "form", "multipart"):
        assert v1(world, spelt, how).get_json() == OK_V1
    # the same octets in each: one request
    assert texts(world) == [(ASHA, "a/b")]


@pytest.mark.parametrize("joined", [f"{ASHA},{JUMA}", f"{ASHA}, {JUMA}", f" {ASHA} ,{JUMA}, "])
def test_recipients_come_with_and_without_spaces(world: Served, joined: str) -> None:
    assert v2(world, json.dumps(v2_body(recipients=joined)).encode()).get_json()["success"]
    assert {to for to, _ in texts(world)} == {ASHA, JUMA}


def test_a_recipient_that_comes_twice_is_texted_once(world: Served) -> None:
    v2(world, json.dumps(v2_body(recipients=f"{ASHA},{ASHA},0754000001")).encode())
    assert len(texts(world)) == 1


@pytest.mark.parametrize("spelt", ["2026-08-08 14:03:22", "2026-08-08 14:03:22.123"])
def test_the_time_formats_seen_are_taken(world: Served, spelt: str) -> None:
    assert v2(world, json.dumps(v2_body(datetime=spelt)).encode()).get_json()["success"]


@pytest.mark.parametrize(
    "spelt", ["08/08/2026 14:03", "2026-08-08T14:03:22Z", "2026-13-08 14:03:22", "2026-08-08"]
)
def test_another_time_format_is_refused_in_the_gateways_own_words(
    world: Served, spelt: str
) -> None:
    told = v2(world, json.dumps(v2_body(datetime=spelt)).encode()).get_json()
    assert told["success"] is False
    assert told["statusMessage"] == ("Wrong datetime format, allowed format 'yyyy-mm-dd hh:mm:ss'")
    assert v1(world, json.dumps(v1_body(datetime=spelt))).get_json()["error"] is True
    assert texts(world) == []


def test_what_looks_like_phishing_is_refused_in_the_shape_of_either_version(world: Served) -> None:
    asks = "Tuma PIN yako kwa 0754000001"
    told = v2(world, json.dumps(v2_body(message=asks)).encode()).get_json()
    assert (told["success"], told["statusCode"]) == (False, 48205)
    assert told["statusMessage"].startswith("It asks for a PIN")
    told = v1(world, json.dumps(v1_body(message="Lipa bit.ly/abc"))).get_json()
    assert (told["error"], told["statusCode"]) == (True, 48205)
    assert "bit.ly" in told["data"][0]
    assert texts(world) == []


def test_a_repeated_message_id_texts_once(world: Served) -> None:
    first = json.dumps(v2_body(recipients=f"{ASHA},{JUMA}")).encode()
    later = json.dumps(
        v2_body(recipients=f"{ASHA},{JUMA}", datetime="2026-08-08 14:05:00")
    ).encode()
    assert {v2(world, one).get_json()["success"] for one in (first, first, later)} == {True}
    assert len(texts(world)) == 2
    assert balance(world.gateway.database).holds


@pytest.mark.parametrize(
    "changes",
    [{"message": "Nyingine"}, {"recipients": f"{ASHA},{JUMA}"}, {"recipients": JUMA}],
    ids=["another text", "one recipient more", "another recipient"],
)  # fmt: skip
def test_a_message_id_of_another_message_is_refused_whole(
    world: Served, changes: dict[str, str]
) -> None:
    v2(world, json.dumps(v2_body()).encode())
    told = v2(world, json.dumps(v2_body(**changes)).encode()).get_json()
    assert told["success"] is False
    assert len(texts(world)) == 1


def test_a_wrong_hash_and_an_unknown_system_are_one_answer(world: Served) -> None:
    octets = json.dumps(v2_body()).encode()
    answers = [
        v2(world, octets, hash=signature(octets, "another")),
        v2(world, octets, hash=signature(octets + b" ")),
        v2(world, octets, sysId="EG-UNKNOWN0"),
        v2(world, octets, hash=""),
        v2(world, b"\xff\xfe", hash="é"),
    ]
    assert {(one.status_code, one.data) for one in answers} == {
        (200, b'{"success":false,"statusCode":48205,"statusMessage":"Authentication failed"}')
    }
    data = json.dumps(v1_body())
    refused = v1(world, data, X_Auth_Request_Hash=signature(b"another")).get_json()
    assert (refused["error"], refused["statusCode"]) == (True, 48205)
    assert texts(world) == []


def test_what_is_wrong_is_said_in_the_shape_of_its_version(world: Served) -> None:
    for changes in ({"recipients": "1"}, {"recipients": " , "}, {"message": ""}, {"message": 5.5},
                    {"senderId": "MALIASILI", "sender_id": "MALIASILI"},
                    {"mobileServiceId": "124", "mobile_service_id": 124},
                    {"message": "\ud800"}, {"message": "x" * 1531}):  # fmt: skip
        told = v2(world, json.dumps(v2_body(**changes)).encode()).get_json()
        assert (told["success"], told["statusCode"]) == (False, 48205)
        assert told["statusMessage"]
        told = v1(world, json.dumps(v1_body(**changes))).get_json()
        assert (told["error"], told["statusCode"]) == (True, 48205)
        assert told["data"]
    for octets in (b"", b"[]", b"{", b"[" * 50_000, b'"x"'):
        assert v2(world, octets).get_json()["success"] is False
        assert v1(world, octets.decode()).get_json()["error"] is True
    outer = world.web.post(V1[0], json={"data": {"message": "x"}})
    assert outer.get_json()["error"] is True
    assert texts(world) == []


def test_an_allotted_name_is_a_sender_id(world: Served) -> None:
    world.allot("ega", "MALIASILI")
    assert v1(world, json.dumps(v1_body(sender_id="MALIASILI"))).get_json() == OK_V1


def test_both_keys_of_a_system_are_good_while_one_takes_the_others_place(world: Served) -> None:
    keys = world.gateway.keys
    keys.issue_mgov(KeyRequest("ega", "mgov", ()), "the-next-secret", NAMES, now())
    octets = json.dumps(v2_body()).encode()
    assert v2(world, octets, hash=signature(octets, "the-next-secret")).get_json()["success"]
    assert v2(world, octets).get_json()["success"]


def test_thousands_of_recipients_are_accepted_together(world: Served) -> None:
    joined = ",".join(f"2557{number:08d}" for number in range(10_000_000, 10_002_500))
    assert v2(world, json.dumps(v2_body(recipients=joined)).encode()).get_json()["success"]
    assert world.query("SELECT class, count(*) FROM notifications GROUP BY 1") == [("bulk", 2500)]
    assert world.query("SELECT cardinality(ids) FROM queue ORDER BY id") == [
        (1000,),
        (1000,),
        (500,),
    ]
    assert balance(world.gateway.database).holds


def test_twenty_at_once_with_one_message_id_text_once(world: Served) -> None:
    octets = json.dumps(v2_body(recipients=f"{ASHA},{JUMA},255754000003")).encode()
    headers = {"hash": signature(octets), "sysId": NAMES["sys_id"]}
    with listening(world) as url, ThreadPoolExecutor(20) as pool:
        sent = [
            pool.submit(requests.post, url + V2, data=octets, headers=headers, timeout=30)
            for _ in range(20)
        ]
        assert {one.result().content for one in sent} == {b'{"success":true}'}
    assert len(texts(world)) == 3
    assert balance(world.gateway.database).holds


def test_who_comes_too_often_is_told_when_to_come_again(world: Served) -> None:
    names = {**NAMES, "sys_id": "EG-SLOW0000"}
    world.gateway.keys.issue_mgov(KeyRequest("ega", "slow", (), per_second=1), "slow", names, now())
    octets = json.dumps(v2_body()).encode()
    headers = {"hash": signature(octets, "slow"), "sysId": "EG-SLOW0000"}
    answers = [v2(world, octets, **headers) for _ in range(3)]
    assert answers[0].get_json() == {"success": True}
    assert (answers[2].status_code, answers[2].get_json()["success"]) == (429, False)
    assert answers[2].headers["Retry-After"] == "1"


def test_a_body_of_megabytes_is_refused_in_its_shape(world: Served) -> None:
    answer = v2(world, b" " * (1024 * 1024 + 1))
    assert (answer.status_code, answer.get_json()["success"]) == (413, False)


def test_a_test_key_of_mgov_texts_no_one(world: Served) -> None:
    names = {**NAMES, "sys_id": "EG-TEST0000", "user_id": "jaribio@ega.go.tz"}
    world.gateway.keys.issue_mgov(
        KeyRequest("ega", "jaribio", (), live=False), "test-secret", names, now()
    )
    octets = json.dumps(v2_body()).encode()
    answer = v2(world, octets, hash=signature(octets, "test-secret"), sysId="EG-TEST0000")
    assert answer.get_json()["success"]
    assert texts(world) == []


def test_over_its_quota_a_client_is_told_so_and_until_when(world: Served) -> None:
    world.query("UPDATE institutions SET quota_day = 1 RETURNING 1")
    told = []
    for number in range(2):
        octets = json.dumps(v2_body(messageId=f"m{number}")).encode()
        told.append(v2(world, octets))
    assert [answer.status_code for answer in told] == [200, 429]
    assert told[1].get_json()["success"] is False
    assert "quota of 1 parts a day" in told[1].get_json()["statusMessage"]
    assert 0 < int(told[1].headers["Retry-After"]) <= 86400
    refused = v1(world, json.dumps(v1_body()))
    assert (refused.status_code, refused.get_json()["error"]) == (429, True)
    assert len(texts(world)) == 1
