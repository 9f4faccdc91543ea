"""Tokens in the texts of the index that no input can equal: for the module, and for whom a record belongs to."""


def module_token(module: str, part: int) -> str:
    """`_mtickets`; `_stickets` in the part for staff. Folding removes `_`, so that no input equals a token."""
    return f"_{'s' if part else 'm'}{module}"


def owner_token(record_id: int) -> str:
    """The token of a record's owner."""
    return f"_p{record_id}"


def organization_token(record_id: int) -> str:
    """The token of a record's organization."""
    return f"_o{record_id}"


def watcher_token(record_id: int) -> str:
    """The token of a person who was added to a record."""
    return f"_w{record_id}"
