"""The message that the next page shows once, after a redirect. The cookie carries its key, never the text."""

from typing import NamedTuple

from pyramid.request import Request
from pyramid.response import Response

from portal.texts import Words, _
from portal.web.cookies import Cookie, cookie_name, read_cookie, set_cookie

MESSAGES = {
    "signed-out": _("You have logged out."),
    "signed-out-everywhere": _("You have logged out on all devices."),
    "device-signed-out": _("Logged out on that device."),
    "token-ended": _("The token has been revoked."),
    "password-changed": _("Password changed. You have been logged out on all other devices."),
    "password-reset": _("Password changed. Sign in with your new password."),
    "too-late": _("That took too long. Sign in again."),
    "second-factor-off": _("Two-factor authentication is off."),
    "passkey-added": _("Passkey added."),
    "passkey-renamed": _("Passkey renamed."),
    "passkey-removed": _("Passkey removed. Delete it on the device, too."),
    "created": _("Saved."),
    "edited": _("Saved."),
    "solved": _("Glad this helped. Nothing was sent."),
    "sent-before": _("This form has already been sent."),
    "given-away": _("Saved. You do not have access to this record."),
    "deleted": _("Deleted."),
    "moved": _("Done."),
    "moved-on": _("The status of this record has changed since you opened it."),
    "commented": _("Comment added."),
    "corrected": _("Comment changed."),
    "withdrawn": _("Comment withdrawn."),
    "attached": _("Files added."),
    "sent-again": _("This email will be sent again."),
    "webhook-again": _("This message will be sent again."),
    "letters-chosen": _("Saved."),
    "detached": _("File removed."),
    "list-begins": _("That was the first record in this list."),
    "list-ends": _("That was the last record in this list."),
    "nothing-imported": _("Nothing was imported: all records are already up to date."),
    "nothing-chosen": _("Choose at least one record."),
    "hidden": _("Hidden until it changes."),
    "watched": _("Added."),
    "watched-without-access": _("Added, but this person has no access to this record at the moment."),
    "unwatched": _("Removed."),
    "invited": _("Invitation sent."),
    "invitation-kept": _("This portal cannot send email: give the link below to the person yourself."),
    "opening": _("The invitations are being written."),
    "opening-stopped": _("No more invitations will be sent."),
    "access-changed": _("Access changed."),
    "access-ended": _("Access ended."),
    "let-in": _("Access given."),
    "refused": _("Request declined."),
    "link-made": _("The link is ready."),
    "link-withdrawn": _("The link is no longer valid."),
    "company-closed": _("The portal is closed for this company."),
    "company-opened": _("The portal is open for this company."),
}

# What was not done, or not quite as expected: shown without the check mark of success.
NOT_DONE = frozenset({
    "too-late", "sent-before", "given-away", "moved-on", "list-begins", "list-ends", "nothing-imported",
    "nothing-chosen", "watched-without-access", "invitation-kept",
})  # fmt: skip

OPENS_LATER = "Portal-Opens-Later"  # a request header


class Notice(NamedTuple):
    """A message; `done`: whether something succeeded."""

    text: Words
    done: bool = False


def set_flash(request: Request, response: Response, key: str) -> Response:
    """Shows the message `key` on the page that `response` redirects to."""
    set_cookie(request, response, Cookie.FLASH, key, keep=60)
    return response


def flash_message(request: Request) -> Notice | None:
    """The message for this page, if there is one. The response deletes its cookie, unless a script that sent a
    form was redirected here: it opens the page afterwards (static/js/files.js)."""
    key = read_cookie(request, Cookie.FLASH)
    if key and OPENS_LATER not in request.headers:
        request.add_response_callback(_delete_cookie)
    return Notice(MESSAGES[key], key not in NOT_DONE) if key in MESSAGES else None


def _delete_cookie(request: Request, response: Response) -> None:
    # A redirect shows nothing: the message stays for the next page.
    own_cookie = f"{cookie_name(request, Cookie.FLASH)}="
    if response.status_code < 300 and own_cookie not in "".join(response.headers.getall("Set-Cookie")):
        set_cookie(request, response, Cookie.FLASH, None)
