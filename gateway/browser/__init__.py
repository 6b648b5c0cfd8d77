"""What we believe of the browser: pure decisions about cookies, origins and paths."""
