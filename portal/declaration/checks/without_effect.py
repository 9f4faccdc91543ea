"""What the language knows and this engine does not act upon yet: checked like the rest, and warned about.

The one table of it. Whoever gives a key its effect takes its line away here.
"""

# Keys of a module, of a profile and of `portal:`, with what they would do.
MODULE_KEYS = {
    "attachments": "files cannot be attached",
    "mail": "letters about records are not sent",
    "table": "tables that exist already are not read",
    "key": "tables that exist already are not read",
}
FIELD_KEYS = {"column": "tables that exist already are not read"}
PROFILE_KEYS: dict[str, str] = {}
PANELS = {"chart": "charts are not drawn"}


def sentence(what: str) -> str:
    """The warning for one line of the tables."""
    return f"has no effect yet: {what}"
