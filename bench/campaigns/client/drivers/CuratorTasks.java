import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.framework.recipes.cache.TreeCacheEvent;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryOneTime;

/**
 * What Apache's own client has not: a cache and a lock, from Curator. Its older TreeCache, because CuratorCache 5.4 cannot
 * load more than 65,535 znodes.
 */
final class CuratorTasks {
    private CuratorTasks() {}

    private static CuratorFramework connect(String address) throws Exception {
        CuratorFramework client = CuratorFrameworkFactory.newClient(address, 30_000, 15_000, new RetryOneTime(100));
        client.start();
        client.blockUntilConnected();
        return client;
    }

    static void tree(String address, String path) throws Exception {
        CuratorFramework client = connect(address);
        CountDownLatch ready = new CountDownLatch(1);
        long allocatedBefore = JavaDriver.allocated();
        long cpuBefore = JavaDriver.cpuNanos();
        long before = System.nanoTime();
        AtomicInteger held = new AtomicInteger();
        TreeCache cache = TreeCache.newBuilder(client, path).build();
        cache.getListenable().addListener((from, event) -> {
            if (event.getType() == TreeCacheEvent.Type.NODE_ADDED) held.incrementAndGet();
            if (event.getType() == TreeCacheEvent.Type.INITIALIZED) ready.countDown();
        });
        cache.start();
        ready.await();
        long wall = System.nanoTime() - before;
        long cpu = JavaDriver.cpuNanos() - cpuBefore;
        JavaDriver.report(held.get(), wall, cpu, new double[0], JavaDriver.allocated() - allocatedBefore);
    }

    static void lock(String address, String path) throws Exception {
        InterProcessMutex mutex = new InterProcessMutex(connect(address), path);
        JavaDriver.oneByOne(() -> {
            mutex.acquire();
            mutex.release();
        });
    }
}
