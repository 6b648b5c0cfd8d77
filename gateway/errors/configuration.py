"""What the operator has to mend, told at boot."""

from __future__ import annotations

from gateway.errors.gateway_error import GatewayError


class ConfigurationError(GatewayError):
    """What the operator has to mend: one sentence a problem, each naming its setting and what to write."""

    code = "configuration_invalid"
    title = "The configuration is invalid"

    def __init__(self, problems: list[str]) -> None:
        super().__init__(log_detail="; ".join(problems))
        self.problems = problems
