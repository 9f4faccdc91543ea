"""Words that several pages share: a count, a record, a module, the button that leads to a new record, “too often”."""

from pyramid.request import Request

from portal.accounts.attempts import TooManyAttemptsError
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module, display_name
from portal.fields.numbers import localized
from portal.fields.reader import Reader
from portal.records.reading.records import Count, Record, Records
from portal.texts import Text, _, label_from_name, ngettext


def count_text(count: Count, reader: Reader) -> str:
    """A count as pages word it: “41”, “1,000+”; empty if none of the examined ones counts, and there are others."""
    if count.more and not count.number:
        return ""
    return localized(count.number, reader) + ("+" if count.more else "")


def reference_in_words(record: Record) -> str:
    """The reference of a record as pages word it, unless it is a bare number, which tells people nothing."""
    return "" if record.reference.isdecimal() else record.reference


def record_in_words(record: Record) -> str:
    """The words for a record among others: “TT1 · Reception printer”, or its title alone."""
    return " · ".join(dict.fromkeys(filter(None, (reference_in_words(record), record.title))))


def record_heading(records: Records, record: Record) -> str:
    """The heading of a record: its title; with the kind of record if that is only a reference: “Order 10248”."""
    if record.title != record.reference and any(character.isalpha() for character in record.title):
        return record.title
    return f"{records.policy.reader.text(records.access.singular)} {record.title}"


def new_label(records: Records) -> str:
    """The label for a new record: “New ticket”, but “New VPN access”; in German nouns keep their capital letter."""
    reader = records.policy.reader
    return _("New ${singular}", mapping={"singular": inside_sentence(reader.text(records.access.singular), reader)})


def inside_sentence(name: str, reader: Reader) -> str:
    """A label inside a sentence: “Ticket” in lower case, but “VPN access” unchanged."""
    is_word = name[1:2].islower() and not reader.language.startswith("de")
    return name[0].lower() + name[1:] if is_word else name


def answer_too_many_attempts(request: Request, error: TooManyAttemptsError) -> str:
    """Answers too many attempts: sets 429 and Retry-After; returns the sentence to show."""
    request.response.status_code = 429
    request.response.headers["Retry-After"] = str(error.seconds)
    minutes = -(-error.seconds // 60)
    return ngettext(
        "Too many attempts. Try again in ${number} minute.",
        "Too many attempts. Try again in ${number} minutes.",
        minutes,
    )


def initials(name: str) -> str:
    """The letters in a person's avatar: “Maria Anders” → “MA”."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def module_label(module: Module, reader: Reader) -> str:
    """The label of a module, regardless of the reader's profile."""
    return reader.text(display_name(module))


def profile_label(declaration: Declaration, name: str) -> Text:
    """The label of a profile; one that accounts still have but is not declared, by its name."""
    profile = declaration.profiles.get(name)
    return display_name(profile) if profile else label_from_name(name)
