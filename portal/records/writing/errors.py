"""Why a record was not written; what a person entered wrongly is `Refused`, as everywhere."""

from transaction.interfaces import TransientError


class NotAllowedError(Exception):
    """The profile does not grant this action; for the customer it does not exist."""


class ConflictError(Exception):
    """The record has changed since it was read, or is in a state that does not allow the action."""


class RetryError(TransientError):
    """Another transaction is writing the same value: try again after it has ended."""
