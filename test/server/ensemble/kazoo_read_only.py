"""kazoo on a server without a quorum: reads, is refused a write, and says what it comes to. One line a step."""
import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import NotReadOnlyCallError
from kazoo.protocol.states import KeeperState

client = KazooClient(hosts=sys.argv[1], timeout=10, read_only=True)
writable = threading.Event()


@client.add_listener
def listen(state):
    if client.client_state == KeeperState.CONNECTED:
        writable.set()


client.start(timeout=30)
print(client.client_state, client.get('/kept')[0].decode(), flush=True)
try:
    client.set('/kept', b'changed')
except NotReadOnlyCallError:
    print('refused', flush=True)
writable.wait(60)
client.ensure_path('/by-kazoo')
print(client.client_state, flush=True)
client.stop()
