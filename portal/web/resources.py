"""The tree of addresses: Root → Module → Record → RecordTransition. A resource finds its children and decides nothing.

What does not exist and what the signed-in profile does not have is not found: a missing child is a KeyError.
"""

import re
from functools import cached_property
from typing import Any

from pyramid.request import Request
from pyramid.traversal import find_interface

from portal.accounts.one_time_links import INVITATION, RESET, SIGN_IN
from portal.declaration import shapes
from portal.fields.record_titles import RECORD_ID
from portal.mail.incoming.mail_rows import MailRow, unused_mail
from portal.records.reading import records as reading
from portal.records.reading.comments import Comment, find_comment
from portal.records.reading.files import StoredFile, file
from portal.records.writing.comments import may_correct
from portal.records.writing.lifecycle import is_for_reader
from portal.records.writing.watching import watching_people

ROW_ID = re.compile(r"[1-9][0-9]{0,8}")  # for accounts and letters, which have smaller ids


class Resource:
    """Anything that an address leads to."""

    @property
    def module_name(self) -> str | None:
        """The module that it belongs to, in which the profile grants actions; None for pages of the portal."""
        return None


class Root(Resource):
    """`/`"""

    __parent__ = None
    __name__ = ""
    path = "/"

    def __init__(self, request: Request) -> None:
        self.request = request

    def __getitem__(self, name: str) -> Any:
        if name in OPEN_TO_ALL:
            return OPEN_TO_ALL[name](self, name)
        identity = self.request.visitor.identity
        if identity is None:
            raise KeyError(name)
        if name == "account":
            return Account(self, name)
        if identity.must_set or identity.policy.access(name) is None:
            raise KeyError(name)
        return Module(self, name)


class ToolServer(Resource):
    """`/api/mcp`: the tools with which AI assistants use the portal."""

    __parent__ = None
    __name__ = ""

    def __init__(self, request: Request) -> None:
        self.request = request


class Branch(Resource):
    """Anything below the root; `path` is its address with a trailing slash."""

    def __init__(self, parent: Any, name: str) -> None:
        self.__parent__ = parent
        self.__name__ = name
        self.request: Request = parent.request
        self.path: str = f"{parent.path}{name}/"


class Module(Branch):
    """`/MODULE/`: the records of one module, as the signed-in person may see them."""

    @property
    def module_name(self) -> str:
        return self.__name__

    @cached_property
    def module(self) -> shapes.Module:
        return self.request.policy.module(self.__name__)

    @cached_property
    def access(self) -> shapes.Access:
        return self.request.policy.modules[self.__name__]

    @cached_property
    def records(self) -> reading.Records:
        return reading.Records(self.request.connection, self.request.policy, self.__name__)

    def __getitem__(self, name: str) -> "Record":
        record = self.records.get(_record_id(name))
        if record is None:
            raise KeyError(name)
        return Record(self, name, record)


class Record(Branch):
    """`/MODULE/ID/`: one record that the signed-in person may see."""

    def __init__(self, parent: Module, name: str, record: reading.Record) -> None:
        super().__init__(parent, name)
        self.record = record

    @property
    def module_name(self) -> str:
        return self.__parent__.module_name

    @property
    def module(self) -> shapes.Module:
        return self.__parent__.module

    @property
    def access(self) -> shapes.Access:
        return self.__parent__.access

    @property
    def records(self) -> reading.Records:
        return self.__parent__.records

    def __getitem__(self, name: str) -> "RecordTransitions | RecordComments | RecordFiles | RecordWatchers":
        if name == "move" and self.module.lifecycle:
            return RecordTransitions(self, name)
        takes_files = self.module.attachments or any(field.by_upload for field in self.module.fields.values())
        if name == "files" and takes_files:
            return RecordFiles(self, name)
        if name == "comments" and self.module.comments:
            return RecordComments(self, name)
        if name == "watchers" and self.module.watchers:
            return RecordWatchers(self, name)
        raise KeyError(name)


class RecordBranch(Branch):
    """Anything below a record; `record_resource` is that of the record itself."""

    @property
    def record_resource(self) -> Record:
        return find_interface(self, Record)

    @property
    def record(self) -> reading.Record:
        return self.record_resource.record

    @property
    def records(self) -> reading.Records:
        return self.record_resource.records

    @property
    def module_name(self) -> str:
        return self.record_resource.module_name


class RecordFiles(RecordBranch):
    """`/MODULE/ID/files/`: the files of a record that this person may have."""

    def __getitem__(self, name: str) -> "RecordFile":
        stored = file(self.records, self.record, _record_id(name))
        if stored is None:
            raise KeyError(name)
        return RecordFile(self, name, stored)


class RecordFile(RecordBranch):
    """`/MODULE/ID/files/FILE`"""

    def __init__(self, parent: RecordFiles, name: str, stored: StoredFile) -> None:
        super().__init__(parent, name)
        self.stored = stored


class RecordWatchers(RecordBranch):
    """`/MODULE/ID/watchers`: the people added to a record, as far as this person may know about them."""

    def __getitem__(self, name: str) -> "RecordWatcher":
        person_id, people = _record_id(name), watching_people(self.records, self.record)
        if person_id not in {person.id for person in people if person.removable}:
            raise KeyError(name)
        return RecordWatcher(self, name)


