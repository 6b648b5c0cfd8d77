"""Several processes on one listener: a supervisor that starts, replaces and ends them, and speaks for all."""

from gateway.workers.supervisor import NoWorkerReady, Supervisor

__all__ = ["NoWorkerReady", "Supervisor"]
