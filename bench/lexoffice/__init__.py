"""`make bench-lexoffice`: a dashboard before the sandbox's real limit, and proofs of the budget."""
