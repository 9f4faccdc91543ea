"""What the language has and this version of the portal does not act on yet: checked like the rest, and warned about.

Whoever gives a key its effect deletes its line here.
"""

MODULE_KEYS: dict[str, str] = {}
FIELD_KEYS: dict[str, str] = {}
# Words under `can` of a profile's modules.
ACTIONS: dict[str, str] = {}
PANELS = {"chart": "charts are not drawn"}


def sentence(what: str) -> str:
    """The warning for one line of the tables."""
    return f"has no effect yet: {what}"
