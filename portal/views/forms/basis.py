"""What a form was made from: a digest per field and the record's version, carried in hidden inputs and in drafts.

With it the server tells what a person has changed in a form from what the form only showed, so that values which
somebody else has changed meanwhile are not put back.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.fields.base import Field
from portal.fields.reader import PLAIN

ENTRY = re.compile(r"([a-z][a-z0-9_]*):([0-9a-f]{10})")


@dataclass(frozen=True)
class Basis:
    """The digests of the values that a form showed when it was opened, by field; empty where the form says none."""

    version: int
    digests: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The hidden input `_basis`."""
        return " ".join(f"{name}:{digest}" for name, digest in self.digests.items())

    def changed(self, fields: Iterable[Field], values: Mapping[str, Any], errors: Mapping[str, str]) -> set[str]:
        """The fields whose `values` are others than the form showed; without digests all of them."""
        return {
            field.name
            for field in fields
            if field.name in errors or self.digests.get(field.name) != digest_of(field, values.get(field.name))
        }


def basis_of(fields: Iterable[Field], values: Mapping[str, Any], version: int = 0) -> Basis:
    """The basis of a form that shows `values`."""
    return Basis(version, {field.name: digest_of(field, values.get(field.name)) for field in fields})


def read_basis(text: str, version: int) -> Basis:
    """The basis that a hidden input or a draft carries; what is not a digest is left out."""
    return Basis(version, dict(ENTRY.findall(text[:20_000])))


def digest_of(field: Field, value: Any) -> str:
    """A short digest of one value, the same for the stored value and for the unchanged input of a form."""
    inputs = json.dumps(field.inputs(value, PLAIN))
    return hashlib.sha256(inputs.encode("utf-8", "replace")).hexdigest()[:10]
