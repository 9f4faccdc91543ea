"""The page with inputs for a password or a code, shared by changing and setting passwords and signing in and up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.texts import Words, _
from portal.views.forms.form_page import StepState, Widget

Errors = Mapping[str, Words]

# Where most of these pages lead back.
TO_SIGN_IN: dict[str, Any] = {"back_url": "/login", "back_label": _("Sign in")}
BACK_TO_SIGN_IN: dict[str, Any] = {"back_url": "/login", "back_label": _("Back to sign in")}


@dataclass(frozen=True)
class PasswordPage:
    """password.pt: changing and setting passwords, signing up; without `widgets`, it only shows `text` (“sent”)."""

    heading: Words
    action: str = ""
    text: Words = ""
    email: str = ""  # shown, and read by password managers
    widgets: tuple[Widget, ...] = ()
    submit: Words = ""
    back_url: str = ""
    back_label: Words = ""
    passkey_url: str = ""  # where the browser gets what it needs for a passkey
    other_url: str = ""  # another way to do the same
    other_label: Words = ""
    again_url: str = ""  # after an email has been sent: the form for another address
    steps: tuple[StepState, ...] = ()  # of signing up


def current_password_widget(errors: Errors, required: bool = True) -> Widget:
    """The input for the reader's current password."""
    return Widget(
        "current", _("Current password"), type="password", required=required, error=errors.get("current", ""),
        autocomplete="current-password",
    )  # fmt: skip


def new_password_widgets(errors: Errors) -> tuple[Widget, ...]:
    """The inputs for a new password."""
    return (
        Widget(
            "new", _("New password"), type="password", required=True, error=errors.get("new", ""),
            autocomplete="new-password", help=_("Use at least 10 characters. Several words work well."),
        ),
        Widget(
            "confirm", _("Confirm new password"), type="password", required=True, error=errors.get("confirm", ""),
            autocomplete="new-password",
        ),
    )  # fmt: skip


def code_widget(error: Words) -> Widget:
    """The input for a code from an app."""
    return Widget("code", _("Code"), required=True, error=error, autocomplete="one-time-code", inputmode="numeric")
