import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fakes.patience import PATIENCE
from tests.wire.peer import QUICK, Peer
from ussdapp.wire import pdu
from ussdapp.wire.bodies import Address, Login, SubmitFields, read_delivered, submit_body
from ussdapp.wire.smpp import Bind
from ussdapp.wire.window import Answered


@pytest.fixture
def certificate(tmp_path):
    """The file of a key and a certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smsc")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "smsc.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


class TlsPeer(Peer):
    """A peer that speaks TLS from the start."""

    def __init__(self, certificate) -> None:
        super().__init__()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)

    def accept(self) -> None:
        super().accept()
        self.connection = self._context.wrap_socket(self.connection, server_side=True)


def test_a_window_crosses_tls_whole_also_when_the_peer_pauses(certificate):
    peer = TlsPeer(certificate)
    trusting = ssl.create_default_context(cafile=certificate)
    patient = replace(QUICK, response_s=30)
    login = Login("127.0.0.1", peer.port, "ega", "x")
    bind = Bind(login, patient, lambda delivered: True, trusting)
    ours, theirs = Address(3, 0, "15200"), Address(1, 1, "255754000001")
    window = [
        submit_body(SubmitFields(ours, theirs, b"%05d" % n + b"x" * 200)) for n in range(5000)
    ]
    with ThreadPoolExecutor(2) as pool:
        welcomed = pool.submit(peer.welcome)
        bind.connect()
        welcomed.result(PATIENCE)
        waiting = pool.submit(bind.submit, window)
        time.sleep(0.2)
        for one in peer.hear_all(len(window)):
            name = read_delivered(one.body).short_message[:5]
            peer.say(pdu.SUBMIT_SM | pdu.RESPONSE, 0, one.sequence, name + b"\0")
        assert waiting.result(PATIENCE) == [Answered(0, f"{n:05d}") for n in range(len(window))]
    peer.close()
    bind.close()


def test_a_certificate_nobody_vouches_for_is_a_dead_network(certificate):
    peer = TlsPeer(certificate)
    wary = ssl.create_default_context()
    bind = Bind(Login("127.0.0.1", peer.port, "ega", "x"), QUICK, lambda delivered: True, wary)
    with ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(peer.accept)
        with pytest.raises(ssl.SSLCertVerificationError):
            bind.connect()
        with pytest.raises(ssl.SSLError):
            accepted.result(PATIENCE)
    peer.close()
