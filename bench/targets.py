"""The targets, and whether what was measured meets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.result import Alone, Row

SQLITE, REDIS, LOGGING = "lexgate, SQLite", "lexgate, Redis", "lexgate, SQLite, access log on"
NGINX = "nginx proxy_pass, no sessions"
NGINX_LARGE = "nginx proxy_pass, large buffers"
ENVOY = "Envoy, OAuth2 filter"
APACHE = "Apache, mod_auth_openidc"
EXPRESS = "express-openid-connect"
OAUTH2_PROXY = "oauth2-proxy"

RATIOS = (
    ("1k", ENVOY, 1.1),
    ("1k", APACHE, 2.0),
    ("1k", EXPRESS, 6.0),
    ("1k", OAUTH2_PROXY, 4.0),
    ("1k", NGINX, 0.25),
    ("100k", ENVOY, 1.0),
    ("100k", APACHE, 1.3),
    ("100k", NGINX, 0.6),
)
"""By document: how many times a peer's requests per CPU second lexgate is to have at least."""
LOGGING_SHARE = 0.8
ADDED_SECONDS = 0.5e-3
MANY_BYTES = 150e6
MANY_SHARE = 0.8
IDLE_BYTES = 70e6
READY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target and what came of it; `is_met` is None where it could not be measured."""

    what: str
    target: str
    measured: str
    is_met: bool | None


def judge(rows: Mapping[str, Row], alone: Alone | None) -> list[Verdict]:
    """Judge all targets; a row that is missing or has errors is judged by nothing."""
    valid = {name: row for name, row in rows.items() if row.is_valid}
    verdicts: list[Verdict] = []
    for mine in (SQLITE, REDIS):
        verdicts += (_judge_ratio(valid, mine, *ratio) for ratio in RATIOS)
    verdicts.append(_judge_logging(valid))
    for mine in (SQLITE, REDIS):
        verdicts += (_judge_p99(valid, mine, peer) for peer in (ENVOY, APACHE, EXPRESS, OAUTH2_PROXY))
    if alone is not None:
        verdicts += _judge_alone(alone)
    return verdicts


def _judge_ratio(rows: Mapping[str, Row], mine: str, document: str, peer: str, target: float) -> Verdict:
    what, wanted = f"{document}: {mine} / {peer}", f">= {target:g}"
    if mine not in rows or peer not in rows:
        return Verdict(what, wanted, "not measured", None)
    ratio = rows[mine].per_cpu_second(document) / rows[peer].per_cpu_second(document)
    return Verdict(what, wanted, f"{ratio:.2f}", ratio >= target)


def _judge_logging(rows: Mapping[str, Row]) -> Verdict:
    what, wanted = f"1k: {LOGGING} / without", f">= {LOGGING_SHARE:g}"
    if not {SQLITE, LOGGING} <= rows.keys():
        return Verdict(what, wanted, "not measured", None)
    ratio = rows[LOGGING].per_cpu_second("1k") / rows[SQLITE].per_cpu_second("1k")
    return Verdict(what, wanted, f"{ratio:.2f}", ratio >= LOGGING_SHARE)


def _judge_p99(rows: Mapping[str, Row], mine: str, peer: str) -> Verdict:
    what = f"p99 at half of its capacity: {mine}, {peer}"
    if mine not in rows or peer not in rows:
        return Verdict(what, "not above", "not measured", None)
    own, others = rows[mine].p99(), rows[peer].p99()
    return Verdict(what, "not above", f"{own * 1e3:.2f} ms, {others * 1e3:.2f} ms", own <= others)


def _judge_alone(alone: Alone) -> Iterator[Verdict]:
    added = alone.added_p50
    yield Verdict(
        "added to a direct call at 200 requests a second, p50",
        f"< {ADDED_SECONDS * 1e3:g} ms",
        f"{added * 1e3:.2f} ms",
        added < ADDED_SECONDS,
    )
    yield _judge_bytes(
        "memory with 2,000 connections and 10,000 sessions", alone.many_resident_bytes, MANY_BYTES
    )
    yield Verdict(
        "requests per CPU second with 2,000 connections / with 32",
        f">= {MANY_SHARE:g}",
        f"{alone.share:.2f}" if alone.errors == 0 else f"{alone.errors} errors",
        alone.share >= MANY_SHARE if alone.errors == 0 else None,
    )
    yield _judge_bytes("memory of an idle worker", alone.idle_resident_bytes, IDLE_BYTES)
    yield Verdict(
        "ready after",
        f"<= {READY_SECONDS:g} s",
        f"{alone.ready_seconds:.2f} s",
        alone.ready_seconds <= READY_SECONDS,
    )


def _judge_bytes(what: str, measured: int, target: float) -> Verdict:
    return Verdict(what, f"< {target / 1e6:g} MB", f"{measured / 1e6:.0f} MB", measured < target)
