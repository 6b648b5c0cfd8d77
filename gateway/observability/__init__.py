"""What an operator sees: logs, metrics, audit, traces."""
