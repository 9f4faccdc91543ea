"""The letters by which people come in.

What the sender of an invitation typed is in none of them, not even a name: whoever may invite could otherwise have the
portal write words of their own to anybody.
"""

import dataclasses
from email.message import EmailMessage

from portal.accounts.people import Account
from portal.mail.builder import Content, Sender, write_letter
from portal.texts import _, ngettext


def invitation(sender: Sender, account: Account, token: str, days: int) -> EmailMessage:
    """Holds the one-time link by which a new account gets its password; it works for `days`."""
    say = sender.reader(account).text
    name = say(sender.declaration.settings.name)
    content = Content(
        say(_("Your access to ${name}", mapping={"name": name})),
        (
            say(_("You have been given access to the customer portal ${name}.", mapping={"name": name})),
            say(_("Choose a password, and sign in as ${email} from then on.", mapping={"email": account.email})),
        ),
        say(_("Choose a password")),
        f"{sender.address}/password/invitation/{token}",
        (
            say(ngettext("The link works once, for ${number} day.", "The link works once, for ${number} days.", days)),
            say(_("If you did not expect this email, ignore it: without a password nobody has access.")),
        ),
    )
    return write_letter(sender, dataclasses.replace(account, name=""), content)
