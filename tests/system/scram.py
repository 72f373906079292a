"""The client's side of SCRAM (RFC 5802, RFC 7677), which Python's imaplib and poplib do not have."""

import base64
import hashlib
import hmac
import secrets
import ssl


class Scram:
    def __init__(self, mechanism, user, password, identity="", flag="n", data=b""):
        """flag is the gs2-cbind-flag, data what is bound to with "p=…"."""
        self.hash = "sha1" if "SHA-1" in mechanism else "sha256"
        self.password = password
        self.header = f"{flag}," + (f"a={self.name(identity)}" if identity else "") + ","
        self.binding = self.header.encode() + data
        self.nonce = secrets.token_urlsafe(18)
        self.bare = f"n={self.name(user)},r={self.nonce}"
        self.salt = None

    @staticmethod
    def name(text):
        return text.replace("=", "=3D").replace(",", "=2C")

    def first(self):
        return (self.header + self.bare).encode()

    def mac(self, key, text):
        return hmac.new(key, text, self.hash).digest()

    def final(self, server_first):
        parts = dict(part.split("=", 1) for part in server_first.decode().split(","))
        assert parts["r"].startswith(self.nonce) and len(parts["r"]) > len(self.nonce), server_first
        self.salt = parts["s"]
        salted = hashlib.pbkdf2_hmac(self.hash, self.password.encode(), base64.b64decode(self.salt), int(parts["i"]))
        without = f"c={base64.b64encode(self.binding).decode()},r={parts['r']}"
        auth = f"{self.bare},{server_first.decode()},{without}".encode()
        client = self.mac(salted, b"Client Key")
        signature = self.mac(hashlib.new(self.hash, client).digest(), auth)
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(client, signature))).decode()
        self.expected = self.mac(self.mac(salted, b"Server Key"), auth)
        return f"{without},p={proof}".encode()

    def check(self, server_final):
        """The server has shown that it knows the keys, too."""
        assert server_final == b"v=" + base64.b64encode(self.expected), server_final
        return b""

    def answer(self, challenge):
        """For imaplib's authenticate(): the next message."""
        if not challenge:
            return self.first()
        return self.check(challenge) if challenge.startswith(b"v=") else self.final(challenge)


def end_point(folder, certificate):
    """tls-server-end-point of a certificate in PEM that is signed with SHA-256."""
    with open(f"{folder}/{certificate}", encoding="ascii") as file:
        first = file.read().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).digest()
