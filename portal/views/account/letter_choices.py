"""Which letters a person gets: chosen at `/account/`, or ended without signing in by the link in each letter."""

from dataclasses import dataclass

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from portal.accounts.accounts import Account as Login
from portal.accounts.accounts import load_account
from portal.accounts.keys_and_tokens import find_portal_key
from portal.accounts.letter_choices import (
    CHOICES,
    KINDS,
    RELATIONS,
    Choice,
    Relation,
    chosen_letters,
    kinds_of_letters,
    save_choices,
    sees_company,
)
from portal.mail.unsubscribe_token import read_unsubscribe_token
from portal.texts import Words, _
from portal.web.flash import set_flash
from portal.web.resources import Account, Unsubscribe


@dataclass(frozen=True)
class LetterChoice:
    """A checkbox for letters: its value, the person's relation to the records, and whether it is ticked."""

    value: str
    relation: Words
    chosen: bool


@dataclass(frozen=True)
class LetterRow:
    """A kind of letters, with a checkbox per relation; None if it does not apply."""

    label: Words
    choices: tuple[LetterChoice | None, ...]


@dataclass(frozen=True)
class LetterChoices:
    """Which letters about records the reader gets: the relations in the table's header, and its rows."""

    relations: tuple[Words, ...]
    rows: tuple[LetterRow, ...]


@dataclass(frozen=True)
class NoticePage:
    """notice.pt, also without signing in: a sentence, with a button or a link."""

    heading: Words
    text: Words
    action: str = ""
    submit: Words = ""
    back_url: str = ""
    back_label: Words = ""


def letter_choices(request: Request) -> LetterChoices:
    """For each kind of letters and each relation to a record, whether the signed-in person gets it."""
    choices, relations = _chosen_letters(request), _relations_of(request)
    rows = tuple(
        LetterRow(
            KINDS[kind],
            tuple(
                LetterChoice(f"{relation}.{kind}", RELATIONS[relation], (relation, kind) in choices)
                if (relation, kind) in CHOICES
                else None
                for relation in relations
            ),
        )
        for kind in kinds_of_letters(request.portal.declaration, request.policy.profile)
    )
    return LetterChoices(tuple(RELATIONS[relation] for relation in relations), rows)


def _relations_of(request: Request) -> tuple[Relation, ...]:
    """The relations that the signed-in person can choose; not that of the company for staff and for people who see only
    their own."""
    has_company = sees_company(request.portal.declaration, request.policy.profile)
    return tuple(relation for relation in RELATIONS if relation is not Relation.COMPANY or has_company)


def _chosen_letters(request: Request) -> frozenset[Choice]:
    return chosen_letters(request.connection, request.portal.tables, request.identity.account.id)


@view_config(context=Account, name="letters", request_method="POST")
def choose_letters(context: Account, request: Request) -> Response:
    """`POST /account/letters`: stores which letters the signed-in person wants: those with ticked boxes. Choices that
    the page did not offer, as no such letters are written, stay as they were."""
    ticked = set(request.POST.getall("letters"))
    kinds = kinds_of_letters(request.portal.declaration, request.policy.profile)
    offered = {(relation, kind) for relation in _relations_of(request) for kind in kinds}
    chosen = {(relation, kind) for relation, kind in offered.intersection(CHOICES) if f"{relation}.{kind}" in ticked}
    choices = chosen | (_chosen_letters(request) - offered)
    save_choices(request.connection, request.portal.tables, request.identity.account.id, choices)
    return set_flash(request, HTTPSeeOther("/account/"), "letters-chosen")


@view_config(context=Unsubscribe, request_method="GET", renderer="notice.pt", permission=NO_PERMISSION_REQUIRED)
def show_unsubscribe(context: Unsubscribe, request: Request) -> NoticePage:
    """`GET /unsubscribe/TOKEN`: asks whether to end letters; opening a link, as mail scanners do, changes nothing."""
    account = _account(context, request)
    if account is None:
        return _not_valid(request)
    return NoticePage(
        heading=_("Stop these emails?"),
        text=_("${email} will no longer get emails about what happens here.", mapping={"email": account.email}),
        action=context.path.rstrip("/"),
        submit=_("Stop these emails"),
    )


@view_config(
    context=Unsubscribe,
    request_method="POST",
    renderer="notice.pt",
    permission=NO_PERMISSION_REQUIRED,
    require_csrf=False,  # mail programs post here on their own (RFC 8058); the token is the proof
)
def unsubscribe(context: Unsubscribe, request: Request) -> NoticePage:
    """`POST /unsubscribe/TOKEN`: ends all letters about records to the account of the link."""
    account = _account(context, request)
    if account is None:
        return _not_valid(request)
    save_choices(request.connection, request.portal.tables, account.id, ())
    return NoticePage(
        heading=_("You will no longer get these emails"),
        text=_("You can choose which ones you want under “My account”, whenever you like."),
        back_url="/account/",
        back_label=_("My account"),
    )


def _not_valid(request: Request) -> NoticePage:
    """The unsubscribe page of an invalid link, which needs no sign-in."""
    request.response.status_code = 404
    text = _("Open it again from the email, or choose the emails you want under “My account”.")
    heading, back_label = _("This link is not valid"), _("My account")
    return NoticePage(heading, text, back_url="/account/", back_label=back_label)


def _account(context: Unsubscribe, request: Request) -> Login | None:
    """The account of an unsubscribe link; None if this portal did not make its token."""
    key = find_portal_key(request.connection, request.portal.tables)
    account_id = read_unsubscribe_token(key, context.token) if key else None
    return None if account_id is None else load_account(request.connection, request.portal.tables, account_id)
