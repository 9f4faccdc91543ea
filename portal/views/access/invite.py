"""The invitation of a new colleague: their record in the company, access and letter in one go."""

from collections.abc import Mapping
from dataclasses import replace

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.access_rules import may_manage, may_manage_company
from portal.accounts.accounts import find_account, find_account_of_person, normalize_email
from portal.accounts.giving_access import AccessRefusedError, AccessRequest, Register
from portal.fields.email import is_mail_address
from portal.fields.link import RECORD_ID
from portal.records.policy import system_policy
from portal.records.reading.records import Records
from portal.texts import _
from portal.views.access.access_form import access_inputs, access_rows, posted_access, read_access
from portal.views.access.person import (
    TAKEN,
    Errors,
    invited,
    language_of_colleagues,
    limit_refusals,
    register_of,
    succeeded,
)
from portal.views.forms.offers import OFFERED, findable
from portal.views.forms.submissions import answer_if_repeated, finished, once_key
from portal.views.pages import QuestionPage
from portal.views.parts import Action, FormRow, Offer, Widget
from portal.web.addresses import list_address, record_address
from portal.web.form_input import posted_text
from portal.web.frame import Words
from portal.web.resources import Module

OWN_INPUTS = ("email", "name", "company")
LONGEST_NAME = 200
Inputs = Mapping[str, str]


@view_config(context=Module, name="invite", request_method="GET", renderer="question.pt", permission="grant")
def show_invite(module: Module, request: Request) -> dict[str, QuestionPage]:
    """The form that invites a colleague; `?company=ID` chooses the company."""
    _check_companies(request)
    inputs = {**access_inputs(request, None), "email": "", "name": "", "company": request.GET.get("company", "")}
    return {"page": invite_page(module, request, inputs, {})}


@view_config(context=Module, name="invite", request_method="POST", renderer="question.pt", permission="grant")
def invite_person(module: Module, request: Request) -> dict[str, QuestionPage] | Response:
    """Makes the person, with access and an invitation. Who is recorded already is not recorded twice."""
    _check_companies(request)
    inputs = {**posted_access(request), **{name: posted_text(request, name).strip() for name in OWN_INPUTS}}
    access, register = read_access(request, inputs), register_of(request)
    errors = {**access.errors, **_own_errors(request, inputs)}
    if errors:
        return _refused(module, request, inputs, errors)
    limit_refusals(request)
    if again := answer_if_repeated(module.records, request):
        return again
    profile = access.values.pop("profile")
    email = normalize_email(inputs["email"])
    try:
        if taken := _taken(request, register, email):
            return _refused(module, request, inputs, {"email": taken})
        company = chosen_company(request, inputs["company"])
        values = {**access.values, **language_of_colleagues(request)}
        access_request = AccessRequest(email, profile, inputs["name"], values=values, company=company)
        account = register.add(access_request, None, must_change=False)
    except AccessRefusedError:
        return _refused(module, request, inputs, {"email": TAKEN})
    succeeded(request)
    return invited(request, finished(module.records, request, _following(module, account.person)), register, account)


def _following(module: Module, person: int | None) -> str:
    """The card of the new person, if the reader sees it."""
    visible = person is not None and module.records.exists(person)
    return record_address(module.module_name, person or 0) if visible else list_address(module.module_name)


def _taken(request: Request, register: Register, email: str) -> Words:
    """Why an address cannot be invited: somebody has it whose access is not to be given by the reader."""
    if find_account(request.connection, request.portal.tables, email) is not None:
        return _("This address already has access.") if request.policy.staff else TAKEN
    person = register.person_with(email)
    if person is None:
        return ""
    people = Records(request.connection, request.policy, str(request.portal.declaration.people))
    account = find_account_of_person(request.connection, request.portal.tables, person.id)
    manages = account is None and may_manage(request.connection, request.identity, person.id, None)
    return "" if manages and people.exists(person.id) else TAKEN


