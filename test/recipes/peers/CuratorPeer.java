// A process that shares recipes with us by Curator's own code, and by the lock that comes with ZooKeeper. Lines in:
// `id verb argument …`; lines out: `id ok|error text`. Run as a source file; nothing is built beforehand.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.RetryPolicy;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.queue.DistributedDelayQueue;
import org.apache.curator.framework.recipes.queue.DistributedPriorityQueue;
import org.apache.curator.framework.recipes.queue.DistributedQueue;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;
import org.apache.curator.x.discovery.ServiceDiscovery;
import org.apache.curator.x.discovery.ServiceDiscoveryBuilder;
import org.apache.curator.x.discovery.ServiceInstance;
import org.apache.curator.x.discovery.ServiceProvider;
import org.apache.curator.x.discovery.ServiceType;
import org.apache.curator.x.discovery.UriSpec;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.recipes.lock.LockListener;
import org.apache.zookeeper.recipes.lock.WriteLock;

public class CuratorPeer {
  interface Action {
    void run() throws Exception;
  }

  static final Map<String, Action> RELEASES = new ConcurrentHashMap<>();
  static final Map<String, BlockingQueue<String>> CONSUMED = new ConcurrentHashMap<>();
  static final Map<String, Object> KEPT = new ConcurrentHashMap<>();
  static final RetryPolicy RETRY = new RetryNTimes(50, 100);
  static CuratorFramework client;

