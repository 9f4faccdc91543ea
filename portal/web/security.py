"""Pyramid's security policy: who is signed in, and whether their profile permits what a view does.

Rights are data of the profile; `permits` asks the policy and says why. Every view is closed unless it is declared
public.
"""

from collections.abc import Callable
from typing import Any

from pyramid.request import Request
from pyramid.security import Allowed, Denied

from portal.accounts.access_rules import may_manage_company
from portal.accounts.identity import PASSWORD, SECOND_FACTOR, Identity, may_have_password
from portal.web.serving import is_local_development

SEE = "see"  # the default: whatever the resource tree contains may be seen
CHANGE_PASSWORD = "change password"  # noqa: S105 - the name of a permission
SET_SECOND_FACTOR = "set a second factor"
ADMINISTER = "administer"
READ_LETTERS = "read letters"
HANDLE_MAIL = "handle mail"
LET_IN = "let people of a company in"


# What must be set before anything else: the page for it, and its permission.
PAGES_THAT_SET = {
    PASSWORD: ("/password", CHANGE_PASSWORD),
    SECOND_FACTOR: ("/account/second-factor", SET_SECOND_FACTOR),
}


def may_handle_mail(identity: Identity) -> bool:
    """Whether a person may open the pages of unused mail: staff who may create what mail creates."""
    policy, inbox = identity.policy, identity.policy.declaration.inbox
    return identity.administrator or (policy.staff and inbox is not None and policy.may(inbox.creates, "create"))


# The portal's pages about itself, and who may open them.
PORTAL_PAGES: dict[str, Callable[[Identity], bool]] = {
    ADMINISTER: lambda identity: identity.administrator,
    READ_LETTERS: lambda identity: identity.administrator,
    HANDLE_MAIL: may_handle_mail,
}


class Security:
    """The security policy."""

    def identity(self, request: Request) -> Identity | None:
        """The identity whose rights the request has; None for a guest."""
        return request.visitor.identity

    def authenticated_userid(self, request: Request) -> str | None:
        identity = request.visitor.identity
        return identity and str(identity.account.id)

    def permits(self, request: Request, context: Any, permission: str) -> Allowed | Denied:
        """Whether the policy allows what the view needs, in this module or on this page of the portal."""
        identity = request.visitor.identity
        if permission == READ_LETTERS and is_local_development(request):
            return Allowed("in development on this machine everyone may read the letters")
        if identity is None:
            return Denied("nobody is signed in")
        if identity.must_set and permission != PAGES_THAT_SET[identity.must_set][1]:
            return Denied(f"the {identity.must_set} has to be set first")
        if permission == CHANGE_PASSWORD:
            return self._granted(may_have_password(identity.policy.declaration, identity.account), identity, permission)
        if permission in (SEE, SET_SECOND_FACTOR):
            return Allowed("what the resource tree contains may be seen")
        if permission in PORTAL_PAGES:
            return self._granted(PORTAL_PAGES[permission](identity), identity, permission)
        module = context.module_name
        if permission == LET_IN:
            company = module == identity.policy.declaration.organizations
            may = company and may_manage_company(identity, context.record.id)
        else:
            may = module is not None and identity.policy.may(module, permission)
        return self._granted(may, identity, f"{permission} in {module}")

    def remember(self, request: Request, userid: str, **options: Any) -> list[tuple[str, str]]:
        """Does nothing: portal.accounts opens the session."""
        return []

    def forget(self, request: Request, **options: Any) -> list[tuple[str, str]]:
        """Does nothing: portal.accounts closes the session."""
        return []

    def _granted(self, may: bool, identity: Identity, what: str) -> Allowed | Denied:
        kind = Allowed if may else Denied
        return kind("profile %s: %s: %s", identity.account.profile, what, "yes" if may else "no")
