"""Signing up: `/signup` as declared in `sign_up:`, and `/join/TOKEN`, the link of a company.

One page asks for the address and sends a link to it; the link's page asks for name and password; then someone
approves, if that is declared. Only the link's page reveals whether an address is known.
"""

from typing import Any

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from portal.accounts.accounts import NO_ACCOUNT, Account, find_account
from portal.accounts.attempts import network_of
from portal.accounts.companies import company_of_link, company_of_title
from portal.accounts.giving_access import AccessRefusedError, Register
from portal.accounts.passwords import password_weakness
from portal.accounts.people_register import LONGEST_NAME, is_person_name
from portal.accounts.sign_ups import NewSignUp, SignUpRequest, SignUps
from portal.database.engine import reading
from portal.fields.email import is_mail_address, normalize_email
from portal.mail.access_letters import address_proof_letter, approval_request_letter
from portal.records.policy import system_policy
from portal.records.reading.records import Records
from portal.texts import Words, _
from portal.views.access.access_form import posted_name
from portal.views.access.waiting import sign_ups_of
from portal.views.account.password_page import TO_SIGN_IN, PasswordPage, new_password_widgets
from portal.views.account.session import welcome
from portal.views.forms.form_page import StepState, Widget
from portal.views.forms.submissions import refused_form
from portal.web.form_input import posted_text
from portal.web.letters import letter_sender, queue_letter, writes_links
from portal.web.resources import Join, SignUp, SignUpLink

SENT = _("If this address may join, we have sent it a link. The link works once and expires in an hour.")
IN_OUTBOX = _(
    "This portal runs in development mode: you can find the email with the link at /-/outbox. The link works once and"
    " expires in an hour."
)
VOID = _("This link is invalid or has expired. Ask your company for the current one.")
GONE = _("This link has expired or has already been used.")

Errors = dict[str, Words]


# -- the address -------------------------------------------------------------------------------------------------------


@view_config(context=SignUp, request_method="GET", renderer="password.pt", permission=NO_PERMISSION_REQUIRED)
def show_sign_up(context: SignUp, request: Request) -> Any:
    """`GET /signup`: asks for the address, and then always gives the same response."""
    if request.portal.declaration.sign_up is None:
        raise HTTPNotFound
    return _show(request, _("Sign up"), "/signup")


@view_config(context=SignUp, request_method="POST", renderer="password.pt", permission=NO_PERMISSION_REQUIRED)
def sign_up(context: SignUp, request: Request) -> Any:
    """`POST /signup`: sends the link that proves the address, if its domain is admitted."""
    declared = request.portal.declaration.sign_up
    if declared is None:
        raise HTTPNotFound
    email = posted_text(request, "email")
    domain = normalize_email(email).rpartition("@")[2]
    if is_mail_address(normalize_email(email)) and declared.domains is not None and domain not in declared.domains:
        error = _("Only addresses of certain companies can sign up here, and this is not one of them.")
        return refused_form(request, _address_page(request, _("Sign up"), "/signup", email, error))
    title = (declared.domains or {}).get(domain)
    organization = company_of_title(request.connection, request.portal.tables, title) if title else None
    return _ask(request, _("Sign up"), "/signup", declared.profile, organization)


@view_config(context=Join, request_method="GET", renderer="password.pt", permission=NO_PERMISSION_REQUIRED)
def show_join(context: Join, request: Request) -> Any:
    """`GET /join/TOKEN`: a company's own link: asks for access, or sends people who have it to the sign-in."""
    company = company_of_link(request.connection, request.portal.tables, context.token)
    if company is None:
        return _dead_link(request, VOID)
    return _show(request, _join_heading(request, company[0]), f"/join/{context.token}")


@view_config(context=Join, request_method="POST", renderer="password.pt", permission=NO_PERMISSION_REQUIRED)
def join_by_link(context: Join, request: Request) -> Any:
    """`POST /join/TOKEN`: like signing up, for the company of the link."""
    company = company_of_link(request.connection, request.portal.tables, context.token)
    if company is None:
        return _dead_link(request, VOID)
    organization, profile = company
    return _ask(request, _join_heading(request, organization), f"/join/{context.token}", profile, organization)


def _join_heading(request: Request, organization: int) -> Words:
    declaration, tables = request.portal.declaration, request.portal.tables
    companies = Records(request.connection, system_policy(tables), str(declaration.organizations))
    titles = [record.title for record in companies.by_ids([organization], [])]
    return _("Join ${company}", mapping={"company": titles[0]}) if titles else _("Sign up")


def _show(request: Request, heading: Words, action: str) -> Any:
    if request.identity is not None:
        return HTTPSeeOther("/")
    if not writes_links(request):
        return PasswordPage(heading, text=_("This portal cannot send email. Please contact us."), **TO_SIGN_IN)
    if "sent" in request.GET:
        sent = request.registry.serving.sends_email
        text, again_url = (SENT, action) if sent else (IN_OUTBOX, "")
        return PasswordPage(
            _("Check your email"), text=text, steps=_steps(request, 0), again_url=again_url, **TO_SIGN_IN
        )
    return _address_page(request, heading, action, "", "")


