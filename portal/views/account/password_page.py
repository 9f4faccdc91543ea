"""The page with the inputs of a password, which changing it, its links and signing up share."""

from dataclasses import dataclass

from portal.texts import Words
from portal.views.forms.form_page import StepState, Widget


@dataclass(frozen=True)
class PasswordPage:
    """password.pt: changing and setting passwords, signing up; `widgets` empty: only `text` is said (“sent”)."""

    heading: Words
    action: str = ""
    text: Words = ""
    email: str = ""  # shown, and read by the browser's password store
    widgets: tuple[Widget, ...] = ()
    submit: Words = ""
    back_url: str = ""
    back_label: Words = ""
    passkey_url: str = ""  # where the browser gets what it needs to make a passkey
    other_url: str = ""  # another way to do the same
    other_label: Words = ""
    again_url: str = ""  # after an email was sent: the form for another address
    steps: tuple[StepState, ...] = ()  # of signing up
