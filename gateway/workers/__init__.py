"""Several processes on one listener: a supervisor that starts, replaces and ends them, and speaks for all."""
