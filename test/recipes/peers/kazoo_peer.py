"""A process that shares recipes with us by kazoo's own code. Lines in: `id verb argument …`; lines out: `id ok|error text`."""
import sys
import threading
import time

from kazoo.client import KazooClient

client = KazooClient(hosts=sys.argv[1], timeout=float(sys.argv[2]) / 1000)
client.start(timeout=20)
held = {}
parties = {}
output = threading.Lock()


def made(kind, path):
    if kind == 'lock':
        return client.Lock(path, 'kazoo')
    if kind == 'selector':
        return client.Election(path, 'kazoo').lock
    if kind == 'read':
        return client.ReadLock(path, 'kazoo')
    if kind == 'write':
        return client.WriteLock(path, 'kazoo')
    name, count = kind.split(':')
    assert name == 'semaphore'
    return client.Semaphore(path, 'kazoo', max_leases=int(count))


def acquire(handle, kind, path):
    if kind == 'selector':
        lead(handle, path)
    else:
        held[handle] = made(kind, path)
        held[handle].acquire()


def lead(handle, path):
    leading = threading.Event()
    over = threading.Event()

    def work():
        leading.set()
        over.wait()

    runner = threading.Thread(target=client.Election(path, 'kazoo').run, args=(work,), daemon=True)
    runner.start()
    leading.wait()
    held[handle] = over


def release(handle):
    one = held.pop(handle)
    if isinstance(one, threading.Event):
        one.set()
    else:
        one.release()


def rounds(kind, path, count):
    """Nobody else is inside, and no change of the plain number is lost."""
    lock = made(kind, path)
    for _ in range(int(count)):
        with lock:
            client.create(path + '-inside', ephemeral=True)
            value = int(client.get(path + '-number')[0])
            time.sleep(0.002)
            client.set(path + '-number', str(value + 1).encode())
            client.delete(path + '-inside')


def put(path, value, priority):
    client.LockingQueue(path).put(value.encode(), int(priority))


def take(path, count):
    queue = client.LockingQueue(path)
    values = []
    for _ in range(int(count)):
        values.append(queue.get().decode())
        queue.consume()
    return ','.join(values)


def put_plain(path, value, priority):
    client.Queue(path).put(value.encode(), int(priority))


def take_plain(path):
    return client.Queue(path).get().decode()


def claim(path):
    """Taken and never done."""
    return client.LockingQueue(path).get().decode()


def add(path, count):
    counter = client.Counter(path)
    for _ in range(int(count)):
        counter += 1


def enter(path, members):
    held[path] = client.DoubleBarrier(path, int(members))
    held[path].enter()


def leave(path, _members):
    held.pop(path).leave()


def join(path, name, shape):
    party = client.Party(path, name) if shape == 'party' else client.ShallowParty(path, name)
    party.join()
    parties[path] = party


def members(path):
    return ','.join(sorted(str(one) for one in parties[path]))


def session():
    number, password = client.client_id
    return '%d %s' % (number, password.hex())


VERBS = {
    'session': session,
    'acquire': acquire, 'release': release, 'rounds': rounds, 'put': put, 'take': take, 'claim': claim, 'add': add,
    'put_plain': put_plain, 'take_plain': take_plain, 'enter': enter, 'leave': leave, 'join': join, 'members': members,
}


def answer(number, verb, arguments):
    try:
        text = 'ok ' + str(VERBS[verb](*arguments) or '')
    except Exception as error:  # told to the test, which fails by it
        text = 'error ' + repr(error)
    with output:
        print(number, text, flush=True)


print('0 ok ready', flush=True)
for line in sys.stdin:
    number, verb, *arguments = line.split()
    threading.Thread(target=answer, args=(number, verb, arguments), daemon=True).start()
