"""`portal webhooks`: list the declared webhooks, show their secrets, and send a test message."""

import datetime
import secrets

import click

from portal.accounts.keys_and_tokens import portal_key
from portal.commands.database_errors import database_errors_explained
from portal.commands.open_portal import OpenPortal, open_portal
from portal.commands.options import common_options
from portal.database.deliveries import count_waiting
from portal.database.engine import reading, writing
from portal.declaration.source.suggestions import suggest
from portal.jobs.webhook_message import message_text
from portal.jobs.webhook_request import DeliveryError, post, webhook_secrets
from portal.settings import NO_WEBHOOK_KEY
from portal.texts import plural


@click.command("webhooks", short_help="List webhooks, show the secret of one, or test it.")
@click.argument("name", required=False)
@click.option("--test", is_flag=True, help="Send a message of type `test` now, and print the answer.")
@common_options
def command(name: str | None, test: bool) -> None:
    """List the declared webhooks. With NAME, show the secret with which its receiver verifies the sender.

    The secrets are derived from PORTAL_WEBHOOK_KEY and the database, and change only with these.

    Example: portal webhooks erp --test
    """
    portal = open_portal()
    webhooks = portal.declaration.webhooks
    if name is None:
        if test:
            raise click.UsageError("name the webhook to test")
        for known in webhooks:
            click.echo(f"{known}: {_described(portal, known)}")
        click.echo(plural(len(webhooks), "webhook"))
        return
    if name not in webhooks:
        raise click.UsageError(f'there is no webhook "{name}"{suggest(name, webhooks)}')
    own_secrets = _secrets(portal, name)
    if test:
        _try(webhooks[name].url, own_secrets)
        return
    click.echo(_described(portal, name))
    for secret, use in zip(own_secrets, ("secret", "previous secret, still in use"), strict=False):
        click.echo(f"{use}: {secret}")


def _described(portal: OpenPortal, name: str) -> str:
    webhook = portal.declaration.webhooks[name]
    with database_errors_explained(), reading(portal.engine) as connection:
        waiting = count_waiting(connection, portal.tables, name)
    return (
        f"{webhook.url} is notified of {', '.join(webhook.on)} as {webhook.as_}; {plural(waiting, 'message')} waiting"
    )


def _secrets(portal: OpenPortal, name: str) -> list[str]:
    """The secrets of a webhook. Exits 1 if no key is set."""
    keys = portal.settings.webhook_key
    if keys is None:
        raise click.ClickException(f"{NO_WEBHOOK_KEY} For instance: PORTAL_WEBHOOK_KEY={secrets.token_urlsafe(32)}")
    with database_errors_explained(), writing(portal.engine) as connection:
        return webhook_secrets(keys, portal_key(connection, portal.tables), name)


def _try(url: str, own_secrets: list[str]) -> None:
    """Sends a message that concerns no record. Exits 1 if it is not accepted."""
    now = datetime.datetime.now(datetime.UTC)
    try:
        post(url, own_secrets, f"msg_{secrets.token_hex(16)}", now, message_text("test", now, {}))
    except DeliveryError as error:
        raise click.ClickException(f"{url}: {error}") from None
    click.echo(f"{url} has accepted the message")
