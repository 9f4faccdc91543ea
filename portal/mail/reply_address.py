"""The address for replies to a letter: its token identifies the record and proves who received the letter.

`help@lumen.example` becomes `help+TOKEN@lumen.example`. The token is the same for all letters about one record to one
account, contains only a to z and 2 to 7, since mail programs change the case, and keeps the local part within 64
characters (RFC 5321). It says who was written to, not who is writing: sender and rights are checked separately.
"""

import base64
import binascii
import hashlib
import hmac
import itertools
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace

IDS = struct.Struct(">QI")  # the record and the account
PROOF = 10  # bytes: too many to guess by mail
LENGTH = -(-(IDS.size + PROOF) * 8 // 5)  # characters of a token


@dataclass(frozen=True)
class ReplyTo:
    """What a letter was about, and the account that received it, as its reply address says.

    `account_id`: 0 for a stranger, whose mail created the record; `internal`: it contained something that is not for
    customers, and so may its reply.
    """

    module: str
    record_id: int
    account_id: int
    internal: bool = False


def make_reply_address(key: bytes, inbox: str, reply_to: ReplyTo) -> str:
    """The address for replies to a letter. `inbox`: the address of `inbox:`, short enough for the token (Inbox).

    `key` is that of the portal (accounts/keys_and_tokens.py).
    """
    local, _at, domain = inbox.rpartition("@")
    ids = IDS.pack(reply_to.record_id, reply_to.account_id)
    token = base64.b32encode(ids + _proof(key, reply_to)).decode("ascii").rstrip("=").lower()
    return f"{local}+{token}@{domain}"


def read_reply_address(key: bytes, address: str, modules: Mapping[str, str]) -> ReplyTo | None:
    """What a reply address was made for; None if it has no token, or one that this portal did not make.

    `modules`: current and former names of modules, which the token does not contain → current names.
    """
    token = address.rpartition("@")[0].rpartition("+")[2].upper()
    if len(token) != LENGTH:
        return None
    try:
        content = base64.b32decode(token + "=" * (-LENGTH % 8))
    except (binascii.Error, ValueError):
        return None
    ids, proof = content[: IDS.size], content[IDS.size :]
    record_id, account_id = IDS.unpack(ids)
    for name, internal in itertools.product(modules, (False, True)):
        reply_to = ReplyTo(name, record_id, account_id, internal)
        if hmac.compare_digest(_proof(key, reply_to), proof):
            return replace(reply_to, module=modules[name])
    return None


def make_message_id(key: bytes, about: str, domain: str) -> str:
    """The Message-ID of a letter, always the same for the same `about`. It cannot be forged, so that only someone who
    has the letter can reply to it, or report that it was not delivered."""
    proof = hmac.new(key, f"letter {about}".encode(), hashlib.sha256).digest()[:PROOF]
    return f"<{about}.{base64.b32encode(proof).decode('ascii').rstrip('=').lower()}@{domain}>"


def _proof(key: bytes, reply_to: ReplyTo) -> bytes:
    side = " internal" if reply_to.internal else ""
    message = f"reply {reply_to.module} {reply_to.record_id} {reply_to.account_id}{side}".encode()
    return hmac.new(key, message, hashlib.sha256).digest()[:PROOF]
