"""What we say to the authorization server: pure messages and validations of OAuth 2.0 and OpenID Connect."""
