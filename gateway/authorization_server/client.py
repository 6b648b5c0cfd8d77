"""What the gateway asks of the authorization server: tokens, revocation, identity."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from gateway.authorization_server.connection import Connection
from gateway.authorization_server.published import Published
from gateway.errors import AuthorizationServerUnreachable, IdentityInvalid, KeyUnknown, LogoutTokenInvalid
from gateway.oauth.claim_times import read_session_left
from gateway.oauth.client_auth import build_client_authentication, choose_client_auth_method
from gateway.oauth.identity import Identity, build_identity, parse_profile
from gateway.oauth.token import (
    TokenResponse,
    build_code_exchange,
    build_refresh_request,
    build_revocation_request,
    parse_token_response,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from joserfc.jwk import KeySet

    from gateway.authorization_server.connection import Answer
    from gateway.oauth.authorization import AuthorizationCode
    from gateway.oauth.client_auth import ClientAuthMethod
    from gateway.oauth.logout_token import LogoutToken
    from gateway.oauth.metadata import ServerMetadata

_HTTP_OK = 200
_HTTP_BAD_REQUEST = 400
_HTTP_TOO_MANY = 429
_PROFILE_PAUSES = (0.6, 1.2, 2.4)
_Valid = TypeVar("_Valid")


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
        self._connection = Connection()
        self._published = Published(
            issuer=issuer, metadata=metadata, connection=self._connection, clock=clock
        )
        self._name = issuer or (metadata.authorization_endpoint if metadata else "")
        self._client_secret = client_secret
        self._client_auth: ClientAuthMethod | None = client_auth
        self._redirect_uri = redirect_uri
        self._profile_url = profile_url
        self._clock = clock

    @property
    def name(self) -> str:
        """The issuer, or what stands for one where there is no OpenID Connect: the authorization endpoint."""
        return self._name

    @property
    def expects_id_token(self) -> bool:
        """Whether identity comes from an id_token (OpenID Connect)."""
        return self._issuer is not None

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def metadata(self) -> ServerMetadata:
        """Return the metadata; known ones serve on while discovery fails."""
        return await self._published.metadata()

    async def exchange_code(self, code: AuthorizationCode, *, code_verifier: str) -> TokenResponse:
        """Exchange the authorization code for tokens, once (RFC 6749 §4.1.3, RFC 7636 §4.5)."""
        form = build_code_exchange(code, redirect_uri=self._redirect_uri, code_verifier=code_verifier)
        return await self._request_tokens(form)

    async def refresh(self, refresh_token: str) -> TokenResponse:
        """Spend the refresh token (RFC 6749 §6); `GrantRefused` says that it is dead."""
        return await self._request_tokens(build_refresh_request(refresh_token))

    async def revoke(self, token: str, *, token_type_hint: str) -> bool:
        """Revoke a token (RFC 7009); False where the server offers no revocation, or none of this token.

        AuthorizationServerError where the token must be taken for alive, and revoked again later.
        """
        metadata = await self.metadata()
        if metadata.revocation_endpoint is None:
            return False
        form = build_revocation_request(token, token_type_hint=token_type_hint)
        answer = await self._post(metadata.revocation_endpoint, form, metadata)
        if answer.status not in {_HTTP_OK, _HTTP_BAD_REQUEST}:
            # RFC 7009 §2.2.1: after a 503 the token still exists. So it does after a 429, or a 401 (§2.2.1
            # and RFC 6749 §5.2: a client secret that lapsed); a 400 would come again for ever.
            detail = f"the revocation endpoint answered {answer.status}"
            raise AuthorizationServerUnreachable(log_detail=detail, retry_after=answer.retry_after)
        return answer.status == _HTTP_OK

    async def identify(self, tokens: TokenResponse, *, nonce: str | None, max_age: int | None) -> Identity:
        """Find out who signed in: the id_token's claims, or the profile where there is no OpenID Connect."""
        if not self.expects_id_token:
            return await self._fetch_profile(tokens.access_token)
        if tokens.id_token is None:
            raise IdentityInvalid(log_detail="the token response has no id_token; is `openid` in the scope?")
        return build_identity(await self._validate_id_token(tokens, nonce=nonce, max_age=max_age))

    async def confirm_subject(
        self, tokens: TokenResponse, *, subject: str, auth_time: float | None = None
    ) -> float | None:
        """Validate the id_token of a refresh, if there is one: same subject (OpenID Connect Core §12.2).

        Returns the seconds until the authorization server ends its own session, if the id_token says so.
        """
        if tokens.id_token is None or not self.expects_id_token:
            return None
        claims = await self._validate_id_token(tokens, subject=subject, auth_time=auth_time)
        return read_session_left(claims)

    async def validate_logout_token(self, logout_token: str) -> LogoutToken:
        """Check a logout token of this server's (Back-Channel Logout 1.0 §2.6); raises LogoutTokenInvalid.

        Whether its `jti` came before is for the caller to find out.
        """
        # joserfc is slow to import: see _validate_id_token.
        from gateway.oauth.id_token import Expected  # noqa: PLC0415 - see above
        from gateway.oauth.logout_token import validate_logout_token  # noqa: PLC0415 - see above

        expected = Expected(
            issuer=self._issuer or "",
            client_id=self.client_id,
            access_token=None,
            algorithms=(await self.metadata()).id_token_algorithms,
            now=self._clock(),
        )
        try:
            return await self._with_keys(
                lambda keys: validate_logout_token(logout_token, keys=keys, expected=expected)
            )
        except KeyUnknown as error:
            raise LogoutTokenInvalid(log_detail=error.log_detail) from None

    async def _validate_id_token(
        self,
        tokens: TokenResponse,
        *,
        nonce: str | None = None,
        max_age: int | None = None,
        subject: str | None = None,
        auth_time: float | None = None,
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
            auth_time=auth_time,
        )
        id_token = tokens.id_token or ""
        return await self._with_keys(lambda keys: validate_id_token(id_token, keys=keys, expected=expected))

    async def _with_keys(self, validate: Callable[[KeySet], _Valid]) -> _Valid:
        try:
            return validate(await self._published.keys())
        except KeyUnknown:
            return validate(await self._published.keys(refetch=True))

    async def _fetch_profile(self, access_token: str) -> Identity:
        headers = {"Authorization": f"Bearer {access_token}"}
        answer = await self._connection.get(self._profile_url or "", headers=headers)
        for pause in _PROFILE_PAUSES:
            if answer.status != _HTTP_TOO_MANY:
                break
            # lexoffice performed nothing: its budget is shared with every other call of this connection.
            await asyncio.sleep(max(pause, min(answer.retry_after or 0, 5)))
            answer = await self._connection.get(self._profile_url or "", headers=headers)
        if answer.status != _HTTP_OK:
            raise IdentityInvalid(log_detail=f"the profile answered {answer.status}")
        return parse_profile(answer.body)

    async def _request_tokens(self, form: dict[str, str]) -> TokenResponse:
        metadata = await self.metadata()
        answer = await self._post(metadata.token_endpoint, form, metadata)
        return parse_token_response(answer.status, answer.body, answer.retry_after)

    async def _post(self, url: str, form: dict[str, str], metadata: ServerMetadata) -> Answer:
        method = choose_client_auth_method(
            self._client_auth,
            metadata.token_endpoint_auth_methods,
            has_secret=self._client_secret is not None,
        )
        authentication = build_client_authentication(method, self.client_id, self._client_secret)
        return await self._connection.post(
            url, headers=authentication.headers, form={**form, **authentication.form}
        )
