"""The options of a channel that speaks SMPP."""

import pytest

from ussdapp.channels import smpp


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"host": None}, "host"),
        ({"port": "2775"}, "port"),
        ({"password": "123456789"}, "password"),
        ({"system_id": "x" * 16}, "system_id"),
        ({"bind_type": "both"}, "bind_type"),
        ({"window": 0}, "window"),
        ({"tps": "fast"}, "tps"),
        ({"response_s": -1}, "response_s"),
        ({"long_text": "long"}, "long_text"),
        ({"sar_references": 1}, "sar_references"),
        ({"pdu_octets": 1 << 20}, "pdu_octets"),
        ({"alphabet": "ebcdic"}, "alphabet"),
        ({"states": {"0": "sent"}}, "states"),
        ({"states": "0"}, "states"),
        ({"statuses": {"0x401": "delivered"}}, "statuses"),
        ({"statuses": {"0": "rejected"}}, "statuses"),
        ({"tls": True, "ca_file": "/nowhere"}, "ca_file"),
    ],
)
def test_a_wrong_option_is_named(wrong, named):
    options = {"host": "h", "port": 1, "system_id": "ega", "password": "secret", **wrong}
    with pytest.raises(ValueError, match=named):
        smpp.build("vodacom", options)


def test_a_password_may_be_in_a_file_and_stays_out_of_reprs(tmp_path):
    path = tmp_path / "password"
    path.write_text("s3cret\n")
    options = smpp.read_options(
        {"host": "h", "port": 1, "system_id": "ega", "password_file": str(path)}
    )
    assert options.login.password == "s3cret"
    assert "s3cret" not in repr(options)
