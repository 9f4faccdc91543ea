"""A request to the portal, with what is looked up for it: each once, when first used.

A class of its own, because for attributes added with `add_request_method`, Pyramid creates a class for every single
request, which takes as long as an SQL statement of a page.
"""

import datetime
import secrets
from typing import Any

import pyramid_tm
from pyramid.decorator import reify
from pyramid.request import Request

from portal.accounts.passwords import Passwords
from portal.accounts.signing_in import Logins
from portal.database.engine import Connection
from portal.fields.reader import Reader
from portal.records.policy import Policy
from portal.records.reading.records import Records
from portal.records.writing.history import Author
from portal.records.writing.writer import Writer
from portal.store.store import Store
from portal.web import connections, csrf, visitor
from portal.web.api import is_api_request
from portal.web.frame import Frame, page_frame
from portal.web.language import chosen_language, region_of
from portal.web.live import Portal
from portal.web.news import RequestNews
from portal.web.visitor import Visitor


class PortalRequest(Request):
    """What the portal knows about a request, in addition to Pyramid."""

    @reify
    def id(self) -> str:
        return secrets.token_hex(8)

    @reify
    def now(self) -> datetime.datetime:
        return self.registry.clock()

    @reify
    def portal(self) -> Portal:
        return self.registry.live.current()

    @reify
    def tm(self) -> Any:
        """The transaction manager of the request."""
        return pyramid_tm.create_tm(self)

    @reify
    def connection(self) -> Connection:
        return connections.connection(self)

    @reify
    def visitor(self) -> Visitor:
        return visitor.visitor(self)

    @reify
    def reader(self) -> Reader:
        """The reader of this page."""
        identity = self.visitor.identity
        if identity is not None:
            return identity.policy.reader
        language = chosen_language(self)
        return self.portal.declaration.reader(language=language, region=region_of(self, language), now=self.now)

    @reify
    def policy(self) -> Policy:
        """The rights of the signed-in person."""
        return self.visitor.identity.policy

    @reify
    def news(self) -> RequestNews:
        return RequestNews(self)

    @reify
    def guest(self) -> str:
        return csrf.guest_token(self)

    @reify
    def frame(self) -> Frame:
        return page_frame(self)

    @reify
    def store(self) -> Store:
        return self.registry.store()

    @reify
    def passwords(self) -> Passwords:
        return self.registry.passwords

    @reify
    def logins(self) -> Logins:
        return Logins(self.portal.engine, self.portal.tables, self.passwords)

    def writer(self, records: Records) -> Writer:
        """Writes `records` in the name of the signed-in account."""
        account = self.visitor.identity.account
        return Writer(records, Author(account.id, account.name, "api" if is_api_request(self) else "portal"))
