"""Which ID tokens are trusted, and which addresses of a provider are used."""

import base64
import datetime
import json

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from portal.accounts.identity_provider import (
    Flow,
    IdentityProvider,
    ProviderError,
    UnknownKeyError,
    check_address,
    verify_id_token,
)

NOW = datetime.datetime(2026, 3, 5, 12, 0, tzinfo=datetime.UTC)
SECONDS = int(NOW.timestamp())
KEY, OTHER = RSAKey.generate_key(2048, {"kid": "one"}), RSAKey.generate_key(2048, {"kid": "one"})
PUBLISHED = KeySet.import_key_set({"keys": [KEY.as_dict(private=False)]})
CLAIMS = {
    "iss": "https://id.example", "aud": "portal", "nonce": "once", "sub": "anna",
    "iat": SECONDS, "exp": SECONDS + 300,
}  # fmt: skip


def verified(token):
    return verify_id_token(token, PUBLISHED, "https://id.example", "portal", "once", NOW)


def signed(claims, key=KEY, algorithm="RS256", kid="one"):
    return jwt.encode({"alg": algorithm, "kid": kid}, claims, key)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"aud": ["portal"]},
        {"aud": ["portal", "else"], "azp": "portal"},
        {"exp": SECONDS - 50},
        {"iat": SECONDS + 50},
    ],
)
def test_a_token_for_this_portal_and_this_attempt_is_believed(changed):
    assert verified(signed({**CLAIMS, **changed}))["sub"] == "anna"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"}, {"aud": "else"}, {"aud": ["portal", "else"]}, {"azp": "else"},
        {"nonce": "twice"}, {"exp": SECONDS - 61}, {"iat": SECONDS + 61}, {"sub": ""}, {"sub": 7}, {"exp": "soon"},
    ],
)  # fmt: skip
def test_another_one_is_not(changed):
    with pytest.raises(ProviderError):
        verified(signed({**CLAIMS, **changed}))


@pytest.mark.parametrize("name", CLAIMS)
def test_no_claim_may_be_missing(name):
    with pytest.raises(ProviderError):
        verified(signed({other: value for other, value in CLAIMS.items() if other != name}))


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "token",
    [
        signed(CLAIMS, OTHER),
        signed(CLAIMS, OctKey.import_key("a secret that others may know, too"), "HS256"),
        f"{part({'alg': 'none'})}.{part(CLAIMS)}.",
        signed(CLAIMS) + "x",
        "",
        "a.b.c",
    ],
)
def test_only_what_the_provider_has_signed_counts(token):
    with pytest.raises(ProviderError):
        verified(token)


def test_a_key_that_is_not_known_yet_is_told_apart():
    with pytest.raises(UnknownKeyError):
        verified(signed(CLAIMS, kid="two"))


@pytest.mark.parametrize(
    "address", ["http://id.example/token", "ftp://localhost/", "file:///etc/passwd", "token", "http://["]
)
def test_nothing_is_asked_that_others_could_read(address):
    with pytest.raises(ProviderError):
        check_address(address)


def test_a_provider_may_say_nothing_about_how_it_recognizes_the_portal(monkeypatch):
    def fetch(address, headers=None, form=None):
        if form:
            raise ProviderError(f"reached with {headers}")
        metadata = {"issuer": "https://id.example", "token_endpoint": "https://id.example/token"}
        return {**metadata, "token_endpoint_auth_methods_supported": None}

    monkeypatch.setattr("portal.accounts.identity_provider.fetch", fetch)
    provider = IdentityProvider("https://id.example", "portal", "secret", "Acme ID")
    with pytest.raises(ProviderError, match="reached with .*Basic"):
        provider.prove("code", Flow.begin(), "https://care.example", NOW)
