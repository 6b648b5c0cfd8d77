"""Refresher, RefreshFlight and Vault lose nothing in any history; `make chaos` plays more of them."""

from __future__ import annotations

import os

from hypothesis.stateful import run_state_machine_as_test

from tests.unit.sessions.simulation.histories import Histories, SqliteHistories, history_settings

HISTORIES = int(os.environ.get("HISTORIES", "60"))


def test_no_history_loses_a_session_in_memory() -> None:
    run_state_machine_as_test(Histories, settings=history_settings(HISTORIES))


def test_no_history_loses_a_session_in_sqlite() -> None:
    run_state_machine_as_test(SqliteHistories, settings=history_settings(max(5, HISTORIES // 6)))
