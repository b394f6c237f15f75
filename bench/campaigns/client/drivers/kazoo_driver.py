"""kazoo with its threads. The protocol of drivers stands in harness.mjs."""

import json
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.recipe.cache import TreeCache, TreeEvent

WINDOW = 100
address, task, path, seconds, warm_seconds = sys.argv[1:6]
seconds, warm_seconds = float(seconds), float(warm_seconds)


def at(ordered, share):
    return ordered[int(len(ordered) * share)] * 1e6 if ordered else None


def sample(ops, wall, cpu, latencies):
    ordered = sorted(latencies)
    return {
        "ops": ops,
        "seconds": wall,
        "cpuSeconds": cpu,
        "p50Micros": at(ordered, 0.5),
        "p99Micros": at(ordered, 0.99),
        "allocatedBytes": None,
    }


def pipelined(client):
    counter = {"ops": 0, "open": WINDOW}
    over = threading.Event()
    ended = threading.Event()

    def answered(result):
        result.get_nowait()
        counter["ops"] += 1
        if not over.is_set():
            client.get_async(path).rawlink(answered)
            return
        counter["open"] -= 1
        if counter["open"] == 0:
            ended.set()

    for _ in range(WINDOW):
        client.get_async(path).rawlink(answered)
    time.sleep(warm_seconds)
    ops, wall, cpu = counter["ops"], time.perf_counter(), time.process_time()
    time.sleep(seconds)
    result = sample(counter["ops"] - ops, time.perf_counter() - wall, time.process_time() - cpu, [])
    over.set()
    ended.wait(10)
    return result


def one_by_one(once):
    begin = time.perf_counter()
    while time.perf_counter() - begin < warm_seconds:
        once()
    latencies = []
    wall, cpu = time.perf_counter(), time.process_time()
    now = wall
    while now - wall < seconds:
        once()
        later = time.perf_counter()
        latencies.append(later - now)
        now = later
    return sample(len(latencies), now - wall, time.process_time() - cpu, latencies)


def filled(client):
    ready = threading.Event()
    held = [0]

    def heard(event):
        if event.event_type == TreeEvent.NODE_ADDED:
            held[0] += 1
        elif event.event_type == TreeEvent.INITIALIZED:
            ready.set()

    wall, cpu = time.perf_counter(), time.process_time()
    cache = TreeCache(client, path)
    cache.listen(heard)
    cache.start()
    ready.wait()
    return sample(held[0], time.perf_counter() - wall, time.process_time() - cpu, [])


def locked(client):
    lock = client.Lock(path)

    def once():
        lock.acquire()
        lock.release()

    return one_by_one(once)


zk = KazooClient(hosts=address, timeout=30)
zk.start()
if task == "gets":
    outcome = pipelined(zk)
elif task == "single":
    outcome = one_by_one(lambda: zk.get(path))
elif task == "tree":
    outcome = filled(zk)
else:
    outcome = locked(zk)
print(json.dumps(outcome), flush=True)
zk.stop()
