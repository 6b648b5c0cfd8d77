// express-openid-connect before http-proxy-middleware, as their READMEs have it; sessions in an encrypted cookie.
// Usage: node express.mjs '{"port": ..., "issuer": ..., "clientId": ..., "clientSecret": ..., "upstream": ...}'
import { Agent } from 'node:http';

import express from 'express';
import openid from 'express-openid-connect';
import { createProxyMiddleware } from 'http-proxy-middleware';

const options = JSON.parse(process.argv[2]);
const app = express();
app.use(
  openid.auth({
    issuerBaseURL: options.issuer,
    baseURL: `http://localhost:${options.port}`,
    clientID: options.clientId,
    clientSecret: options.clientSecret,
    clientAuthMethod: 'client_secret_basic',
    secret: 'a secret of the load harness 0123456789 abcdef',
    authRequired: false,
    authorizationParams: { response_type: 'code', scope: 'openid' },
    routes: { callback: '/auth/callback', login: '/auth/login', logout: '/auth/logout' },
  }),
);
app.use(
  '/api',
  (request, response, next) => {
    if (request.oidc.isAuthenticated()) {
      next();
    } else {
      response.sendStatus(401);
    }
  },
  createProxyMiddleware({
    target: options.upstream,
    changeOrigin: true,
    agent: new Agent({ keepAlive: true }),
    on: {
      proxyReq: (sent, request) => {
        sent.removeHeader('cookie');
        sent.setHeader('authorization', `Bearer ${request.oidc.accessToken.access_token}`);
      },
    },
  }),
);
app.listen(options.port, '127.0.0.1');