  public static void main(String[] arguments) throws Exception {
    int timeoutMs = Integer.parseInt(arguments[1]);
    client = CuratorFrameworkFactory.newClient(arguments[0], timeoutMs, 15_000, RETRY);
    client.start();
    client.blockUntilConnected();
    say("0 ok ready");
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String[] words = line.split(" ");
      // A thread each: Curator's locks belong to the thread that acquired them.
      new Thread(() -> answer(words[0], words[1], Arrays.copyOfRange(words, 2, words.length))).start();
    }
    System.exit(0);
  }

  static synchronized void say(String line) {
    System.out.println(line);
  }

  static void answer(String id, String verb, String[] a) {
    try {
      switch (verb) {
        case "acquire" -> acquire(id, a[0], a[1], a[2]);
        case "release" -> {
          RELEASES.remove(a[0]).run();
          say(id + " ok");
        }
        default -> say(id + " ok " + perform(verb, a));
      }
    } catch (Throwable error) {
      say(id + " error " + error);
    }
  }

  static String perform(String verb, String[] a) throws Exception {
    switch (verb) {
      case "rounds" -> rounds(a[0], a[1], Integer.parseInt(a[2]));
      case "put" -> put(a[0], a[1], a[2], Long.parseLong(a[3]));
      case "consume" -> consume(a[0], a[1]);
      case "take" -> {
        return take(a[0], Integer.parseInt(a[1]));
      }
      case "add" -> {
        for (int i = 0; i < Integer.parseInt(a[1]); i++)
          if (!new DistributedAtomicLong(client, a[0], RETRY).increment().succeeded()) i--;
      }
      case "enter" -> barrier(a[0], a[1]).enter();
      case "leave" -> barrier(a[0], a[1]).leave();
      case "join" -> {
        GroupMember member = new GroupMember(client, a[0], a[1], a[2].getBytes(StandardCharsets.UTF_8));
        member.start();
        KEPT.put("group " + a[0], member);
      }
      case "members" -> {
        return String.join(",", new TreeSet<>(((GroupMember) KEPT.get("group " + a[0])).getCurrentMembers().keySet()));
      }
      case "session" -> {
        ZooKeeper session = client.getZookeeperClient().getZooKeeper();
        return session.getSessionId() + " " + HexFormat.of().formatHex(session.getSessionPasswd());
      }
      case "register" -> register(a[0], a[1], a[2], Integer.parseInt(a[3]));
      case "query" -> {
        return query(a[0], a[1]);
      }
      case "pick" -> {
        return pick(a[0], a[1]);
      }
      default -> throw new IllegalArgumentException(verb);
    }
    return "";
  }

  /** Acquires, answers, and releases when told to, all in one thread. */
  static void acquire(String id, String handle, String kind, String path) throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    RELEASES.put(handle, () -> {
      over.countDown();
      released.await();
    });
    if (kind.equals("selector")) {
      select(id, path, over, released);
      return;
    }
    Action release = enter(kind, path);
    say(id + " ok");
    over.await();
    release.run();
    released.countDown();
  }

  static Action enter(String kind, String path) throws Exception {
    if (kind.equals("latch")) {
      LeaderLatch latch = new LeaderLatch(client, path, "curator");
      latch.start();
      latch.await();
      return latch::close;
    }
    if (kind.equals("writelock")) {
      CountDownLatch got = new CountDownLatch(1);
      WriteLock lock = new WriteLock(client.getZookeeperClient().getZooKeeper(), path, ZooDefs.Ids.OPEN_ACL_UNSAFE);
      lock.setLockListener(new LockListener() {
        public void lockAcquired() {
          got.countDown();
        }

        public void lockReleased() {}
      });
      // It watches nothing when the one in front goes between its list and its watch (WriteLock only logs that): ask again.
      while (!lock.lock() && !got.await(500, TimeUnit.MILLISECONDS)) {}
      return lock::unlock;
    }
    if (kind.startsWith("semaphore:")) {
      InterProcessSemaphoreV2 places = new InterProcessSemaphoreV2(client, path, Integer.parseInt(kind.substring(10)));
      Lease lease = places.acquire();
      return lease::close;
    }
    InterProcessReadWriteLock both = new InterProcessReadWriteLock(client, path);
    InterProcessMutex mutex = kind.equals("read")
      ? both.readLock()
      : kind.equals("write") ? both.writeLock() : new InterProcessMutex(client, path);
    mutex.acquire();
    return mutex::release;
  }

  static void select(String id, String path, CountDownLatch over, CountDownLatch released) {
    LeaderSelector selector = new LeaderSelector(client, path, new LeaderSelectorListenerAdapter() {
      @Override
      public void takeLeadership(CuratorFramework ignored) throws Exception {
        say(id + " ok");
        over.await();
      }

      @Override
      public void stateChanged(CuratorFramework ignored, ConnectionState state) {}
    });
    selector.setId("curator");
    selector.start();
    new Thread(() -> {
      try {
        over.await();
        while (selector.hasLeadership()) Thread.sleep(2);
        selector.close();
      } catch (InterruptedException error) {
        throw new IllegalStateException(error);
      }
      released.countDown();
    }).start();
  }

  /** Nobody else is inside, and no change of the plain number is lost. */
  static void rounds(String kind, String path, int count) throws Exception {
    for (int i = 0; i < count; i++) {
      Action release = enter(kind, path);
      client.create().withMode(CreateMode.EPHEMERAL).forPath(path + "-inside");
      String value = new String(client.getData().forPath(path + "-number"), StandardCharsets.UTF_8);
      Thread.sleep(2);
      client.setData().forPath(path + "-number", String.valueOf(Integer.parseInt(value) + 1).getBytes(StandardCharsets.UTF_8));
      client.delete().forPath(path + "-inside");
      release.run();
    }
  }

  static final QueueSerializer<String> TEXT = new QueueSerializer<>() {
    @Override
    public byte[] serialize(String item) {
      return item.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public String deserialize(byte[] bytes) {
      return new String(bytes, StandardCharsets.UTF_8);
    }
  };

  static QueueBuilder<String> builder(String path, boolean consumes) {
    BlockingQueue<String> into = CONSUMED.computeIfAbsent(path, ignored -> new LinkedBlockingQueue<>());
    QueueConsumer<String> consumer = !consumes ? null : new QueueConsumer<>() {
      @Override
      public void consumeMessage(String message) {
        into.add(message);
      }

      @Override
      public void stateChanged(CuratorFramework ignored, ConnectionState state) {}
    };
    return QueueBuilder.builder(client, consumer, TEXT, path).lockPath(path + "-claims").putInBackground(false);
  }

  static void put(String order, String path, String value, long rank) throws Exception {
    switch (order) {
      case "priority" -> {
        DistributedPriorityQueue<String> queue = builder(path, false).buildPriorityQueue(0);
        queue.start();
        queue.put(value, (int) rank);
        queue.close();
      }
      case "delayed" -> {
        DistributedDelayQueue<String> queue = builder(path, false).buildDelayQueue();
        queue.start();
        queue.put(value, rank);
        queue.close();
      }
      default -> {
        DistributedQueue<String> queue = builder(path, false).buildQueue();
        queue.start();
        queue.put(value);
        queue.close();
      }
    }
  }

  static void consume(String order, String path) throws Exception {
    switch (order) {
      case "priority" -> {
        DistributedPriorityQueue<String> queue = builder(path, true).buildPriorityQueue(0);
        KEPT.put("queue " + path, queue);
        queue.start();
      }
      case "delayed" -> {
        DistributedDelayQueue<String> queue = builder(path, true).buildDelayQueue();
        KEPT.put("queue " + path, queue);
        queue.start();
      }
      default -> {
        DistributedQueue<String> queue = builder(path, true).buildQueue();
        KEPT.put("queue " + path, queue);
        queue.start();
      }
    }
  }

  static String take(String path, int count) throws Exception {
    List<String> values = new ArrayList<>();
    while (values.size() < count) values.add(CONSUMED.get(path).take());
    return String.join(",", values);
  }

  static DistributedDoubleBarrier barrier(String path, String members) {
    return (DistributedDoubleBarrier) KEPT.computeIfAbsent(
      "barrier " + path,
      ignored -> new DistributedDoubleBarrier(client, path, Integer.parseInt(members)));
  }

  static ServiceDiscovery<Map> discovery(String base) throws Exception {
    Object there = KEPT.get("discovery " + base);
    if (there == null) {
      ServiceDiscovery<Map> made = ServiceDiscoveryBuilder.builder(Map.class).client(client).basePath(base).build();
      made.start();
      KEPT.put("discovery " + base, made);
      there = made;
    }
    @SuppressWarnings("unchecked")
    ServiceDiscovery<Map> found = (ServiceDiscovery<Map>) there;
    return found;
  }

  static void register(String base, String name, String instance, int port) throws Exception {
    Map<String, Object> payload = new java.util.LinkedHashMap<>();
    payload.put("weight", 3);
    discovery(base).registerService(ServiceInstance.<Map>builder()
      .name(name).id(instance).address("10.0.0.1").port(port).payload(payload).registrationTimeUTC(1234567890123L)
      .serviceType(ServiceType.DYNAMIC).uriSpec(new UriSpec("{scheme}://{address}:{port}/x")).build());
  }

  /** `id|url|payload|enabled` of each, in the order of their ids. */
  static String query(String base, String name) throws Exception {
    TreeSet<String> lines = new TreeSet<>();
    for (ServiceInstance<Map> one : discovery(base).queryForInstances(name))
      lines.add(String.join("|", one.getId(), one.buildUriSpec(), String.valueOf(one.getPayload()).replace(" ", ""), String.valueOf(one.isEnabled())));
    return String.join(";", lines);
  }

  static String pick(String base, String name) throws Exception {
    ServiceProvider<Map> provider = discovery(base).serviceProviderBuilder().serviceName(name).build();
    provider.start();
    ServiceInstance<Map> one = provider.getInstance();
    provider.close();
    return one == null ? "none" : one.getId();
  }
}