def _own_errors(request: Request, inputs: Inputs) -> dict[str, Words]:
    errors: dict[str, Words] = {}
    if not is_mail_address(normalize_email(inputs["email"])):
        errors["email"] = _("Enter an email address such as name@example.com.")
    name = inputs["name"]
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        errors["name"] = _("Enter the person's name.")
    if chosen_company(request, inputs["company"]) is None and (inputs["company"] or not request.policy.staff):
        errors["company"] = _("Choose a company.")
    return errors


def _refused(module: Module, request: Request, inputs: Inputs, errors: Errors) -> dict[str, QuestionPage]:
    request.response.status_int = 422
    return {"page": invite_page(module, request, inputs, errors)}


def invite_page(module: Module, request: Request, inputs: Inputs, errors: Errors) -> QuestionPage:
    """The form for a new colleague."""
    email = Widget(
        "email", _("Email"), type="email", value=inputs["email"], required=True, error=errors.get("email", ""),
        autocomplete="off",
    )  # fmt: skip
    name = Widget(
        "name", _("Name"), value=inputs["name"], required=True, error=errors.get("name", ""), autocomplete="off",
        max_length=LONGEST_NAME,
    )  # fmt: skip
    company = company_widget(request, inputs["company"], errors.get("company", ""))
    return QuestionPage(
        heading=_("Invite someone"),
        subject=module.request.reader.text(module.access.label),
        action=f"{module.path}invite",
        submit=_("Send invitation"),
        back_url=module.path,
        rows=(
            FormRow((email, name)),
            *([FormRow((company,))] if company else []),
            *access_rows(request, inputs, errors),
        ),
        icon="send",
        once=once_key(request),
        others=(Action(_("Invite everybody"), f"{module.path}open", "users"),) if request.policy.staff else (),
    )


# -- the company -------------------------------------------------------------------------------------------------------


def _check_companies(request: Request) -> None:
    """Who is not staff invites into their own companies: without one there is nobody to invite."""
    if not request.policy.staff and not request.reader.companies:
        raise HTTPNotFound


def chosen_company(request: Request, text: str) -> int | None:
    """The company that an input names; the only one of who is not staff needs no name."""
    own = request.reader.companies
    if not text and not request.policy.staff and len(own) == 1:
        return int(own[0])
    organizations = request.portal.declaration.organizations
    if organizations is None or not RECORD_ID.fullmatch(text) or not may_manage_company(request.identity, int(text)):
        return None
    if not request.policy.staff:
        return int(text)
    seen = request.policy.access(organizations) is not None
    return int(text) if seen and Records(request.connection, request.policy, organizations).exists(int(text)) else None


def company_widget(request: Request, chosen: str, error: Words) -> Widget | None:
    """The choice of a company; None where there is nothing to choose."""
    organizations, people = request.portal.declaration.organizations, request.portal.declaration.people
    if organizations is None or people is None:
        return None
    widget = Widget("company", _("Company"), "select", required=not request.policy.staff, error=error)
    if not request.policy.staff:
        everything = Records(request.connection, system_policy(request.portal.tables), organizations)
        own = everything.by_ids(request.reader.companies, [])
        offers = tuple(Offer(str(company.id), company.title, str(company.id) == chosen) for company in own)
        return replace(widget, offers=offers) if len(own) > 1 else None
    if request.policy.access(organizations) is None:
        return None
    companies = Records(request.connection, request.policy, organizations)
    titles = dict(companies.find("", OFFERED))
    if RECORD_ID.fullmatch(chosen):
        titles |= {company.id: company.title for company in companies.by_ids([int(chosen)], [])}
    offers = tuple(Offer(str(number), title, str(number) == chosen) for number, title in titles.items())
    return replace(widget, macro="link", offers=offers, find=_finder(request, people))


def _finder(request: Request, people: str) -> str:
    """The address that finds companies while one types: that of the link from people to them."""
    records = Records(request.connection, request.policy, people)
    link = records.module.organization
    return f"/{people}/find?field={link}" if link in findable(records) else ""
