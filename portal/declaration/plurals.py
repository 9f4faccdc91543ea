"""English singular and plural forms of names and labels."""

import os
import re

IRREGULAR = {
    "person": "people", "child": "children", "man": "men", "woman": "women", "criterion": "criteria",
    "movie": "movies", "cookie": "cookies", "calorie": "calories", "cache": "caches", "niche": "niches",
    "status": "statuses", "bus": "buses", "virus": "viruses", "bonus": "bonuses", "campus": "campuses",
    "alias": "aliases", "gas": "gases", "lens": "lenses", "quiz": "quizzes", "hero": "heroes", "shelf": "shelves",
    "analysis": "analyses", "crisis": "crises", "diagnosis": "diagnoses", "hypothesis": "hypotheses",
}  # fmt: skip
SINGULAR = {many: one for one, many in IRREGULAR.items()}
# Nouns without a plural.
UNCOUNTED = ("data", "equipment", "feedback", "hardware", "information", "media", "personnel", "software", "staff")
UNCHANGED = (
    "news", "series", "species", "means", "goods", "premises", "headquarters", "logistics", "analytics",
    "lens", "canvas", "atlas", "alias", "bias", "chaos",
)  # fmt: skip
WHOSE = re.compile("(?:all|my|our|the|your) ", re.IGNORECASE)
PREPOSITION = re.compile(" (?:at|by|for|from|in|of|on|to|with|without) ")
SHORTEST = 4  # letters of a plural in s; shorter words are mostly initials, such as gps


def in_plural(name: str) -> str:
    """A name with its last word in the plural."""
    head, underscore, last = name.rpartition("_")
    if last in SINGULAR or last in UNCOUNTED:
        return name
    if last in IRREGULAR:
        last = IRREGULAR[last]
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        last = f"{last[:-1]}ies"
    elif last.endswith(("x", "ch", "sh", "ss")):
        last += "es"
    elif not last.endswith("s"):
        last += "s"
    return head + underscore + last


def in_singular(name: str) -> str:
    """A name with its last word in the singular."""
    head, underscore, last = name.rpartition("_")
    if last in UNCHANGED or len(last) < SHORTEST and last not in SINGULAR:
        return name
    if last in SINGULAR:
        last = SINGULAR[last]
    elif last.endswith("ies") and len(last) > SHORTEST:
        last = f"{last[:-3]}y"
    elif last.endswith("es") and last[:-2].endswith(("x", "ch", "sh", "ss")):
        last = last[:-2]
    elif last.endswith("s") and not last.endswith(("ss", "us", "is")):
        last = last[:-1]
    return head + underscore + last


def label_in_singular(label: str) -> str | None:
    """A label in the plural in the singular: “Requests from customers” → “Request from customers”; None for others."""
    label = WHOSE.sub("", label, count=1)
    before, space, last = PREPOSITION.split(label, maxsplit=1)[0].rpartition(" ")
    many, after = last.lower(), label[len(before + space + last) :]
    one = in_singular(many)
    same = len(os.path.commonprefix([many, one]))
    words = before + space + last[:same] + one[same:] + after
    return None if one == many else words[:1].upper() + words[1:]
