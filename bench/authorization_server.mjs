// The authorization server: every measured proxy signs in here, with PKCE, for tokens that outlive the run.
// Usage: node authorization_server.mjs '{"port": ..., "clientId": ..., "clientSecret": ..., "redirectUris": [...]}'
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

const DAY = 86_400;
const options = JSON.parse(process.argv[2]);
const provider = new Provider(`http://127.0.0.1:${options.port}`, {
  clients: [
    {
      client_id: options.clientId,
      client_secret: options.clientSecret,
      redirect_uris: options.redirectUris,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `Person ${id}`, email: `${id}@example.org`, email_verified: true }),
  }),
  conformIdTokenClaims: false,
  cookies: { keys: ['a key for the cookies of the load harness'] },
  features: { revocation: { enabled: true } },
  issueRefreshToken: () => true,
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: { AccessToken: DAY, RefreshToken: DAY, Session: DAY, Interaction: 600, Grant: DAY, IdToken: DAY },
});
createServer(provider.callback()).listen(options.port, '127.0.0.1');
