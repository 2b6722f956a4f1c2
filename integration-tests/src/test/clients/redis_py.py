"""An application with redis-py as it comes: python3 redis_py.py GROUP USER PASSWORD LIMIT_MILLIS SENTINEL...

Each line of its input is a key that it sets; it answers each with a line: "ok", or why it isn't known to be set.
"""

import sys

import redis
from redis.sentinel import Sentinel

group, username, password, limit, *sentinels = sys.argv[1:]
seconds = int(limit) / 1000
addresses = [(host, int(port)) for host, port in (sentinel.rsplit(":", 1) for sentinel in sentinels)]
primary = Sentinel(addresses, socket_timeout=seconds).master_for(
    group, username=username, password=password, socket_timeout=seconds
)
for line in sys.stdin:
    try:
        primary.set(line.strip(), "1")
        print("ok", flush=True)
    except redis.RedisError as error:
        print(f"{type(error).__name__}: {error}".replace("\n", " "), flush=True)
