"""`portal webhooks`: the declared webhooks, what waits for them, their secrets, and a message to try one."""

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


@click.command("webhooks", short_help="List webhooks, show the secret of one, or try it.")
@click.argument("name", required=False)
@click.option("--test", is_flag=True, help="Send a message of the type `test` now, and say what was answered.")
@common_options
def command(name: str | None, test: bool) -> None:
    """List the webhooks that are declared. With NAME, show the secret by which its receiver knows who sends.

    The secrets follow from PORTAL_WEBHOOK_KEY and the database, which both stay the same.

    Example: portal webhooks erp --test
    """
    portal = open_portal()
    webhooks = portal.declaration.webhooks
    if name is None:
        if test:
            raise click.UsageError("name the webhook that is to be tried")
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
    for secret, use in zip(own_secrets, ("secret", "secret of before, still in use"), strict=False):
        click.echo(f"{use}: {secret}")


def _described(portal: OpenPortal, name: str) -> str:
    webhook = portal.declaration.webhooks[name]
    with database_errors_explained(), reading(portal.engine) as connection:
        waiting = count_waiting(connection, portal.tables, name)
    return f"{webhook.url} is told of {', '.join(webhook.on)} as {webhook.as_}; {plural(waiting, 'message')} waiting"


def _secrets(portal: OpenPortal, name: str) -> list[str]:
    """Exits 1 where no key is set."""
    keys = portal.settings.webhook_key
    if keys is None:
        raise click.ClickException(f"{NO_WEBHOOK_KEY} For instance: PORTAL_WEBHOOK_KEY={secrets.token_urlsafe(32)}")
    with database_errors_explained(), writing(portal.engine) as connection:
        return webhook_secrets(keys, portal_key(connection, portal.tables), name)


def _try(url: str, own_secrets: list[str]) -> None:
    """Sends a message that is about no record. Exits 1 where it is not taken."""
    now = datetime.datetime.now(datetime.UTC)
    try:
        post(url, own_secrets, f"msg_{secrets.token_hex(16)}", now, message_text("test", now, {}))
    except DeliveryError as error:
        raise click.ClickException(f"{url}: {error}") from None
    click.echo(f"{url} has taken the message")