class RecordWatcher(RecordBranch):
    """`/MODULE/ID/watchers/PERSON`: a watcher that this person may remove."""


class RecordComments(RecordBranch):
    """`/MODULE/ID/comments/`: the conversation on a record, as far as this person may read it."""

    def __getitem__(self, name: str) -> "RecordComment":
        comment = find_comment(self.records, self.record, _record_id(name))
        if comment is None or not may_correct(self.records, comment, self.request.writer(self.records).author):
            raise KeyError(name)
        return RecordComment(self, name, comment)


class RecordComment(RecordBranch):
    """`/MODULE/ID/comments/COMMENT/`: one of the person's own comments, while they may correct it."""

    def __init__(self, parent: RecordComments, name: str, comment: Comment) -> None:
        super().__init__(parent, name)
        self.comment = comment


class RecordTransitions(RecordBranch):
    """`/MODULE/ID/move/`: the transitions that the profile may make."""

    def __getitem__(self, name: str) -> "RecordTransition":
        transition = self.record_resource.module.transitions.get(name)
        if transition is None or not self.request.policy.may(self.module_name, name):
            raise KeyError(name)
        if not is_for_reader(self.records, self.record, transition):
            raise KeyError(name)
        return RecordTransition(self, name)


class RecordTransition(RecordBranch):
    """`/MODULE/ID/move/TRANSITION`"""

    @property
    def transition(self) -> shapes.Transition:
        return self.record_resource.module.transitions[self.__name__]


class Account(Branch):
    """`/account/`: what belongs only to the signed-in account."""


class Login(Branch):
    """`/login`, and the ways to sign in below it."""

    def __getitem__(self, name: str) -> "SingleSignOn":
        if name == "oidc" and self.request.registry.identity_provider is not None:
            return SingleSignOn(self, name)
        raise KeyError(name)


class SingleSignOn(Branch):
    """`/login/oidc`: signing in with the identity provider."""


class Password(Branch):
    """`/password`, `/password/forgotten`, and the links in letters."""

    def __getitem__(self, name: str) -> "PasswordLinks | SignInLinks":
        if name in (RESET, INVITATION):
            return PasswordLinks(self, name)
        if name == SIGN_IN and SIGN_IN in self.request.portal.declaration.settings.sign_in:
            return SignInLinks(self, name)
        raise KeyError(name)


class LinkByToken(Branch):
    """The page of a link with a token; any token has one, which says whether the link is valid."""

    @property
    def token(self) -> str:
        return self.__name__


class LinksByToken(Branch):
    """The parent of such pages; `link` is their class."""

    link: type[LinkByToken]

    def __getitem__(self, name: str) -> LinkByToken:
        return self.link(self, name)


class SignInLink(LinkByToken):
    """`/password/link/TOKEN`"""


class SignInLinks(LinksByToken):
    """`/password/link`: the way in without a password."""

    link = SignInLink


class PasswordLink(LinkByToken):
    """`/password/reset/TOKEN`, `/password/invitation/TOKEN`"""

    @property
    def purpose(self) -> str:
        """What the link is for."""
        return str(self.__parent__.__name__)


class PasswordLinks(LinksByToken):
    """`/password/reset/`, `/password/invitation/`"""

    link = PasswordLink


class Unsubscribe(LinkByToken):
    """`/unsubscribe/TOKEN`"""


class UnsubscribeLinks(LinksByToken):
    """`/unsubscribe/`: the unsubscribe links in letters."""

    link = Unsubscribe


class SignUpLink(LinkByToken):
    """`/signup/TOKEN`: the link that proves an address."""


class SignUp(LinksByToken):
    """`/signup`"""

    link = SignUpLink


class Join(LinkByToken):
    """`/join/TOKEN`: a company's own link; a wrong one has the same page as a withdrawn one."""


class Joins(LinksByToken):
    """`/join/`: the companies' own links."""

    link = Join


class Administration(Branch):
    """`/-/`: the portal's pages about itself."""

    def __getitem__(self, name: str) -> "Inbox":
        if name == "inbox" and self.request.visitor.identity is not None:
            return Inbox(self, name)
        raise KeyError(name)


class Inbox(Branch):
    """`/-/inbox`: incoming mails that were not used."""

    def __getitem__(self, name: str) -> "UnusedMail":
        mail = unused_mail(self.request.connection, self.request.portal.tables, _record_id(name))
        if mail is None:
            raise KeyError(name)
        return UnusedMail(self, name, mail)


class UnusedMail(Branch):
    """`/-/inbox/ID/`"""

    def __init__(self, parent: Inbox, name: str, mail: MailRow) -> None:
        super().__init__(parent, name)
        self.mail = mail


# What is found below the root without a session.
OPEN_TO_ALL: dict[str, type[Branch]] = {
    "-": Administration,
    "login": Login,
    "password": Password,
    "unsubscribe": UnsubscribeLinks,
    "signup": SignUp,
    "join": Joins,
}


def _record_id(name: str) -> int:
    """A part of an address as the id of a record. Raises KeyError if it is not one."""
    if not RECORD_ID.fullmatch(name):
        raise KeyError(name)
    return int(name)
