"""Passkeys, with a device emulated by Chromium: created, used instead of password and code, and removed."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from portal.accounts.accounts import find_account
from portal.accounts.passkeys import passkeys_of
from portal.accounts.second_factor import add_second_factor, new_secret, remove_second_factor
from portal.database.engine import reading, writing
from tests.browser.walking import sign_in

SIGN_IN = "Sign in with a passkey"


@pytest.fixture
def device(open_page: Callable[..., Page], address: str) -> tuple[Page, CDPSession, str]:
    """A page of a browser whose device keeps passkeys and knows its owner; IP addresses cannot have passkeys."""
    page = open_page(base_url=address.replace("127.0.0.1", "localhost"), locale="en-GB")
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, "isUserVerified": True}})
    return page, session, made["authenticatorId"]


def make(page: Page, password: str, name: str) -> None:
    page.goto("/account/passkey")
    page.get_by_label("Name of the passkey").fill(name)
    page.get_by_label("Current password").fill(password)
    page.get_by_role("button", name="Create a passkey").click()


def use_and_replay(page: Page) -> None:
    """Signs in, and checks that the same answer of the device cannot be reused."""
    page.goto("/login?next=%2Ftickets%2F")
    with page.expect_request(lambda request: request.url.endswith("/login/passkey")) as sent:
        page.get_by_role("button", name=SIGN_IN).click()
    page.wait_for_url("**/tickets/")
    body, origin = str(sent.value.post_data), page.url.removesuffix("/tickets/")
    page.context.clear_cookies(name="portal_session")
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin}
    assert page.request.post("/login/passkey", data=body, headers=headers).status == 422


def rename_and_remove(page: Page) -> None:
    page.goto("/account/")
    shown = page.get_by_role("listitem").filter(has=page.get_by_role("button", name="Rename"))
    expect(shown).to_contain_text("Last used")
    shown.get_by_role("textbox").fill("My telephone")
    shown.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("Passkey renamed.")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No passkeys")).to_be_visible()


def test_a_passkey_signs_in_without_password_and_code(
    device: tuple[Page, CDPSession, str], passwords: dict[str, tuple[str, str]], application: Any
) -> None:
    page, session, authenticator = device
    email, password = passwords["other"]
    sign_in(page, email, password)
    make(page, "a wrong one", "My key")
    expect(page.get_by_role("alert")).to_contain_text("Current password is incorrect")
    make(page, password, "My key")
    expect(page.get_by_text("Passkey added.")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="My key")).to_contain_text("Never used")

    portal, now = application.registry.live.current(), datetime.datetime.now(datetime.UTC)
    with writing(portal.engine) as connection:
        account = find_account(connection, portal.tables, email)
        assert account
        add_second_factor(connection, portal.tables, account.id, new_secret(), 0, now)
    page.get_by_role("button", name="Log out", exact=True).first.click()
    use_and_replay(page)

    page.goto("/login")
    session.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    page.get_by_role("button", name=SIGN_IN).click()
    expect(page.get_by_role("alert")).to_contain_text("did not work")
    session.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": True})

    page.get_by_role("button", name=SIGN_IN).click()
    page.wait_for_url(lambda url: url.endswith("/"))
    rename_and_remove(page)

    page.get_by_role("button", name="Log out", exact=True).first.click()
    page.goto("/login")
    page.get_by_role("button", name=SIGN_IN).click()
    expect(page.get_by_role("alert")).to_contain_text("This passkey cannot be used here")
    with writing(portal.engine) as connection:
        remove_second_factor(connection, portal.tables, account.id)
    with reading(portal.engine) as connection:
        assert passkeys_of(connection, portal.tables, account.id) == []
