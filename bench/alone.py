"""What lexgate is measured at by itself: latency, many connections and sessions, an idle worker."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

import httpx

from bench.lexgate import Lexgate, build_lexgate
from bench.load import CONNECTIONS, Target, run_at_rate, run_wrk
from bench.process import stopping
from bench.result import Alone, Burst
from bench.rounds import measure_burst

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.peers.stage import Peer, Stage

_RATE = 200
_LATENCY_SECONDS = 3.0
_MANY_CONNECTIONS = 2000
_MANY_SESSIONS = 10_000
_MANY_ROUNDS = 3
_STARTS = 3
_IDLE_SECONDS = 1.0


def measure_alone(stage: Stage, lexgate: Peer, rounds: int, say: Callable[[str], None]) -> Alone:
    """Measure it all; `lexgate` is the running one of the rounds, the others are started anew."""
    direct_p50, proxied_p50 = _measure_latency(stage, lexgate, rounds)
    say(f"direct p50 {direct_p50 * 1e3:.3f} ms, through lexgate {proxied_p50 * 1e3:.3f} ms")
    ready_seconds, idle_resident_bytes = _measure_idle(stage)
    say(f"ready after {ready_seconds:.2f} s, idle {idle_resident_bytes / 1e6:.0f} MB")
    few, many, many_resident_bytes = _measure_many(stage, min(rounds, _MANY_ROUNDS))
    say(f"{_MANY_CONNECTIONS} connections: {many_resident_bytes / 1e6:.0f} MB")
    return Alone(
        direct_p50=direct_p50,
        proxied_p50=proxied_p50,
        few=few,
        many=many,
        many_resident_bytes=many_resident_bytes,
        idle_resident_bytes=idle_resident_bytes,
        ready_seconds=ready_seconds,
    )


def _measure_latency(stage: Stage, lexgate: Peer, rounds: int) -> tuple[float, float]:
    direct = Target(stage.upstream.port, (f"Authorization: Bearer {stage.upstream.token}",), prefix="")
    seen: dict[Target, list[float]] = {direct: [], lexgate.target: []}
    for _ in range(rounds):
        for target, p50s in seen.items():
            p50s.append(run_at_rate(target, "1k", rate=_RATE, seconds=_LATENCY_SECONDS).p50)
    return median(seen[direct]), median(seen[lexgate.target])


def _measure_idle(stage: Stage) -> tuple[float, int]:
    times: list[float] = []
    sizes: list[int] = []
    for number in range(_STARTS):
        lexgate = _build(stage, f"idle-{number}")
        started = time.monotonic()
        with stopping(lexgate.start(stage.folder, name=f"idle-{number}")) as running:
            # The listener takes connections before anything answers on them.
            _await_ready(lexgate)
            times.append(time.monotonic() - started)
            time.sleep(_IDLE_SECONDS)
            sizes.append(running.resident_bytes())
    return median(times), max(sizes)


def _await_ready(lexgate: Lexgate) -> None:
    url = f"http://{lexgate.settings['LEXGATE_ADMIN_BIND']}/readyz"
    with httpx.Client(trust_env=False) as client:
        while True:
            try:
                if client.get(url).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.002)


def _measure_many(stage: Stage, rounds: int) -> tuple[list[Burst], list[Burst], int]:
    lexgate = _build(stage, "many")
    cookies = stage.folder / "cookies"
    cookies.write_text("\n".join(lexgate.plant_sessions(_MANY_SESSIONS, stage.folder)), encoding="ascii")
    target, few, many = Target(lexgate.port), list[Burst](), list[Burst]()
    with stopping(lexgate.start(stage.folder, name="many")) as running:
        run_wrk(target, "1k", seconds=2, cookies=cookies)
        for _ in range(rounds):
            for bursts, connections in ((few, CONNECTIONS), (many, _MANY_CONNECTIONS)):
                burst = measure_burst(
                    running,
                    target,
                    "1k",
                    upstream=stage.upstream,
                    connections=connections,
                    cookies=cookies,
                )
                bursts.append(burst)
        return few, many, running.peak_resident_bytes()


def _build(stage: Stage, name: str) -> Lexgate:
    return build_lexgate(
        store=f"sqlite://{stage.folder}/{name}.sqlite", api_url=stage.upstream.origin, issuer=stage.issuer
    )
