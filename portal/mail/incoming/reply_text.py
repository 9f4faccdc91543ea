"""What someone wrote in a reply, without what their mail program quoted below it and without their signature.

Nothing is lost: what is removed is folded away below the comment.
"""

import re
from dataclasses import dataclass

from mailparser_reply.constants import MAIL_LANGUAGES

LONGEST_READ = 100_000  # characters; the rest of a longer mail counts as quoted
LONGEST_ATTRIBUTION = 3  # lines that “On … wrote:” may span

POLISH_THUNDERBIRD = re.compile(r"W dniu\b.{6,200}\b(pisze|napisał)", re.IGNORECASE)
ATTRIBUTIONS = [
    POLISH_THUNDERBIRD,
    *(
        re.compile(language["wrote_header"], re.IGNORECASE | re.DOTALL)
        for language in MAIL_LANGUAGES.values()
        if "wrote_header" in language
    ),
]
ENDS_ATTRIBUTION = (":", "：")
QUOTED = re.compile(r"\s*>")
SEPARATOR = re.compile(
    r"[> ]*-{4} .{3,150} -{3,4}"  # the portal's letters ask to write above this line
    r"|[-_ ]{3,}\s*(original message|forwarded message|ursprüngliche nachricht|message d'origine|messaggio originale"
    r"|oryginalna wiadomość|wiadomość oryginalna|mensaje original|oorspronkelijk bericht|ursprungligt meddelande"
    r"|oprindelig meddelelse)\s*[-_ ]{3,}((from|von|de|da|od)\s?:.*)?|_{32,}|begin forwarded message:",
    re.IGNORECASE,
)
# The heading that Outlook puts above a quote: such lines, among them the sender, the date and the subject.
SENDER_LINE = re.compile(
    r"[*>\s]*(from|von|de|da|od|van|från|fra|lähettäjä|kimden|feladó|от|від|από|de la|מאת|من|发件人|寄件者|差出人"
    r"|送信者|보낸\s?사람)\s?[:：]",
    re.IGNORECASE,
)
DATE_LINE = re.compile(
    r"[*>\s]*(sent|date|gesendet|datum|envoyé|inviato|data|wysłan[oea]|enviad[oa](\s(el|em|a))?|fecha|verzonden|skickat"
    r"|sendt|odesláno|lähetetty|gönderildi|gönderilme tarihi|tarih|elküldve|dátum|отправлено|дата|надіслано|εστάλη"
    r"|trimis|נשלח|تم الإرسال|发送时间|寄件日期|傳送時間|送信日時|日時|보낸\s?날짜)\s?[:：]",
    re.IGNORECASE,
)
SUBJECT_LINE = re.compile(
    r"[*>\s]*(subject|betreff|oggetto|temat|objet|asunto|assunto|onderwerp|ämne|emne|aihe|předmět|konu|tárgy|тема|θέμα"
    r"|subiect|נושא|الموضوع|主题|主旨|件名|제목)\s?[:：]",
    re.IGNORECASE,
)
RULE = re.compile(r"[-_=*]*")  # an empty line, or a ruled one
SIGNATURE = re.compile(r"--\s?$|—\s?$")  # RFC 3676 has "-- "; many programs drop the space
DEVICES = r"(iphone|ipad|android|samsung|galaxy|xiaomi|huawei|smart|telefon|mobil|handy|outlook)"
OTHER_PROGRAMS = (
    r"scarica outlook|(pobierz|uzyskaj) (program |aplikację )?outlook|outlook (für|for) (ios|android)"
    r"|sent with \[?proton ?mail"
    rf"|(wysłan[eo] z|inviato dal|von mein(em|er)|envoyé de mon|enviado do meu) (\w{{1,20}} ){{0,2}}{DEVICES}\w{{0,10}}"
)
PHONE_SIGNATURE = re.compile(
    r"[\[(]?\s*(" + OTHER_PROGRAMS + "|"
    + "|".join(language["sent_from"] for language in MAIL_LANGUAGES.values() if language.get("sent_from"))
    + r")\b[^,]{0,80}$",
    re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True)
class Reply:
    """`text`: what was written; `folded`: quote and signature, in order, "" if there are none."""

    text: str
    folded: str = ""


