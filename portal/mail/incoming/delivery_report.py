"""Reads a mail server's report on a letter that it could not deliver (RFC 3464), or older servers' plain words."""

import re
from dataclasses import dataclass
from email.message import Message

from portal.fields.refused import FORBIDDEN

LONGEST_REASON = 300  # characters
MOST_IDS = 20
RETURNED_ID = re.compile(rb"^[> \t]*message-id:\s*(<[^<>\s\x00-\x1f\x7f]{1,250}>)", re.IGNORECASE | re.MULTILINE)
STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
REPLY_CODE = re.compile(r"\b([45])\d\d[ -]")


@dataclass(frozen=True)
class DeliveryReport:
    """A failed delivery. `letter_ids`: the message ids in the returned mail, one of which is the letter's; `permanent`:
    trying again does not help; `reason`: the server's own words."""

    letter_ids: tuple[str, ...]
    permanent: bool
    reason: str


def read_delivery_report(
    raw: bytes, own_id: str, status: Message | None, text: str, from_server: bool
) -> DeliveryReport | None:
    """The failure that a mail reports; None if it reports none, or only a delay.

    `own_id`: the id of the report itself; `status`: its message/delivery-status part; `text`: its readable part;
    `from_server`: whether a mail server wrote it, with or without a status.
    """
    ids = (match.decode("ascii", "replace") for match in RETURNED_ID.findall(raw))
    others = tuple(dict.fromkeys(letter_id for letter_id in ids if letter_id != own_id))
    if status is not None:
        action, code, reason = _recipient_fields(status)
        if action not in ("failed", ""):
            return None
    elif from_server and others:
        code, reason = "", _sentence_with_code(text)
    else:
        return None
    kind = STATUS.search(code) or STATUS.search(reason) or REPLY_CODE.search(reason)
    permanent = kind is None or kind[1] == "5"
    return DeliveryReport(others[:MOST_IDS], permanent, FORBIDDEN.sub("", reason)[:LONGEST_REASON])


def _recipient_fields(status: Message) -> tuple[str, str, str]:
    """Action, status code and diagnostic in a delivery report, of the first recipient that has them."""
    payload = status.get_payload()
    blocks = [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else [status]
    for block in blocks:
        action = " ".join(str(block.get("Action", "")).split()).lower()
        code = " ".join(str(block.get("Status", "")).split())
        diagnostic = " ".join(str(block.get("Diagnostic-Code", "")).split())
        if action or code:
            return action.split(" ")[0].split(";")[0], code, diagnostic.partition(";")[2].strip() or diagnostic or code
    return "", "", ""


def _sentence_with_code(text: str) -> str:
    """The line of a delivery report with the server's code, else the first one that is not blank."""
    lines = [" ".join(line.split()) for line in text[:20_000].split("\n") if line.strip()]
    coded = (line for line in lines if STATUS.search(line) or REPLY_CODE.search(line))
    return next(coded, lines[0] if lines else "")
