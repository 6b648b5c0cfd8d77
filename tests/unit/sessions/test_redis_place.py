"""What a Redis URL says, and that a wrong one gives no password away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.sessions.redis_place import RedisPlace, parse_redis_url

PLAIN = RedisPlace(
    kind="single",
    addresses=(("redis", 6379),),
    service="",
    db=0,
    username=None,
    password=None,
    is_encrypted=False,
    ca_file=None,
)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://redis", PLAIN),
        ("redis://redis/", PLAIN),
        ("redis://redis:7000/3", replace(PLAIN, addresses=(("redis", 7000),), db=3)),
        ("redis://:p%40ss@redis", replace(PLAIN, password="p@ss")),
        ("redis://user:p@ss@redis", replace(PLAIN, username="user", password="p@ss")),
        ("redis://[::1]:7000", replace(PLAIN, addresses=(("::1", 7000),))),
        ("redis://[::1]", replace(PLAIN, addresses=(("::1", 6379),))),
        ("rediss://redis", replace(PLAIN, is_encrypted=True)),
        ("rediss://redis?ca_file=/etc/ca.pem", replace(PLAIN, is_encrypted=True, ca_file="/etc/ca.pem")),
        (
            "redis+sentinel://:p@one,two:26000/main/2",
            replace(
                PLAIN,
                kind="sentinel",
                addresses=(("one", 26379), ("two", 26000)),
                service="main",
                db=2,
                password="p",
            ),
        ),
        (
            "rediss+cluster://one:1,two:2",
            replace(PLAIN, kind="cluster", addresses=(("one", 1), ("two", 2)), is_encrypted=True),
        ),
    ],
)
def test_every_form_of_url_is_read(url: str, place: RedisPlace) -> None:
    assert parse_redis_url(url) == place


@pytest.mark.parametrize(
    "url",
    [
        "http://canary@redis",
        "canary",
        "redis://:canary@",
        "redis://:canary@one,two",
        "redis://:canary@one:port",
        "redis://:canary@one:0",
        "redis://:canary@one:65536",
        "redis://:canary@one:²",
        "redis://:canary@one/two",
        "redis://:canary@one/-1",
        "redis://:canary@one/1/2",
        "redis+cluster://:canary@one/1",
        "redis+cluster://:canary@one,,two",
        "redis+sentinel://:canary@one",
        "redis+sentinel://:canary@one/",
        "redis://:canary@one?secret=canary",
        "redis://:canary@one?canary",
    ],
)
def test_a_wrong_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"host|path|option|scheme") as caught:
        parse_redis_url(url)
    assert "canary" not in str(caught.value)


def test_a_place_keeps_its_password_to_itself() -> None:
    assert "canary" not in repr(parse_redis_url("redis://:canary@redis"))
