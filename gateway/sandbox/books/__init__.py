"""The books of an organization: contacts, articles, vouchers, payments and files."""
