"""`/account/data`: what the portal holds about the reader, to download."""

import tempfile
from typing import BinaryIO, cast

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts import attempts
from portal.accounts.accounts import NO_ACCOUNT
from portal.accounts.own_data import ArchiveLimits, OwnData
from portal.database.engine import writing
from portal.views.lists.export import IN_MEMORY, downloaded
from portal.web.resources import Account

MOST = ArchiveLimits(entries=10_000, size=500_000_000)


@view_config(context=Account, name="data", request_method="GET")
def download_own_data(context: Account, request: Request) -> Response:
    """`GET /account/data`: the archive; not available in a preview, which shows someone else.

    Raises TooManyAttemptsError.
    """
    if request.visitor.own_account == NO_ACCOUNT:
        raise HTTPNotFound
    with writing(request.portal.engine) as connection:
        account = str(request.visitor.own_account)
        attempts.check_attempt(connection, request.portal.tables, attempts.OWN_DATA, account, request.now)
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by the server when it is sent
    OwnData(request.connection, request.identity, request.store, MOST).write(cast(BinaryIO, file))
    return downloaded(file, f"my-data-{request.reader.today.isoformat()}.zip", "application/zip")
