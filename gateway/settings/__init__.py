"""The settings: read from the environment and lexgate.toml here and nowhere else."""

from gateway.settings.sources import load_settings
from gateway.settings.table import Settings, variable_of
from gateway.settings.values import Address

__all__ = ["Address", "Settings", "load_settings", "variable_of"]
