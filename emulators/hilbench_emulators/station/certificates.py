"""Certificates that a station holds: read, identified by their hashes, listed and deleted; pure.

With the package ``cryptography`` (``pip install hilbench[tls]``) they are really read. Without it any well-formed PEM
counts as a certificate, and its hashes are of the whole, which no other system computes so.
"""

from __future__ import annotations

import hashlib
import importlib
import ssl
from dataclasses import dataclass, field
from typing import Any

MOST = 20
"""Certificates that find room."""
_NAMES = ("issuer_name_hash", "issuer_key_hash", "serial_number")
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def module(name: str) -> Any | None:
    """A module of ``cryptography``, None where that is not installed."""
    try:
        return importlib.import_module(f"cryptography.{name}")
    except ImportError:
        return None


def readable(pem: str, utc: float) -> bool:
    """Whether it is one certificate or a chain of them, all valid at ``utc`` (UTC [s])."""
    try:
        found = [_der(block) for block in _blocks(pem)]
        x509 = module("x509")
        if x509 is not None:
            return bool(found) and all(_holds(x509.load_der_x509_certificate(der), utc) for der in found)
    except (ValueError, TypeError):
        return False
    return bool(found) and all(der[:1] == b"\x30" for der in found)


def _holds(certificate: Any, utc: float) -> bool:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return bool(begin.timestamp() <= utc <= end.timestamp())


def _blocks(pem: str) -> list[str]:
    """Each certificate of a chain; raises ``ValueError`` for text outside of them."""
    parts = [part.strip() for part in pem.strip().split(_END)]
    if parts[-1] or not all(part.startswith(_BEGIN) for part in parts[:-1]):
        raise ValueError("no PEM certificates")
    return [f"{part}\n{_END}\n" for part in parts[:-1]]


def _der(block: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(block)


def hash_data(pem: str, algorithm: str = "SHA256") -> dict[str, str]:
    """CertificateHashData of the first certificate (OCPP 2.0.1 2.6; RFC 6960 for the hashes, standard-text).

    The issuer's key is known of self-signed certificates only, such as roots; of others their own key stands for it.
    """
    der = _der(_blocks(pem)[0])
    x509, forms = module("x509"), module("hazmat.primitives.serialization")
    if x509 is None or forms is None:
        return _hashed(algorithm, der, pem.encode(), int.from_bytes(hashlib.sha256(der).digest()[:8], "big"))
    certificate = x509.load_der_x509_certificate(der)
    key = certificate.public_key()
    return _hashed(algorithm, certificate.issuer.public_bytes(), _bits(key, forms), certificate.serial_number)


def _bits(key: Any, forms: Any) -> bytes:
    """The subjectPublicKey of RFC 5280, without its algorithm, of an RSA, EC or Edwards key."""
    encoding, form = forms.Encoding, forms.PublicFormat
    if hasattr(key, "encrypt"):
        return bytes(key.public_bytes(encoding.DER, form.PKCS1))
    if hasattr(key, "curve"):
        return bytes(key.public_bytes(encoding.X962, form.UncompressedPoint))
    return bytes(key.public_bytes(encoding.Raw, form.Raw))


def _hashed(algorithm: str, name: bytes, key: bytes, serial: int) -> dict[str, str]:
    make = getattr(hashlib, algorithm.lower())
    return {
        "hash_algorithm": algorithm,
        "issuer_name_hash": make(name).hexdigest(),
        "issuer_key_hash": make(key).hexdigest(),
        "serial_number": f"{serial:x}",
    }


@dataclass
class Certificates:
    """``held``: use and PEM of each, in the order of installation; ``own`` and ``key`` are the station's, PEM or empty.

    ``asked_key`` belongs to the certificate that has been asked for.
    """

    held: list[list[str]] = field(default_factory=list)
    own: str = ""
    key: str = ""
    asked_key: str = ""

    def install(self, use: str, pem: str, utc: float) -> str:
        """Status of InstallCertificate; the same again replaces (2.0.1 M05, standard-text)."""
        if not readable(pem, utc):
            return "Rejected"
        kept = [one for one in self.held if one != [use, pem]]
        if len(kept) >= MOST:
            return "Failed"
        self.held = [*kept, [use, pem]]
        return "Accepted"

    def delete(self, wanted: dict[str, Any]) -> str:
        """Status of DeleteCertificate; the station's own cannot be deleted (2.0.1 M04.FR.06, recalled)."""
        algorithm = str(wanted["hash_algorithm"])
        named = {key: str(wanted.get(key, "")).lower() for key in _NAMES}
        if self.own and _named(self.own, algorithm) == named:
            return "Failed"
        kept = [one for one in self.held if _named(one[1], algorithm) != named]
        found, self.held = len(kept) < len(self.held), kept
        return "Accepted" if found else "NotFound"

    def listed(self, uses: tuple[str, ...] = ()) -> list[tuple[str, dict[str, str]]]:
        """Use and hash data of those held for ``uses``, all without."""
        return [(use, hash_data(pem)) for use, pem in self.held if not uses or use in uses]

    def roots(self, use: str) -> str:
        """PEM of all that are held for a use."""
        return "\n".join(pem for kind, pem in self.held if kind == use)

    def request(self, identity: str, organisation: str) -> str:
        """A signing request for a new key; empty where no key can be made (no ``cryptography``).

        Keys are of chance: a run in which a station asks for a certificate leaves another trace each time.
        """
        x509, ec = module("x509"), module("hazmat.primitives.asymmetric.ec")
        hashes, forms = module("hazmat.primitives.hashes"), module("hazmat.primitives.serialization")
        if x509 is None or ec is None or hashes is None or forms is None:
            return ""
        key = ec.generate_private_key(ec.SECP256R1())
        names = ((x509.oid.NameOID.COMMON_NAME, identity), (x509.oid.NameOID.ORGANIZATION_NAME, organisation))
        subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in names])
        made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
        plain = forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()
        self.asked_key = key.private_bytes(*plain).decode()
        return str(made.public_bytes(forms.Encoding.PEM).decode())

    def signed(self, chain: str, utc: float) -> bool:
        """Take the station's own certificate; False for one of another key than was asked for, or not valid."""
        if not self.asked_key or not readable(chain, utc) or not _belongs(chain, self.asked_key):
            return False
        self.own, self.key, self.asked_key = chain, self.asked_key, ""
        return True


def _named(pem: str, algorithm: str) -> dict[str, str]:
    return {key: value for key, value in hash_data(pem, algorithm).items() if key in _NAMES}


def _belongs(chain: str, key: str) -> bool:
    x509, forms = module("x509"), module("hazmat.primitives.serialization")
    if x509 is None or forms is None:
        return False
    leaf = x509.load_der_x509_certificate(_der(_blocks(chain)[0])).public_key()
    private = forms.load_pem_private_key(key.encode(), None)
    return bool(leaf == private.public_key())
