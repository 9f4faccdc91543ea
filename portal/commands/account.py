"""`portal account`: give people access to the portal, change it, end it."""

import contextlib
import datetime
import functools
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any

import click

from portal.accounts.access_rules import days_problem
from portal.accounts.accounts import Account, all_accounts
from portal.accounts.api_tokens import LONGEST_NAME, TokenRequest, make_token
from portal.accounts.giving_access import AccessRefusedError, AccessRequest, Register
from portal.accounts.mass_invitation import count_uninvited, start_mass_invitation
from portal.accounts.passwords import Passwords, password_weakness, random_password
from portal.commands.account_data import data, erase
from portal.commands.database_errors import database_errors_explained
from portal.commands.open_portal import open_portal
from portal.commands.options import chosen_settings, common_options, read_password
from portal.database import outbox
from portal.database.engine import reading, writing
from portal.database.schema.tables import Tables
from portal.jobs.inviting import Inviting
from portal.mail.account_letters import address_changed_letter, second_factor_changed_letter
from portal.mail.builder import Sender
from portal.texts import plural, translate

DATES = {"--from": "access_from", "--until": "access_until", "--records-from": "records_from"}


class DateOption(click.ParamType):
    """A date as 2026-03-05; `none` takes one away."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "none" or isinstance(value, datetime.date):
            return value
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            self.fail(f'"{value}" is not a date like 2026-03-05')


def _date_options(command: Any) -> Any:
    helps = ("The first day of access.", "The last day of access.", "Older records are not shown.")
    for (option, name), text in zip(DATES.items(), helps, strict=True):
        command = click.option(option, name, type=DateOption(), metavar="DATE", help=text)(command)
    return command


@click.group("account", short_help="Give people access, change it, end it.")
@common_options
def command() -> None:
    """Give people access, change it, end it.

    Example: portal account add anna@acme.example --profile customer --organization Acme
    """


command.add_command(data)
command.add_command(erase)


@command.command("add")
@click.argument("email")
@click.option("--profile", required=True, metavar="NAME", help="What the person sees and may do.")
@click.option("--name", help="The person's name.")
@click.option("--organization", metavar="TITLE", help="The person's company.")
@click.option(
    "--password-file", type=click.File(), help="A file with the password, - to type it; without it, one is generated."
)
@_date_options
@common_options
def add(email: str, profile: str, name: str | None, organization: str | None, password_file: Any, **days: Any) -> None:
    """Give a person access. The records of the person and the company are created if they do not exist.

    Example: portal account add anna@acme.example --profile customer --name "Anna Rossi" --organization Acme
    """
    password = _password_in(password_file) if password_file else random_password()
    if password_file and (weak := password_weakness(password, email)):
        click.echo(f"warning: a weak password: {translate(weak, 'en')}", err=True)
    access = AccessRequest(email, profile, name, organization, _dates(days))
    hashed = _passwords().hash(password)
    with _register() as register:
        account = register.add(access, hashed, must_change=password_file is None)
    click.echo(f"{account.name} has access as {account.email} with the profile {account.profile}.")
    if password_file is None:
        _print_password(password)


@command.command("list")
@common_options
def show() -> None:
    """List who has access.

    Example: portal account list
    """
    portal = open_portal()
    with database_errors_explained(), reading(portal.engine) as connection:
        rows = all_accounts(connection, portal.tables)
    for row in rows:
        click.echo("  ".join([row["email"], row["profile"], row["name"] or "", *_state(row)]).rstrip())
    click.echo(f"{plural(len(rows), 'account')}.")


@command.command("set")
@click.argument("email")
@click.option("--email", "new_email", metavar="NEW", help="The new sign-in address.")
@click.option("--profile", metavar="NAME", help="What the person sees and may do.")
@_date_options
@common_options
def change(email: str, new_email: str | None, profile: str | None, **days: Any) -> None:
    """Change the address, the profile or dates; `none` removes a date.

    The person's record gets a new address too, if it has the old one.

    Example: portal account set anna@acme.example --email anna@globex.example --until 2026-12-31
    """
    values = _dates(days) | ({"profile": profile} if profile else {})
    if not values and not new_email:
        raise click.UsageError("nothing to set: give --email, --profile, --from, --until or --records-from")
    with _register() as register:
        account = register.change(email, values)
        if new_email:
            before = account
            account = register.change_email(account.email, new_email)
            _notify_of_address(register, before, account)
            values = {"signs in with": account.email} | values
    click.echo(f"{account.email}: " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items()))


def _notify_of_address(register: Register, before: Account, after: Account) -> None:
    """For `portal account change`: queues the letters to the old address and the new one, in its transaction."""
    for account in (before, after) if before.email != after.email else ():
        _queue(register, functools.partial(address_changed_letter, account=account, new_email=after.email))


def _queue(register: Register, write: Callable[[Sender], EmailMessage]) -> None:
    address = chosen_settings().own_address(register.declaration.settings.base_url)
    letter = write(Sender(register.declaration, address, register.now))
    outbox.put_letter(register.connection, register.tables, letter, register.now)


@command.command("disable")
@click.argument("email")
@common_options
def disable(email: str) -> None:
    """End access immediately.

    Example: portal account disable anna@acme.example
    """
    with _register() as register:
        account = register.disable(email)
    click.echo(f"{account.email} no longer has access.")


@command.command("enable")
@click.argument("email")
@common_options
def enable(email: str) -> None:
    """Give back access that was disabled.

    Example: portal account enable anna@acme.example
    """
    with _register() as register:
        account = register.enable(email)
    click.echo(f"{account.email} has access again.")


@command.command("reset")
@click.argument("email")
@click.option("--second-factor", is_flag=True, help="Turn off its second factor instead; the password stays.")
@common_options
def reset(email: str, second_factor: bool) -> None:
    """Make a new password, which must be changed at the next sign-in.

    Example: portal account reset anna@acme.example
    """
    if second_factor:
        with _register() as register:
            account = register.remove_second_factor(email)
            _queue(register, lambda sender: second_factor_changed_letter(sender, account, is_on=False))
        click.echo(f"{account.email} signs in without a second factor.")
        return
    password = random_password()
    hashed = _passwords().hash(password)
    with _register() as register:
        account = register.reset(email, hashed)
    click.echo(f"{account.email} has been logged out everywhere and has a new password.")
    _print_password(password)


@command.command("token")
@click.argument("email")
@click.option("--name", default="portal account token", show_default=True, help="Which program it is for.")
@click.option("--read-only", is_flag=True, help="The program may only read.")
@click.option("--until", type=DateOption(), metavar="DATE", help="The last day on which the token is valid.")
@common_options
def token(email: str, name: str, read_only: bool, until: Any) -> None:
    """Create a token that gives a program the rights of an account, and print it once.

    Example: portal account token anna@acme.example --name "Nightly export" --read-only --until 2026-12-31
    """
    token_request = TokenRequest(name[:LONGEST_NAME], None if until == "none" else until, read_only)
    with _register() as register:
        account = register.find(email)
        if token_request.until and token_request.until < register.declaration.reader(now=register.now).today:
            raise AccessRefusedError(f"{token_request.until} has passed: give today, a later day, or none")
        made = make_token(register.connection, register.tables, account.id, token_request, register.now)
    click.echo(made)
    click.echo(f"It is shown only once, and gives the rights of {account.email} at /api/.", err=True)
    if account.must_change:
        click.echo("warning: it has no effect until the first password is changed", err=True)


@command.command("invite-all")
@click.option("--profile", required=True, metavar="NAME", help="What the people see and may do.")
@click.option("--dry-run", is_flag=True, help="Only say how many people would be invited.")
@_date_options
@common_options
def invite_all(profile: str, dry_run: bool, **days: Any) -> None:
    """Invite everyone who has an email address and no access.

    The companies of staff and closed companies are skipped. `portal worker` sends the emails.

    Example: portal account invite-all --profile customer --records-from 2026-01-01
    """
    portal = open_portal()
    address = portal.settings.own_address(portal.declaration.settings.base_url)
    declared = portal.declaration.profiles.get(profile)
    if declared is None or declared.staff:
        raise click.ClickException(f'there is no profile "{profile}" that is not staff')
    with database_errors_explained(), reading(portal.engine) as connection:
        number = count_uninvited(connection, portal.tables)
    if dry_run:
        click.echo(f"{plural(number, 'person', 'people')} would be invited.")
        return
    with _register() as register:
        start_mass_invitation(register, profile, _dates(days))

    def sender(tables: Tables, now: datetime.datetime) -> Sender:
        return Sender(tables.declaration, address, now)

    Inviting(portal.engine, lambda: datetime.datetime.now(datetime.UTC), sender).invite_all(portal.tables)
    with database_errors_explained(), reading(portal.engine) as connection:
        left = count_uninvited(connection, portal.tables)
    click.echo(f"{plural(number - left, 'person', 'people')} invited.")
    if left:
        people = plural(left, "person", "people")
        click.echo(f"warning: {people} cannot be invited: no email reaches the address, or it is taken", err=True)


@contextlib.contextmanager
def _register() -> Iterator[Register]:
    portal = open_portal()
    try:
        with database_errors_explained(), writing(portal.engine) as connection:
            register = Register(connection, portal.tables, datetime.datetime.now(datetime.UTC))
            yield register
    except AccessRefusedError as refused:
        raise click.ClickException(str(refused)) from None
    for warning in register.warnings:
        click.echo(f"warning: {warning}", err=True)


def _passwords() -> Passwords:
    settings = chosen_settings()
    return Passwords(settings.password_memory, settings.password_rounds)


def _password_in(file: Any) -> str:
    password = read_password(file)
    if not password:
        raise click.ClickException("there is no password in the file")
    return password


def _dates(days: dict[str, Any]) -> dict[str, Any]:
    values = {name: None if day == "none" else day for name, day in days.items() if day is not None}
    if (problem := days_problem(values)) is not None:
        raise click.UsageError(problem)
    return values


def _state(row: Any) -> list[str]:
    dates = [f"{option[2:]} {row[name]}" for option, name in DATES.items() if row[name]]
    words = {
        "disabled": "disabled",
        "must_change": "first password",
        "invited": "invited",
        "second_factor": "second factor",
        "subject": "single sign-on",
    }
    return [*dates, *(word for name, word in words.items() if row[name])]


def _print_password(password: str) -> None:
    click.echo(f"Password: {password}")
    click.echo("It is shown only once, and must be changed at the first sign-in.", err=True)
