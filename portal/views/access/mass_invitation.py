"""Inviting everyone: how many people that would be, the switch, and the progress. For staff."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.mass_invitation import (
    MassInvitationOutcome,
    count_uninvited,
    current_mass_invitation,
    end_mass_invitation,
    last_outcome,
    start_mass_invitation,
)
from portal.texts import Words, _, ngettext
from portal.views.access.access_form import DAY, access_inputs, access_rows, posted_access, read_access, register_of
from portal.views.forms.form_page import FormRow
from portal.views.forms.submissions import once_key, refused_form, response_if_repeated, response_when_done
from portal.views.parts import TitledLink
from portal.web.addresses import record_address
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.letters import writes_links
from portal.web.resources import Module

MOST_LEFT_OUT = 20  # names on the page


@dataclass(frozen=True)
class MassInvitationPage:
    """mass_invitation.pt: inviting everyone; without `submit`, there is nobody to invite."""

    url: str
    back_url: str
    text: Words
    rows: tuple[FormRow, ...] = ()
    submit: Words = ""
    once: str = ""
    running: bool = False
    outcome: tuple[Words, ...] = ()  # the outcome of the last time
    left_out: tuple[TitledLink, ...] = ()  # those who could not be invited then


@view_config(context=Module, name="open", request_method="GET", renderer="mass_invitation.pt", permission="grant")
def show_mass_invitation(module: Module, request: Request) -> MassInvitationPage:
    """`GET /PEOPLE/open`: how many people would be invited, or the progress of the invitations."""
    _check_staff(request)
    return _invitation_page(module, request, access_inputs(request, None), {})


@view_config(context=Module, name="open", request_method="POST", renderer="mass_invitation.pt", permission="grant")
def invite_everyone(module: Module, request: Request) -> MassInvitationPage | Response:
    """`POST /PEOPLE/open`: starts or stops inviting everyone, which the worker does batch by batch."""
    _check_staff(request)
    if again := response_if_repeated(module.records, request):
        return again
    if posted_text(request, "do") == "stop":
        end_mass_invitation(request.connection, request.portal.tables, request.now)
        return set_flash(request, response_when_done(module.records, request, f"{module.path}open"), "opening-stopped")
    if current_mass_invitation(request.connection, request.portal.tables) is not None:
        return response_when_done(module.records, request, f"{module.path}open")
    inputs = posted_access(request)
    access = read_access(request, inputs)
    if access.errors or not writes_links(request):
        return refused_form(request, _invitation_page(module, request, inputs, access.errors))
    profile = access.values.pop("profile")
    start_mass_invitation(register_of(request), profile, access.values)
    return set_flash(request, response_when_done(module.records, request, f"{module.path}open"), "opening")


def _check_staff(request: Request) -> None:
    if not request.policy.staff:
        raise HTTPNotFound


def _invitation_page(
    module: Module, request: Request, inputs: Mapping[str, str], errors: Mapping[str, Words]
) -> MassInvitationPage:
    url = f"{module.path}open"
    invitation = current_mass_invitation(request.connection, request.portal.tables)
    number = count_uninvited(request.connection, request.portal.tables, invitation.after if invitation else 0)
    if invitation is not None:
        text = ngettext(
            "${number} person has been invited so far, ${left} still to go.",
            "${number} people have been invited so far, ${left} still to go.",
            invitation.invited,
            left=str(number),
        )
        return MassInvitationPage(url, module.path, text, submit=_("Stop"), once=once_key(request), running=True)
    if not writes_links(request):
        return MassInvitationPage(url, module.path, _("This portal cannot send email."))
    outcome = last_outcome(request.connection, request.portal.tables, MOST_LEFT_OUT)
    outcome_words = tuple(_outcome_words(request, outcome)) if outcome else ()
    left_out = _titled(module, outcome.left_out) if outcome else ()
    if not number:
        text = _("Everyone with an email address has access or has been invited.")
        return MassInvitationPage(url, module.path, text, outcome=outcome_words)
    text = ngettext(
        "${number} person has an email address and no access yet, not counting your own company.",
        "${number} people have an email address and no access yet, not counting your own company.",
        number,
    )
    submit = ngettext("Invite ${number} person", "Invite ${number} people", number)
    rows = tuple(access_rows(request, inputs, errors))
    return MassInvitationPage(
        url, module.path, text, rows, submit, once_key(request), outcome=outcome_words, left_out=left_out
    )


def _outcome_words(request: Request, outcome: MassInvitationOutcome) -> Iterator[Words]:
    day = DAY.show(outcome.finished.astimezone(request.reader.time_zone).date(), request.reader)
    yield ngettext(
        "${number} person was invited on ${date}.",
        "${number} people were invited on ${date}.",
        outcome.invited,
        date=day,
    )
    if outcome.skipped:
        yield ngettext(
            "${number} person could not be invited: emails bounce, or someone else signs in with the address.",
            "${number} people could not be invited: emails bounce, or someone else signs in with the address.",
            outcome.skipped,
        )


def _titled(module: Module, ids: tuple[int, ...]) -> tuple[TitledLink, ...]:
    """The people on the page of the mass invitation that the reader sees, with links to their pages."""
    return tuple(
        TitledLink(person.title or person.reference, record_address(module.module_name, person.id))
        for person in module.records.by_ids(ids, [])
    )
