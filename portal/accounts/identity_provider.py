"""An identity provider that signs people in by OpenID Connect: the authorization code flow with PKCE.

Knows no requests and no accounts. Anything wrong with the provider or its response is a ProviderError, whose text is
for the log. The provider's metadata and keys are cached for an hour; a token with an unknown key refreshes them.
"""

import base64
import datetime
import hashlib
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from portal.accounts.keys_and_tokens import new_token
from portal.lazy import LazyModule

jwk = LazyModule("joserfc.jwk")
jwt = LazyModule("joserfc.jwt")
errors = LazyModule("joserfc.errors")

# None with a shared secret: the published keys are public, and “none” is no signature.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "Ed25519", "EdDSA")
LEEWAY = 60  # seconds that the clocks may differ
TIMEOUT = 10  # seconds that a response may take
LARGEST_RESPONSE = 1_000_000  # bytes
CACHE_LIFETIME = 3600  # seconds
PAUSE = 30  # seconds without another request to a provider that is down: each one keeps a thread waiting
RENEW_AFTER = 60  # seconds after which an unknown key refreshes the keys
SCOPE = "openid email"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ProviderError(Exception):
    """The provider cannot be used at the moment, or its response was wrong; the message is for the log."""


@dataclass(frozen=True)
class Flow:
    """One attempt to sign in, kept by the browser in the meantime: what the provider's response must match."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def begin(cls) -> "Flow":
        """A new one: three random values."""
        return cls(new_token(), new_token(), new_token())


@dataclass(frozen=True)
class ProvenPerson:
    """The person that the provider vouches for: `subject` is unique; `email` is empty unless it is verified."""

    subject: str
    email: str
    provider: str  # its name

    def may_take_over(self, subject: str | None) -> bool:
        """Whether an account with the person's address, which belongs to the login `subject`, may become theirs: not if
        that is another login at this provider. One at an earlier provider no longer counts."""
        return subject is None or subject.partition(" ")[0] != self.subject.partition(" ")[0]


class IdentityProvider:
    """The identity provider named in the settings (OpenID Connect)."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, label: str) -> None:
        self.issuer, self.label = issuer, label
        self._client = client_id, client_secret
        self._metadata: tuple[float, dict[str, Any]] = (0.0, {})  # since when, by time.monotonic()
        self._pause_until = 0.0  # likewise
        self._keys: tuple[float, Any] | None = None  # since when, and the key set

    def authorization_address(self, flow: Flow, redirect_uri: str) -> str:
        """Where the browser goes to sign in. Raises ProviderError."""
        digest = hashlib.sha256(flow.verifier.encode()).digest()
        parameters = {
            "response_type": "code",
            "scope": SCOPE,
            "client_id": self._client[0],
            "redirect_uri": redirect_uri,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(parameters)}"

    def prove(self, code: str, flow: Flow, redirect_uri: str, now: datetime.datetime) -> ProvenPerson:
        """The person behind the code that the browser brought back from the provider. Raises ProviderError."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        response = self._request_token({**form, "code_verifier": flow.verifier})
        token = response.get("id_token")
        if not isinstance(token, str):
            raise ProviderError("the provider's response has no ID token")
        claims = self._verify(token, flow.nonce, now)
        if "email" not in claims:
            claims = {**self._user_info(response.get("access_token"), claims["sub"]), "sub": claims["sub"]}
        is_verified = claims.get("email_verified") in (True, "true")  # some send it as text
        email = claims.get("email") if is_verified else None
        subject = f"{self.issuer} {claims['sub']}"
        return ProvenPerson(subject, email if isinstance(email, str) else "", self.label)

    def _request_token(self, form: Mapping[str, str]) -> dict[str, Any]:
        client_id, secret = self._client
        supported = self._discover().get("token_endpoint_auth_methods_supported")
        if secret and (not isinstance(supported, list) or "client_secret_basic" in supported):
            credentials = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
            headers = {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}
        else:
            headers, form = {}, {**form, "client_id": client_id, **({"client_secret": secret} if secret else {})}
        return fetch(self._endpoint("token_endpoint"), headers, urlencode(form).encode())

    def _verify(self, token: str, nonce: str, now: datetime.datetime) -> dict[str, Any]:
        keys = self._read_keys()
        try:
            return verify_id_token(token, keys, self.issuer, self._client[0], nonce, now)
        except UnknownKeyError:  # providers rotate their keys
            return verify_id_token(token, self._read_keys(again=True), self.issuer, self._client[0], nonce, now)

    def _user_info(self, access_token: object, subject: str) -> dict[str, Any]:
        """Further claims, for providers that leave the address out of their tokens."""
        if not self._discover().get("userinfo_endpoint") or not isinstance(access_token, str):
            return {}
        claims = fetch(self._endpoint("userinfo_endpoint"), {"Authorization": f"Bearer {access_token}"})
        if claims.get("sub") != subject:
            raise ProviderError("the provider's user info is about someone else")
        return claims

    def _endpoint(self, name: str) -> str:
        address = self._discover().get(name)
        if not isinstance(address, str):
            raise ProviderError(f"the provider names no {name}")
        check_address(address)
        return address

    def _discover(self) -> dict[str, Any]:
        since, metadata = self._metadata
        if not metadata or time.monotonic() - since > CACHE_LIFETIME:
            if time.monotonic() < self._pause_until:
                raise ProviderError("the provider did not answer a moment ago, and is not asked again yet")
            try:
                metadata = self._fetch_metadata()
            except ProviderError:
                self._pause_until = time.monotonic() + PAUSE
                raise
            self._metadata = time.monotonic(), metadata
        return metadata

    def _fetch_metadata(self) -> dict[str, Any]:
        metadata = fetch(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if metadata.get("issuer") != self.issuer:
            raise ProviderError(f"PORTAL_OIDC_ISSUER is {self.issuer}; the provider says {metadata.get('issuer')}")
        return metadata

    def _read_keys(self, again: bool = False) -> Any:
        age = None if self._keys is None else time.monotonic() - self._keys[0]
        if self._keys is None or age is None or age > (RENEW_AFTER if again else CACHE_LIFETIME):
            try:
                keys = jwk.KeySet.import_key_set(fetch(self._endpoint("jwks_uri")))
            except (errors.JoseError, ValueError, KeyError, TypeError) as error:
                raise ProviderError(f"the provider's keys cannot be read: {error}") from None
            self._keys = time.monotonic(), keys
        return self._keys[1]


class UnknownKeyError(ProviderError):
    """A token was signed with none of the known keys."""


def verify_id_token(
    token: str, keys: Any, issuer: str, client_id: str, nonce: str, now: datetime.datetime
) -> dict[str, Any]:
    """The claims of an ID token: signed by the provider, for this portal and this attempt, still valid.

    OpenID Connect Core 3.1.3.7. Raises ProviderError, and UnknownKeyError if newer keys may help.
    """
    checks = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        nonce={"essential": True, "value": nonce},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
    )
    try:
        decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
        checks.validate(decoded.claims)
    except errors.InvalidKeyIdError as error:
        raise UnknownKeyError(f"the ID token is signed with an unknown key: {error}") from None
    except (errors.JoseError, ValueError) as error:
        raise ProviderError(f"the ID token is refused: {error}") from None
    claims: dict[str, Any] = decoded.claims
    others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if others else client_id) != client_id:
        raise ProviderError("the ID token was made for another client")
    return claims


def check_address(address: str) -> None:
    """Raises ProviderError for an address of the provider that is not encrypted."""
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise ProviderError(f"{address}: {error}") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ProviderError(f"{address} is not https")


def fetch(address: str, headers: Mapping[str, str] | None = None, form: bytes | None = None) -> dict[str, Any]:
    """The JSON object at an address of the provider; redirects are not followed. Raises ProviderError."""
    check_address(address)
    request = urllib.request.Request(address, form, {"Accept": "application/json", **(headers or {})})  # noqa: S310
    try:
        with _opener().open(request, timeout=TIMEOUT) as response:
            text = response.read(LARGEST_RESPONSE + 1)
        content = json.loads(text) if len(text) <= LARGEST_RESPONSE else None
    except urllib.error.HTTPError as error:
        with error:
            raise ProviderError(f"{address} answers {error.code}: {error.read(500)!r}") from None
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        raise ProviderError(f"{address}: {error}") from None
    if not isinstance(content, dict):
        raise ProviderError(f"{address} answers with no JSON object")
    return content


def _opener() -> urllib.request.OpenerDirector:
    """Without redirects: the provider's addresses need none, and requests contain secrets."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener
