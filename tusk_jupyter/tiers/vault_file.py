"""The vault's file: one line of JSON and one line with its authentication code.

Every record is sealed for itself, so reading one decrypts one. The code over the whole line is what makes every flipped
bit, also one in a header, in white space or in another record, a refusal and not a surprise. References, lengths and
parameters can be read without the key; secrets cannot.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import uuid
from dataclasses import dataclass, replace

import msgspec

from tusk_jupyter.errors import CredentialError
from tusk_jupyter.system import typed_json
from tusk_jupyter.tiers.passphrase import Parameters
from tusk_jupyter.tiers.sealing import KEY_BYTES, BrokenSeal, Sealed, seal, unseal, wipe

FORMAT = "tusk-jupyter vault"
VERSION = 1
MAX_BYTES = 64 * 1024 * 1024
RETIRE_AFTER = 2**31
"""Seals under one data key; with random nonces GCM allows 2**32 (NIST SP 800-38D section 8.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One sealed secret. `version` counts the stores under this reference."""

    ref: str
    version: int
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The vault's content; what `records` seal is sealed under the data key, which is sealed under the user's key."""

    format: str
    version: int
    vault: str
    key: str
    """Id of the data key; part of what every record is sealed about."""
    nonce: bytes
    wrapped: bytes
    """The data key, sealed."""
    derivation: Parameters | None
    """How the user's key comes from a passphrase; None: it is a master key."""
    seals: int
    records: tuple[Record, ...] = ()
    generation: int = 0
    """Counts the writes of this vault, so that an older copy that was put back is known for one."""

    def find(self, ref: str) -> Record | None:
        """Return the record of a reference."""
        return next((record for record in self.records if record.ref == ref), None)


class Unreadable(CredentialError):
    """The vault's file is damaged, was changed, or is of another version."""


def create(user_key: bytearray, derivation: Parameters | None) -> tuple[Document, bytearray]:
    """Return an empty vault and its data key."""
    document = Document(
        format=FORMAT, version=VERSION, vault=str(uuid.uuid4()), key="", nonce=b"", wrapped=b"", derivation=derivation,
        seals=0,
    )  # fmt: skip
    return _with_fresh_key(document, user_key)


def _with_fresh_key(document: Document, user_key: bytearray) -> tuple[Document, bytearray]:
    data_key = bytearray(os.urandom(KEY_BYTES))
    document = replace(document, key=str(uuid.uuid4()), seals=0, records=())
    sealed = seal(user_key, data_key, about=_about_key(document))
    return replace(document, nonce=sealed.nonce, wrapped=sealed.ciphertext), data_key


def unwrap(document: Document, user_key: bytearray) -> bytearray:
    """Return the data key.

    Raises:
        BrokenSeal: it is another vault's key, or the header was changed.
    """
    return unseal(user_key, Sealed(document.nonce, document.wrapped), about=_about_key(document))


def put(document: Document, data_key: bytearray, ref: str, secret: str) -> Document:
    """Return the document with `secret` under `ref`."""
    old = document.find(ref)
    version = old.version + 1 if old else 1
    plain = bytearray(secret.encode())
    sealed = seal(data_key, plain, about=_about_record(document, ref, version))
    wipe(plain)
    record = Record(ref=ref, version=version, nonce=sealed.nonce, ciphertext=sealed.ciphertext)
    others = tuple(record for record in document.records if record.ref != ref)
    return replace(document, seals=document.seals + 1, records=(*others, record))


def take(document: Document, data_key: bytearray, record: Record) -> str:
    """Return a record's secret.

    Raises:
        Unreadable: the record was sealed for something else.
    """
    try:
        plain = unseal(
            data_key, Sealed(record.nonce, record.ciphertext), about=_about_record(document, record.ref, record.version)
        )
    except BrokenSeal:
        raise Unreadable("A record of the vault does not belong where it stands; the file was changed.") from None
    try:
        return plain.decode()
    finally:
        wipe(plain)


def without(document: Document, ref: str) -> Document:
    """Return the document without the record of `ref`."""
    return replace(document, records=tuple(record for record in document.records if record.ref != ref))


def retired(document: Document, data_key: bytearray, user_key: bytearray) -> tuple[Document, bytearray]:
    """Return the document with every record sealed anew under a fresh data key, and that key; the old one is wiped."""
    fresh, fresh_key = _with_fresh_key(document, user_key)
    for record in document.records:
        fresh = put(fresh, fresh_key, record.ref, take(document, data_key, record))
    wipe(data_key)
    return fresh, fresh_key


def to_bytes(document: Document, data_key: bytearray) -> bytes:
    """Return the file's content."""
    body = msgspec.json.encode(document)
    return body + b"\n" + _code(body, data_key) + b"\n"


def parse(content: bytes) -> tuple[Document, bytes]:
    """Return the document, not yet authenticated, and the content for `authenticate`.

    Raises:
        Unreadable: it is no vault, or one of another version.
    """
    body = content.split(b"\n", 1)[0]
    try:
        if (version := typed_json.decode(_Header, body).version) != VERSION:
            raise Unreadable(
                f"The vault is of version {version}; this tusk-jupyter reads version {VERSION}.",
                hint="Use the tusk-jupyter that wrote it.",
            )
        document = typed_json.decode(Document, body)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise Unreadable("The vault's file is damaged: it is not what this program writes.") from exc
    if document.format != FORMAT:
        raise Unreadable(f"The file is no vault: its format is {document.format[:40]!r}.")
    return document, content


def authenticate(content: bytes, data_key: bytearray) -> None:
    """Check that the file is, bit for bit, one that a holder of the data key wrote.

    Raises:
        Unreadable: it is not.
    """
    body = content.split(b"\n", 1)[0]
    if not hmac.compare_digest(content, body + b"\n" + _code(body, data_key) + b"\n"):
        raise Unreadable("The vault's file is damaged or was changed: its authentication code does not fit.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """What stays the same in all versions."""

    format: str
    version: int


def _code(body: bytes, data_key: bytearray) -> bytes:
    key = hmac.digest(data_key, b"tusk-jupyter vault file", hashlib.sha256)  # another use, another key
    return hmac.digest(key, body, hashlib.sha256).hex().encode()


def _about_key(document: Document) -> bytes:
    return json.dumps([FORMAT, document.version, document.vault, document.key]).encode()


def _about_record(document: Document, ref: str, version: int) -> bytes:
    kind = ref.rpartition(":")[2]
    return json.dumps([FORMAT, document.version, document.vault, document.key, ref, kind, version]).encode()