def _ask(request: Request, heading: Words, action: str, profile: str, organization: int | None) -> Any:
    email = normalize_email(posted_text(request, "email"))
    if not is_mail_address(email):
        error = _("Enter an email address such as name@example.com.")
        return refused_form(request, _address_page(request, heading, action, posted_text(request, "email"), error))
    if not writes_links(request):
        return HTTPSeeOther(action)
    language = request.reader.language
    new = NewSignUp(email, profile, organization, language, network_of(request.remote_addr))
    token = sign_ups_of(request).begin(new)
    if token is not None:
        recipient = Account(NO_ACCOUNT, email, "", profile, language=language)
        queue_letter(request, address_proof_letter(letter_sender(request), recipient, token), link=token)
    return HTTPSeeOther(f"{action}?sent=1")


def _address_page(request: Request, heading: Words, action: str, email: str, error: Words) -> PasswordPage:
    widget = Widget("email", _("Email"), type="email", value=email, required=True, error=error, autocomplete="email")
    return PasswordPage(
        heading=heading,
        action=action,
        text=_("First we email you a link, to make sure that the address is yours."),
        widgets=(widget,),
        submit=_("Send link"),
        back_url="/login",
        back_label=_("I already have access: sign in"),
        steps=_steps(request, 0),
    )


def _steps(request: Request, current: int) -> tuple[StepState, ...]:
    labels = [_("Address"), _("Name"), *([_("Approval")] if request.portal.declaration.approves_sign_ups else [])]
    return tuple(StepState.at(number, current, label) for number, label in enumerate(labels))


def _dead_link(request: Request, text: Words) -> Any:
    """The page for a sign-up link that is no longer valid; a person it has let in goes on to their home page."""
    if request.identity is not None:
        return HTTPSeeOther("/")
    request.response.status_code = 404
    return PasswordPage(_("Sign up"), text=text, **TO_SIGN_IN)


# -- name and password -------------------------------------------------------------------------------------------------


@view_config(context=SignUpLink, request_method="GET", renderer="password.pt", permission=NO_PERMISSION_REQUIRED)
def show_proof(context: SignUpLink, request: Request) -> Any:
    """`GET /signup/TOKEN`: the form behind the link; opening it, as mail scanners do, does not use it up."""
    sign_up = _valid_sign_up(context, request)
    if not isinstance(sign_up, SignUpRequest):
        return sign_up
    return _name_page(context, request, sign_up.email, "", {})


@view_config(context=SignUpLink, request_method="POST", renderer="password.pt", permission=NO_PERMISSION_REQUIRED)
def use_sign_up_link(context: SignUpLink, request: Request) -> Any:
    """`POST /signup/TOKEN`: accepts name and password. People who need no approval are signed in, others wait."""
    sign_up = _valid_sign_up(context, request)
    if not isinstance(sign_up, SignUpRequest):
        return sign_up
    name, new = posted_name(request), posted_text(request, "new")
    errors = _errors(request, name, new, sign_up.email)
    if errors:
        return refused_form(request, _name_page(context, request, sign_up.email, name, errors))
    hashed = request.passwords.hash(new) if request.portal.declaration.uses_passwords else None
    sign_ups = sign_ups_of(request)
    waiting = sign_ups.prove(sign_up, name, hashed)
    if waiting is None:
        return _dead_link(request, GONE)
    if not request.portal.declaration.approves_sign_ups and waiting.organization == sign_up.organization:
        register = Register(request.connection, request.portal.tables, request.now)
        try:
            return welcome(request, sign_ups.let_in(waiting, register, waiting.profile), hashed)
        except AccessRefusedError:
            pass  # it waits for staff, who see why
    for identity in sign_ups.deciders(waiting):
        letter = approval_request_letter(letter_sender(request), identity.account, waiting.email)
        queue_letter(request, letter, account=identity.account.id)
    text = _("Thank you. We have received your request. You will get an email as soon as you can sign in.")
    return PasswordPage(_("Almost done"), text=text, steps=_steps(request, 2), **TO_SIGN_IN)


def _valid_sign_up(context: SignUpLink, request: Request) -> SignUpRequest | Any:
    """The sign-up, or the page that says that the link is void or that its address already has access.

    Read on a separate connection, so that nobody waits for the request's own while a password is hashed.
    """
    with reading(request.portal.engine) as connection:
        sign_up = SignUps(connection, request.portal.tables, request.now).find(context.token)
        known = sign_up is not None and find_account(connection, request.portal.tables, sign_up.email) is not None
    if sign_up is None:
        return _dead_link(request, GONE)
    if not known:
        return sign_up
    text = _(
        "${email} already has access. If you do not know the password, set a new one from the sign-in page.",
        mapping={"email": sign_up.email},
    )
    return PasswordPage(_("Sign up"), text=text, **TO_SIGN_IN)


def _errors(request: Request, name: str, new: str, email: str) -> Errors:
    errors: Errors = {}
    if not is_person_name(name):
        errors["name"] = _("Enter your name.")
    if not request.portal.declaration.uses_passwords:
        return errors
    if weak := password_weakness(new, email):
        errors["new"] = weak
    elif new != posted_text(request, "confirm"):
        errors["confirm"] = _("The passwords do not match.")
    return errors


def _name_page(context: SignUpLink, request: Request, email: str, name: str, errors: Errors) -> PasswordPage:
    widget = Widget(
        "name", _("Your name"), value=name, required=True, error=errors.get("name", ""), autocomplete="name",
        max_length=LONGEST_NAME,
    )  # fmt: skip
    return PasswordPage(
        heading=_("Sign up"),
        action=f"/signup/{context.token}",
        email=email,
        widgets=(widget, *(new_password_widgets(errors) if request.portal.declaration.uses_passwords else ())),
        submit=_("Sign up"),
        steps=_steps(request, 1),
    )
