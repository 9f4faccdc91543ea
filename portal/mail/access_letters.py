"""The letters that give people access: invitations, and those about sign-ups.

None contains what the sender of an invitation typed, not even a name: otherwise, anyone who may invite could make the
portal send words of their own to anyone.
"""

from email.message import EmailMessage

from portal.accounts.accounts import Account
from portal.mail.builder import LetterContent, Sender, write_letter
from portal.texts import _, ngettext


def invitation_letter(sender: Sender, account: Account, token: str, days: int) -> EmailMessage:
    """The letter with the one-time link with which a new account gets its password; it works for `days`."""
    name = {"name": sender.name_to(account)}
    passwords, address = sender.declaration.uses_passwords, {"email": account.email}
    content = LetterContent(
        _("Your access to ${name}", mapping=name),
        (
            _("You have been given access to the customer portal ${name}.", mapping=name),
            _("Choose a password, and sign in as ${email} from then on.", mapping=address)
            if passwords
            else _("You sign in as ${email}, with links that we email to you.", mapping=address),
        ),
        _("Choose a password") if passwords else _("Sign in"),
        f"{sender.address}/password/invitation/{token}",
        (
            ngettext(
                "The link works once and expires in ${number} day.",
                "The link works once and expires in ${number} days.",
                days,
            ),
            _("If you did not expect this email, ignore it: nobody has access without this link."),
        ),
    )
    return write_letter(sender, account._replace(name=""), content)


def address_proof_letter(sender: Sender, account: Account, token: str) -> EmailMessage:
    """The letter with the link that proves a new sign-up's address; `account` is not an account yet."""
    name = {"name": sender.name_to(account)}
    content = LetterContent(
        _("Sign up for ${name}", mapping=name),
        (
            _("Someone, probably you, wants to sign up for ${name} with this address.", mapping=name),
            _("Continue with the button below: you will enter your name and choose a password."),
        ),
        _("Continue"),
        f"{sender.address}/signup/{token}",
        (_("The link works once and expires in an hour."), _("If it was not you, ignore this email.")),
    )
    return write_letter(sender, account, content)


def approval_request_letter(sender: Sender, account: Account, address: str) -> EmailMessage:
    """The letter about a sign-up for those who may approve it; `address` is the new person's, and proved.

    It does not repeat the name that they typed: those would be a stranger's words.
    """
    content = LetterContent(
        _("Someone is waiting for access"),
        (_("${email} has signed up and is waiting for your approval.", mapping={"email": address}),),
        _("See who is waiting"),
        f"{sender.address}/{sender.declaration.people}/waiting",
    )
    return write_letter(sender, account, content)


def access_approved_letter(sender: Sender, account: Account) -> EmailMessage:
    """The letter that tells a person that their sign-up is approved and they may sign in."""
    name = {"name": sender.name_to(account)}
    content = LetterContent(
        _("Welcome to ${name}", mapping=name),
        (_("You can now sign in as ${email} with the password that you chose.", mapping={"email": account.email}),),
        _("Sign in"),
        f"{sender.address}/login",
    )
    return write_letter(sender, account, content)
