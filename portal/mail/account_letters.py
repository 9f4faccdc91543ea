"""The letters about an account: its password, address and devices; and those about messages that were given up."""

from email.message import EmailMessage
from urllib.parse import quote

from portal.accounts.accounts import Account
from portal.accounts.devices import Device
from portal.accounts.identity import may_have_password
from portal.mail.builder import LetterContent, Sender, write_letter
from portal.texts import _


def password_reset_letter(sender: Sender, account: Account, token: str) -> EmailMessage:
    """The letter with the one-time link that sets a new password."""
    content = LetterContent(
        _("Set a new password"),
        (_("Someone, probably you, asked for a new password for ${email}.", mapping={"email": account.email}),),
        _("Set a new password"),
        f"{sender.address}/password/reset/{token}",
        (
            _("The link works once and expires in an hour."),
            _("If you did not ask for it, ignore this email. Your password stays the same."),
        ),
    )
    return write_letter(sender, account, content)


def sign_in_link_letter(sender: Sender, account: Account, token: str, following: str = "") -> EmailMessage:
    """The letter with the one-time link that signs in, and continues to the path `following`."""
    name = {"name": sender.name_to(account)}
    content = LetterContent(
        _("Sign in to ${name}", mapping=name),
        (_("Someone, probably you, wants to sign in as ${email}.", mapping={"email": account.email}),),
        _("Sign in"),
        f"{sender.address}/password/link/{token}" + (f"?next={quote(following)}" if following else ""),
        (
            _("The link works once and expires in 15 minutes."),
            _("If it was not you, ignore this email: nobody is signed in without this link."),
        ),
    )
    return write_letter(sender, account, content)


def password_changed_letter(sender: Sender, account: Account) -> EmailMessage:
    """The immediate notice that the password was changed, in case it was someone else."""
    content = LetterContent(
        _("Your password was changed"),
        (
            _("The password for ${email} was just changed.", mapping={"email": account.email}),
            _("All other devices have been logged out."),
        ),
        _("Open ${name}", mapping={"name": sender.name_to(account)}),
        f"{sender.address}/",
        (_("If this was not you, set a new password right away and let us know."),),
    )
    return write_letter(sender, account, content)


def new_device_letter(sender: Sender, account: Account, device: Device) -> EmailMessage:
    """The letter about a sign-in from a device that the account did not know."""
    reader = sender.reader(account)
    names = {"browser": device.browser, "system": device.system}
    what = _("${browser} on ${system}", mapping=names) if device.browser and device.system else _("an unknown browser")
    values = {"email": account.email, "device": reader.text(what)}
    changes = may_have_password(sender.declaration, account)
    content = LetterContent(
        _("A new sign-in"),
        (
            _("Someone has just signed in as ${email} on a device that we do not know: ${device}.", mapping=values),
            _("If this was you, there is nothing to do."),
        ),
        _("Change my password") if changes else _("My account"),
        f"{sender.address}/password" if changes else f"{sender.address}/account/",
        (
            _("If it was not you, change your password right away and let us know.")
            if changes
            else _("If it was not you, let us know right away."),
        ),
    )
    return write_letter(sender, account, content)


def address_changed_letter(sender: Sender, account: Account, new_email: str) -> EmailMessage:
    """The letter to the old or the new address, that of `account`: from now on, one signs in with `new_email`."""
    sentence = _("From now on you sign in as ${email}.", mapping={"email": new_email})
    button = _("Open ${name}", mapping={"name": sender.name_to(account)})
    content = _notice(_("Your email address was changed"), sentence, button, f"{sender.address}/")
    return write_letter(sender, account, content)


def second_factor_changed_letter(sender: Sender, account: Account, is_on: bool) -> EmailMessage:
    """The immediate notice that codes are now required, or no longer."""
    email = {"email": account.email}
    if is_on:
        subject = _("Two-factor authentication was turned on")
        sentence = _("From now on, signing in as ${email} also requires a code from an app.", mapping=email)
    else:
        subject = _("Two-factor authentication was turned off")
        sentence = _("Signing in as ${email} no longer requires a code from an app.", mapping=email)
    button = _("Open ${name}", mapping={"name": sender.name_to(account)})
    return write_letter(sender, account, _notice(subject, sentence, button, f"{sender.address}/account/"))


def passkey_changed_letter(sender: Sender, account: Account, is_added: bool) -> EmailMessage:
    """The immediate notice that a passkey was added or removed."""
    email = {"email": account.email}
    if is_added:
        subject, sentence = (
            _("A passkey was added"),
            _("A passkey can now be used to sign in as ${email}.", mapping=email),
        )
    else:
        subject, sentence = (
            _("A passkey was removed"),
            _("A passkey can no longer be used to sign in as ${email}.", mapping=email),
        )
    return write_letter(sender, account, _notice(subject, sentence, _("My account"), f"{sender.address}/account/"))


def token_made_letter(sender: Sender, account: Account, name: str) -> EmailMessage:
    """The immediate notice that a program now has the person's rights."""
    names = {"name": name, "email": account.email}
    sentence = _("From now on the program “${name}” may do what ${email} may.", mapping=names)
    content = _notice(_("A token was created"), sentence, _("My account"), f"{sender.address}/account/")
    return write_letter(sender, account, content)


def _notice(subject: str, sentence: str, button: str, address: str) -> LetterContent:
    """The content of a letter about a change to an account, in case it was someone else."""
    return LetterContent(subject, (sentence,), button, address, (_("If you did not expect this, let us know."),))


def letters_given_up_letter(sender: Sender, account: Account) -> EmailMessage:
    """The letter that tells an administrator that emails were given up."""
    content = LetterContent(
        _("Some emails could not be sent"),
        (_("Some emails could not be sent in time, or the mail server refused them for good."),),
        _("Open the list of emails"),
        f"{sender.address}/-/outbox?state=refused",
        (_("It says why each of them was not sent, and lets you send them again."),),
    )
    return write_letter(sender, account, content)


def webhooks_given_up_letter(sender: Sender, account: Account) -> EmailMessage:
    """The letter that tells an administrator that messages to webhooks were given up."""
    content = LetterContent(
        _("Messages to a webhook could not be delivered"),
        (_("Their receiver did not accept them for three days, or answered that it no longer exists."),),
        _("Open the list of webhooks"),
        f"{sender.address}/-/outbox?state=refused",
        (_("It says why each of them was not sent, and lets you send them again."),),
    )
    return write_letter(sender, account, content)
