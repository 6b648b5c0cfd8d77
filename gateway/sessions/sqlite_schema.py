"""The schema of the SQLite store: version n is the first n migrations, applied in order and never changed."""

from __future__ import annotations

_FIRST = (
    """CREATE TABLE grants (
        key BLOB PRIMARY KEY, generation INTEGER NOT NULL, created_at REAL NOT NULL,
        ends_at REAL NOT NULL, sealed BLOB NOT NULL)""",
    """CREATE TABLE sessions (
        key BLOB PRIMARY KEY, grant_key BLOB NOT NULL, created_at REAL NOT NULL,
        last_seen_at REAL NOT NULL, idle_at REAL NOT NULL, ends_at REAL NOT NULL, sealed BLOB NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX sessions_by_grant ON sessions (grant_key)",
    "CREATE INDEX sessions_by_idle_at ON sessions (idle_at)",
    """CREATE TABLE tombstones (
        key BLOB PRIMARY KEY, reason TEXT NOT NULL, ended_at REAL NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX tombstones_by_ended_at ON tombstones (ended_at)",
    "CREATE TABLE spent (key BLOB PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID",
    "CREATE INDEX spent_by_expires_at ON spent (expires_at)",
)

# A claim is on the grant's present generation, so it stands in the grant's row and leaves with it.
_CLAIMS_AND_INDEXES = (
    "ALTER TABLE sessions ADD COLUMN subject_key BLOB NOT NULL DEFAULT x''",
    "ALTER TABLE sessions ADD COLUMN sid_key BLOB",
    "CREATE INDEX sessions_by_subject ON sessions (subject_key)",
    "CREATE INDEX sessions_by_sid ON sessions (sid_key)",
    "ALTER TABLE grants ADD COLUMN claim_owner BLOB",
    "ALTER TABLE grants ADD COLUMN claim_until REAL",
    "ALTER TABLE grants ADD COLUMN claim_abandoned INTEGER",
    """CREATE TABLE revocations (
        key BLOB NOT NULL, generation INTEGER NOT NULL, created_at REAL NOT NULL,
        ends_at REAL NOT NULL, sealed BLOB NOT NULL, due_at REAL NOT NULL, forgotten_at REAL NOT NULL,
        PRIMARY KEY (key, generation, created_at))""",
    "CREATE INDEX revocations_by_due_at ON revocations (due_at)",
    "CREATE INDEX revocations_by_forgotten_at ON revocations (forgotten_at)",
    "CREATE TABLE changes (id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL)",
)

# The epoch tells this log from that of a file which stood here before; see event_log.py.
_EVENTS = (
    "CREATE TABLE event_log (epoch INTEGER NOT NULL, last INTEGER NOT NULL)",
    "INSERT INTO event_log (epoch, last) VALUES (abs(random() % 4503599627370496) + 1, 0)",
    "CREATE TABLE events (number INTEGER PRIMARY KEY, kept_at REAL NOT NULL, sealed BLOB NOT NULL)",
)

# One value for each budget, since every turn reads and writes all of it; the layout is in turn_records.py.
_BUDGETS = (
    """CREATE TABLE budgets (
        key BLOB PRIMARY KEY, state BLOB NOT NULL, forgotten_at REAL NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX budgets_by_forgotten_at ON budgets (forgotten_at)",
)

_ANSWERS = (
    """CREATE TABLE answers (
        key BLOB PRIMARY KEY, mark INTEGER NOT NULL, sealed BLOB NOT NULL, expires_at REAL NOT NULL)""",
    "CREATE INDEX answers_by_expires_at ON answers (expires_at)",
    """CREATE TABLE answer_leases (
        key BLOB PRIMARY KEY, mark INTEGER NOT NULL, owner BLOB NOT NULL,
        until REAL NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE answer_scopes (
        place BLOB NOT NULL, scope BLOB NOT NULL, number INTEGER NOT NULL, noted_at REAL NOT NULL,
        PRIMARY KEY (place, scope)) WITHOUT ROWID""",
)

MIGRATIONS = (_FIRST, _CLAIMS_AND_INDEXES, _EVENTS, _BUDGETS, _ANSWERS)
