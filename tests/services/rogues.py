"""Servers that only pretend to be PostgreSQL or MySQL: each asks for the password in one way and keeps all that it is sent."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.certificates import Certificates

PATIENCE_S = 10.0
NONCE = b"walrus-nonce-20bytes"


@dataclass(slots=True)
class Rogue:
    """A server on 127.0.0.1; `asks` are its requests, in this order.

    Args:
        asks: of PostgreSQL numbers of Authentication messages, of MySQL names of plug-ins; other texts are in the classes.
        tls: whether it offers TLS, with a certificate that nobody vouches for.
    """

    asks: Sequence[object]
    tls: bool
    certificates: Certificates
    received: bytearray = field(default_factory=bytearray)
    packets: list[bytes] = field(default_factory=list)
    server: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server.getsockname()[1])

    def serve(self) -> None:
        """Take connections one after the other, until the server is closed."""
        while True:
            try:
                link, _ = self.server.accept()
            except OSError:
                return
            link.settimeout(PATIENCE_S)
            with ExitStack() as opened, suppress(OSError, struct.error, IndexError):
                self.talk(opened.enter_context(link), opened)

    def talk(self, link: socket.socket, opened: ExitStack) -> None:
        """Speak the protocol of the server that it pretends to be."""
        raise NotImplementedError

    def behind_tls(self, link: socket.socket, opened: ExitStack) -> socket.socket:
        """Return the link inside TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.cert_file, self.certificates.key_file)
        return opened.enter_context(context.wrap_socket(link, server_side=True))

    def read(self, link: socket.socket, size: int) -> bytes:
        """Read exactly so many bytes, and keep them."""
        data = b""
        while len(data) < size:
            part = link.recv(size - len(data))
            if not part:
                raise ConnectionResetError
            data += part
            self.received += part
        return data

    def knows(self, password: str) -> bool:
        """Return whether the password was in what it was sent, in any form that it can undo."""
        secret = password.encode()
        everything = bytes(self.received)
        xored = _xor(secret + b"\0", NONCE)
        if secret in everything or xored in everything or xored[:-1] in everything:
            return True
        for packet in self.packets:
            with suppress(ValueError):
                plain = KEY.decrypt(packet, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
                if secret in _xor(plain, NONCE):
                    return True
        return False


class RoguePostgreSQL(Rogue):
    """`asks`: numbers of Authentication messages (3 clear text, 5 MD5, 10 SASL, ...), 11 the server's part of SCRAM."""

    def talk(self, link: socket.socket, opened: ExitStack) -> None:
        """Take the start-up packet, then ask."""
        while True:
            (size,) = struct.unpack("!i", self.read(link, 4))
            body = self.read(link, size - 4)
            (code,) = struct.unpack("!i", body[:4])
            if code == 80877103:  # SSLRequest
                link.sendall(b"S" if self.tls else b"N")
                link = self.behind_tls(link, opened) if self.tls else link
            elif code == 80877104:  # GSSENCRequest
                link.sendall(b"N")
            else:
                break
        for number in self.asks:
            body = {5: b"salt", 10: b"SCRAM-SHA-256\0PLAIN\0\0", 8: b"ticket"}.get(number, b"")
            if number == 11:
                nonce = self.packets[-1].partition(b"r=")[2]
                body = b"r=" + nonce + b"rogue,s=c2FsdHNhbHQ=,i=1"
            link.sendall(b"R" + struct.pack("!ii", 8 + len(body), number) + body)
            kind, size = struct.unpack("!ci", self.read(link, 5))
            del kind
            self.packets.append(self.read(link, size - 4))
        link.sendall(b"E" + struct.pack("!i", 4 + 20) + b"SFATAL\0C28P01\0Mno\0\0\0\0")


class RogueMySQL(Rogue):
    """`asks`: the plug-in of its greeting, then plug-ins to switch to; `full` and `key` are the steps of the SHA-2 ones.

    `ok` ends the sign-in, `file` asks for /etc/passwd.
    """

    def talk(self, link: socket.socket, opened: ExitStack) -> None:
        """Greet, then ask."""
        first, *further = self.asks
        capabilities = 0xFFFF if self.tls else 0xF7FF  # with and without CLIENT_SSL
        greeting = (
            b"\x0a8.0.99\0" + struct.pack("<I", 1) + NONCE[:8] + b"\0" + struct.pack("<H", capabilities) + b"\x2d\x02\0"
            + struct.pack("<H", 0x00FF) + b"\x15" + bytes(10) + NONCE[8:] + b"\0" + str(first).encode() + b"\0"
        )  # fmt: skip
        number = self._send(link, 0, greeting)
        answer, number = self._receive(link)
        if self.tls and len(answer) == 32:  # a request for TLS has no user
            link = self.behind_tls(link, opened)
            _, number = self._receive(link)
        for step in further:
            number = self._send(link, number, self._request(str(step)))
            _, number = self._receive(link)
        self._send(link, number, b"\xff\x15\x04#28000no")

    def _request(self, step: str) -> bytes:
        if step == "full":
            return b"\x01\x04"
        if step == "key":
            return b"\x01" + KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        if step == "ok":
            return b"\0\0\0\x02\0\0\0"
        if step == "file":
            return b"\xfb/etc/passwd"
        return b"\xfe" + step.encode() + b"\0" + NONCE + b"\0"

    def _send(self, link: socket.socket, number: int, payload: bytes) -> int:
        link.sendall(struct.pack("<I", len(payload))[:3] + bytes([number]) + payload)
        return number + 1

    def _receive(self, link: socket.socket) -> tuple[bytes, int]:
        head = self.read(link, 4)
        payload = self.read(link, int.from_bytes(head[:3], "little"))
        self.packets.append(payload)
        return payload, head[3] + 1


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@contextmanager
def running(rogue: Rogue) -> Iterator[Rogue]:
    """Let it serve, and end it afterwards."""
    thread = threading.Thread(target=rogue.serve)
    thread.start()
    try:
        yield rogue
    finally:
        with suppress(OSError):
            rogue.server.shutdown(socket.SHUT_RDWR)
        rogue.server.close()
        thread.join()


def _xor(data: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[index % len(key)] for index, byte in enumerate(data))
