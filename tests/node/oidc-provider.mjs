// An OpenID provider that certification has tested, for the flow tests: PKCE required, refresh tokens rotated.
// Usage: node oidc-provider.mjs '{"port": 0, "clientId": ..., "clientSecret": ..., "redirectUri": ..., "home": ...}'
// Prints one line of JSON with its issuer and its own address once it listens. Ends with its standard input.
// With `issuer` it stands behind a proxy, which may say in a header how long the next access token lives.
import { once } from 'node:events';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

const options = JSON.parse(process.argv[2]);
const server = createServer();
server.listen(options.port, '127.0.0.1');
await once(server, 'listening');
const address = `http://127.0.0.1:${server.address().port}`;
const issuer = options.issuer ?? address;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: options.clientId,
      client_secret: options.clientSecret,
      redirect_uris: [options.redirectUri],
      post_logout_redirect_uris: [options.home],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: options.clientAuth ?? 'client_secret_basic',
    },
  ],
  claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `Person ${id}`, email: `${id}@example.org` }),
  }),
  conformIdTokenClaims: false,
  cookies: { keys: ['a key for the cookies of a test'] },
  features: { revocation: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  issueRefreshToken: () => true,
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: {
    AccessToken: (context) => Number(context.get('access-token-seconds')) || 3600,
    RefreshToken: 86400,
    Session: 86400,
    Interaction: 600,
    Grant: 86400,
    IdToken: 3600,
  },
});
const callback = provider.callback();
server.on('request', async (request, response) => {
  // The chaos trials: one access token dies, and nothing else of its grant (a revocation would end that too).
  const dead = options.issuer && request.headers['access-token-death'];
  if (!dead) return callback(request, response);
  await (await provider.AccessToken.find(dead))?.destroy();
  response.end();
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
console.log(JSON.stringify({ issuer, address }));
