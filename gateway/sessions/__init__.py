"""Sessions and grants: what they are, where they are kept, how their tokens stay valid."""
