"""The settings: read from the environment and lexgate.toml here and nowhere else."""

from gateway.settings.dev_server import choose_dev_server
from gateway.settings.sources import load_settings
from gateway.settings.table import Settings, variable_of
from gateway.settings.values import Address

__all__ = ["Address", "Settings", "choose_dev_server", "load_settings", "variable_of"]
