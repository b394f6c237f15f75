import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.zookeeper.AsyncCallback;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/** Apache's client, and Curator's recipes where it has none. The protocol of drivers stands in harness.mjs. */
public final class JavaDriver {
    private static final int WINDOW = 100;
    private static final OperatingSystemMXBean PROCESS =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final com.sun.management.ThreadMXBean THREADS =
        (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static String path;
    private static double seconds;
    private static double warmSeconds;

    public interface Once {
        void run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        String address = args[0];
        path = args[2];
        seconds = Double.parseDouble(args[3]);
        warmSeconds = Double.parseDouble(args[4]);
        switch (args[1]) {
            case "gets":
                pipelined(connect(address));
                break;
            case "single": {
                ZooKeeper zk = connect(address);
                oneByOne(() -> zk.getData(path, false, null));
                break;
            }
            case "tree":
                CuratorTasks.tree(address, path);
                break;
            default:
                CuratorTasks.lock(address, path);
        }
        // Without the second that a Java client takes to close.
        Runtime.getRuntime().halt(0);
    }

    private static ZooKeeper connect(String address) throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper zk = new ZooKeeper(address, 30_000, event -> {
            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) connected.countDown();
        });
        connected.await();
        return zk;
    }

    private static void pipelined(ZooKeeper zk) throws Exception {
        AtomicLong ops = new AtomicLong();
        AsyncCallback.DataCallback[] next = new AsyncCallback.DataCallback[1];
        next[0] = (code, where, context, data, stat) -> {
            if (code != KeeperException.Code.OK.intValue()) throw new IllegalStateException("code " + code);
            ops.incrementAndGet();
            zk.getData(path, false, next[0], null);
        };
        for (int i = 0; i < WINDOW; i++) zk.getData(path, false, next[0], null);
        Thread.sleep((long) (warmSeconds * 1000));
        long opsBefore = ops.get();
        long allocatedBefore = allocated();
        long cpuBefore = PROCESS.getProcessCpuTime();
        long before = System.nanoTime();
        Thread.sleep((long) (seconds * 1000));
        long wall = System.nanoTime() - before;
        long cpu = PROCESS.getProcessCpuTime() - cpuBefore;
        report(ops.get() - opsBefore, wall, cpu, new double[0], allocated() - allocatedBefore);
    }

    static void oneByOne(Once once) throws Exception {
        long begin = System.nanoTime();
        while (System.nanoTime() - begin < warmSeconds * 1e9) once.run();
        double[] micros = new double[1 << 20];
        int count = 0;
        long allocatedBefore = allocated();
        long cpuBefore = PROCESS.getProcessCpuTime();
        long before = System.nanoTime();
        long now = before;
        while (now - before < seconds * 1e9 && count < micros.length) {
            once.run();
            long later = System.nanoTime();
            micros[count++] = (later - now) / 1e3;
            now = later;
        }
        long cpu = PROCESS.getProcessCpuTime() - cpuBefore;
        report(count, now - before, cpu, Arrays.copyOf(micros, count), allocated() - allocatedBefore);
    }

    static long cpuNanos() {
        return PROCESS.getProcessCpuTime();
    }

    /** Of the threads that are there: those of the client do not end meanwhile. */
    static long allocated() {
        long sum = 0;
        for (long bytes : THREADS.getThreadAllocatedBytes(THREADS.getAllThreadIds())) sum += Math.max(0, bytes);
        return sum;
    }

    static void report(long ops, long wallNanos, long cpuNanos, double[] micros, long allocatedBytes) {
        Arrays.sort(micros);
        String p50 = micros.length == 0 ? "null" : text(micros[micros.length / 2]);
        String p99 = micros.length == 0 ? "null" : text(micros[(int) (micros.length * 0.99)]);
        System.out.println("{\"ops\":" + ops + ",\"seconds\":" + text(wallNanos / 1e9)
            + ",\"cpuSeconds\":" + text(cpuNanos / 1e9) + ",\"p50Micros\":" + p50 + ",\"p99Micros\":" + p99
            + ",\"allocatedBytes\":" + allocatedBytes + "}");
    }

    private static String text(double value) {
        return String.format(Locale.ROOT, "%.6f", value);
    }
}
