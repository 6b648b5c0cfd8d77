"""The one HTTP client of the authorization server: metadata, keys, token requests, revocation, identity."""

from __future__ import annotations

import asyncio
import logging
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

import httpx

from gateway.errors import (
    AuthorizationServerError,
    AuthorizationServerTimeout,
    AuthorizationServerUnreachable,
    IdentityInvalid,
    KeyUnknown,
    MetadataInvalid,
)
from gateway.oauth.client_auth import build_client_authentication, choose_client_auth_method
from gateway.oauth.identity import Identity, build_identity, parse_profile
from gateway.oauth.metadata import build_metadata_url, parse_metadata
from gateway.oauth.token import (
    TokenResponse,
    build_code_exchange,
    build_refresh_request,
    build_revocation_request,
    parse_retry_after,
    parse_token_response,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from joserfc.jwk import KeySet

    from gateway.oauth.authorization import AuthorizationCode
    from gateway.oauth.client_auth import ClientAuthentication, ClientAuthMethod
    from gateway.oauth.metadata import ServerMetadata

_LOGGER = logging.getLogger(__name__)

_TOKEN_SECONDS = 30.0
"""How long a token request may take altogether; lexoffice ends its own calls after 30 s."""
_FETCH_SECONDS = 10.0
_ANSWER_LIMIT = 1_048_576
_METADATA_SECONDS = 3600.0
_KEYS_SECONDS = 60.0
"""An unknown `kid` fetches the key set at most this often: no stranger can make it a hammer."""
_HTTP_OK = 200
_HTTP_TOO_MANY = 429


class AuthorizationServer:
    """Speaks OAuth 2.0 and, where there is an issuer, OpenID Connect.

    With `issuer`, metadata come from discovery and identity from the id_token; without, `metadata` are fixed
    and identity is the profile at `profile_url`. Every method raises AuthorizationServerError for what went
    wrong on the way, and never retries a token request: a code or refresh token is spent by being sent.
    """

    def __init__(
        self,
        *,
        issuer: str | None,
        metadata: ServerMetadata | None,
        client_id: str,
        client_secret: str | None,
        client_auth: ClientAuthMethod | None,
        redirect_uri: str,
        profile_url: str | None,
        clock: Callable[[], float],
    ) -> None:
        self.client_id = client_id
        self._issuer = issuer
        self._metadata = metadata
        self._metadata_until = float("inf") if metadata else 0.0
        self._client_secret = client_secret
        self._client_auth = client_auth
        self._redirect_uri = redirect_uri
        self._profile_url = profile_url
        self._clock = clock
        self._keys: KeySet | None = None
        self._keys_fetched_at = float("-inf")
        self._fetching = asyncio.Lock()
        self._client: httpx.AsyncClient | None = None

    @property
    def name(self) -> str:
        """The issuer, or what stands for one where there is no OpenID Connect: the authorization endpoint."""
        if self._issuer is not None:
            return self._issuer
        return self._metadata.authorization_endpoint if self._metadata else ""

    @property
    def expects_id_token(self) -> bool:
        """Whether identity comes from an id_token (OpenID Connect)."""
        return self._issuer is not None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def metadata(self) -> ServerMetadata:
        """Return the metadata, fetched at most once an hour; known ones serve on while the fetch fails."""
        now = self._clock()
        if self._metadata is not None and now < self._metadata_until:
            return self._metadata
        async with self._fetching:
            if self._metadata is not None and now < self._metadata_until:
                return self._metadata
            return await self._discover(now)

    async def exchange_code(self, code: AuthorizationCode, *, code_verifier: str) -> TokenResponse:
        """Exchange the authorization code for tokens, once (RFC 6749 §4.1.3, RFC 7636 §4.5)."""
        form = build_code_exchange(code, redirect_uri=self._redirect_uri, code_verifier=code_verifier)
        return await self._request_tokens(form)

    async def refresh(self, refresh_token: str) -> TokenResponse:
        """Spend the refresh token (RFC 6749 §6); `GrantRefused` says that it is dead."""
        return await self._request_tokens(build_refresh_request(refresh_token))

    async def revoke(self, token: str, *, token_type_hint: str) -> bool:
        """Revoke a token (RFC 7009); False where the server offers no revocation or does not confirm."""
        metadata = await self.metadata()
        if metadata.revocation_endpoint is None:
            return False
        form = build_revocation_request(token, token_type_hint=token_type_hint)
        status, _, _ = await self._post(metadata.revocation_endpoint, form, metadata)
        return status == _HTTP_OK

    async def identify(self, tokens: TokenResponse, *, nonce: str | None, max_age: int | None) -> Identity:
        """Find out who signed in: the id_token's claims, or the profile where there is no OpenID Connect."""
        if not self.expects_id_token:
            return await self._fetch_profile(tokens.access_token)
        if tokens.id_token is None:
            raise IdentityInvalid(log_detail="the token response has no id_token; is `openid` in the scope?")
        return build_identity(await self._validate_id_token(tokens, nonce=nonce, max_age=max_age))

    async def confirm_subject(self, tokens: TokenResponse, *, subject: str) -> None:
        """Validate the id_token of a refresh, if there is one: same subject (OpenID Connect Core §12.2)."""
        if tokens.id_token is not None and self.expects_id_token:
            await self._validate_id_token(tokens, nonce=None, max_age=None, subject=subject)

    async def _validate_id_token(
        self, tokens: TokenResponse, *, nonce: str | None, max_age: int | None, subject: str | None = None
    ) -> Mapping[str, object]:
        # joserfc takes a tenth of a second to import: only those who get an id_token wait for it.
        from gateway.oauth.id_token import Expected, validate_id_token  # noqa: PLC0415 - see above

        metadata = await self.metadata()
        expected = Expected(
            issuer=self._issuer or "",
            client_id=self.client_id,
            access_token=tokens.access_token,
            algorithms=metadata.id_token_algorithms,
            now=self._clock(),
            nonce=nonce,
            max_age=max_age,
            subject=subject,
        )
        id_token = tokens.id_token or ""
        try:
            return validate_id_token(id_token, keys=await self._key_set(metadata), expected=expected)
        except KeyUnknown:
            keys = await self._key_set(metadata, refetch=True)
            return validate_id_token(id_token, keys=keys, expected=expected)

    async def _key_set(self, metadata: ServerMetadata, *, refetch: bool = False) -> KeySet:
        from gateway.oauth.id_token import parse_key_set  # noqa: PLC0415 - joserfc is slow to import

        async with self._fetching:
            due = self._clock() - self._keys_fetched_at >= _KEYS_SECONDS
            if self._keys is not None and not (refetch and due):
                return self._keys
            if metadata.jwks_uri is None:
                raise MetadataInvalid(log_detail="the metadata name no jwks_uri")
            self._keys_fetched_at = self._clock()
            status, body, _ = await self._get(metadata.jwks_uri)
            if status != _HTTP_OK:
                raise AuthorizationServerUnreachable(log_detail=f"jwks_uri answered {status}", retry_after=5)
            self._keys = parse_key_set(body)
            return self._keys

    async def _discover(self, now: float) -> ServerMetadata:
        issuer = self._issuer or ""
        try:
            status, body, _ = await self._get(build_metadata_url(issuer))
            if status != _HTTP_OK:
                raise AuthorizationServerUnreachable(log_detail=f"discovery answered {status}", retry_after=5)
            self._metadata = parse_metadata(body, issuer)
        except AuthorizationServerError as error:
            if self._metadata is None:
                raise
            _LOGGER.warning("known metadata serve on: %s", error)
            self._metadata_until = now + _KEYS_SECONDS
        else:
            self._metadata_until = now + _METADATA_SECONDS
        return self._metadata

    async def _fetch_profile(self, access_token: str) -> Identity:
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        for pause in (0.6, 1.2, 2.4, None):
            status, body, retry_after = await self._get(self._profile_url or "", headers=headers)
            if status != _HTTP_TOO_MANY or pause is None:
                break
            # lexoffice performed nothing: its budget is shared with every other call of this connection.
            await asyncio.sleep(max(pause, min(retry_after or 0, 5)))
        if status != _HTTP_OK:
            raise IdentityInvalid(log_detail=f"the profile answered {status}")
        return parse_profile(body)

    async def _request_tokens(self, form: dict[str, str]) -> TokenResponse:
        metadata = await self.metadata()
        status, body, retry_after = await self._post(metadata.token_endpoint, form, metadata)
        return parse_token_response(status, body, retry_after)

    async def _post(
        self, url: str, form: dict[str, str], metadata: ServerMetadata
    ) -> tuple[int, bytes, int | None]:
        authentication = self._client_authentication(metadata)
        return await self._send(
            "POST",
            url,
            seconds=_TOKEN_SECONDS,
            headers={"Accept": "application/json", **authentication.headers},
            form={**form, **authentication.form},
        )

    async def _get(self, url: str, *, headers: dict[str, str] | None = None) -> tuple[int, bytes, int | None]:
        return await self._send(
            "GET", url, seconds=_FETCH_SECONDS, headers=headers or {"Accept": "application/json"}
        )

    def _client_authentication(self, metadata: ServerMetadata) -> ClientAuthentication:
        method = choose_client_auth_method(
            self._client_auth,
            metadata.token_endpoint_auth_methods,
            has_secret=self._client_secret is not None,
        )
        return build_client_authentication(method, self.client_id, self._client_secret)

    async def _send(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        headers: dict[str, str],
        form: dict[str, str] | None = None,
    ) -> tuple[int, bytes, int | None]:
        try:
            async with (
                asyncio.timeout(seconds),
                self._connections().stream(method, url, headers=headers, data=form) as response,
            ):
                body = await _read_bounded(response)
        except (TimeoutError, httpx.TimeoutException) as exc:
            raise AuthorizationServerTimeout(
                log_detail=f"no answer in {seconds:.0f} s", retry_after=5
            ) from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            detail = f"{type(exc).__name__} while talking to the authorization server"
            raise AuthorizationServerUnreachable(log_detail=detail, retry_after=5) from exc
        return response.status_code, body, parse_retry_after(response.headers.get("Retry-After"))

    def _connections(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=ssl.create_default_context(),
                timeout=httpx.Timeout(_TOKEN_SECONDS, connect=5.0),
                follow_redirects=False,
                trust_env=False,
                headers={"User-Agent": "lexgate"},
                # A cookie set for one user's request must not go with another's (mixed-up sessions).
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            )
        return self._client


async def _read_bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _ANSWER_LIMIT:
            raise httpx.DecodingError("the answer is too large", request=response.request)
    return bytes(body)