def split_reply(text: str) -> Reply:
    """Removes the quoted mail and the signature from a reply.

    Answers between quoted lines stay with these lines. If nothing else would be left, the mail stays whole.
    """
    lines = text[:LONGEST_READ].split("\n")
    rest = text[LONGEST_READ:]
    start = _start_of_quote(lines)
    own, quoted = lines[:start], lines[start:]
    if not "".join(own).strip() or _begins_with_quote(own):
        own, quoted = _answer_below(lines)
    own, signature = _without_signature(own)
    if not "".join(own).strip():
        return Reply(text.strip("\n"))
    folded = "\n".join([*signature, *quoted]) + rest
    while own and RULE.fullmatch(own[-1].strip()):
        own = own[:-1]
    return Reply("\n".join(own).strip("\n").rstrip(), folded.strip("\n"))


def _begins_with_quote(lines: list[str]) -> bool:
    """Whether the reply is one answer below one quoted block."""
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    marks = [bool(QUOTED.match(line)) for line in lines[first + _attribution_length(lines, first) :] if line.strip()]
    return marks[:1] == [True] and marks == sorted(marks, reverse=True)


def _start_of_quote(lines: list[str]) -> int:
    """The index of the first line of the quoted mail at the end; the number of lines if there is none."""
    for index, line in enumerate(lines):
        if SEPARATOR.fullmatch(line.strip()) or _is_outlook_heading(lines, index):
            return _end_of_answer(lines, index)
        if (length := _attribution_length(lines, index)) and not _answers_follow(lines, index + length):
            return index
    end = _end_of_answer(lines, len(lines))
    if not any(QUOTED.match(line) for line in lines[end:]):
        return len(lines)
    return _above_unknown_attribution(lines, end)


def _end_of_answer(lines: list[str], end: int) -> int:
    """The `end` of an answer by mail without empty and quoted lines right above it."""
    while end and (not lines[end - 1].strip() or QUOTED.match(lines[end - 1])):
        end -= 1
    return end


def _above_unknown_attribution(lines: list[str], end: int) -> int:
    """The `end` of an answer moved above lines that contain an address and end with a colon, in any language."""
    for start in range(end - 1, max(-1, end - 1 - LONGEST_ATTRIBUTION), -1):
        above = "".join(lines[start:end])
        if not lines[start].strip() or not lines[end - 1].rstrip().endswith(ENDS_ATTRIBUTION):
            break
        if "@" in above and any(character.isdigit() for character in above):
            return start
    return end


def _attribution_length(lines: list[str], index: int) -> int:
    """How many lines of a reply from `index` on say who wrote the following quote; 0 if they do not."""
    for length in range(1, LONGEST_ATTRIBUTION + 1):
        part = [line.strip() for line in lines[index : index + length]]
        if len(part) < length or not part[0] or len(part[-1]) > 500:
            return 0
        if part[-1].endswith(ENDS_ATTRIBUTION):
            return length if any(pattern.match(" ".join(part)) for pattern in ATTRIBUTIONS) else 0
    return 0


def _answers_follow(lines: list[str], index: int) -> bool:
    """Whether there is text between or below the quoted lines from `index` on, other than a signature."""
    quoted = False
    for line in lines[index:]:
        if QUOTED.match(line):
            quoted = True
        elif SIGNATURE.match(line) or SEPARATOR.fullmatch(line.strip()):
            return False
        elif line.strip():
            return quoted
    return False


def _answer_below(lines: list[str]) -> tuple[list[str], list[str]]:
    """The text below the quoted block with which a mail begins, and that block."""
    last = max((index for index, line in enumerate(lines) if QUOTED.match(line)), default=-1)
    return lines[last + 1 :], lines[: last + 1]


def _is_outlook_heading(lines: list[str], index: int) -> bool:
    """Whether the sender and date of a mail begin here; “From: Rome, To: Paris” has no address or subject.

    Some programs begin with the date; then only an address distinguishes them from a person's text.
    """
    heading = lines[index : index + 4]
    first, others = heading[0], heading[1:]
    if SENDER_LINE.match(first) and any(DATE_LINE.match(line) for line in others):
        has_subject = any(SUBJECT_LINE.match(line) for line in lines[index + 1 : index + 8])
        return has_subject or any("@" in line for line in heading)
    return bool(DATE_LINE.match(first)) and any(SENDER_LINE.match(line) and "@" in line for line in others)


def _without_signature(lines: list[str]) -> tuple[list[str], list[str]]:
    for index, line in enumerate(lines):
        if SIGNATURE.fullmatch(line) or (
            PHONE_SIGNATURE.match(line.strip()) and not "".join(lines[index + 1 :]).strip()
        ):
            return lines[:index], lines[index:]
    return lines, []
