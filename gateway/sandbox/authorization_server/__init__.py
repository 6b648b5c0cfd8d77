"""The sandbox's authorization server, in the lexware and in the openid picture."""
