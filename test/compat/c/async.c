/*
 * Drives a ZooKeeper server through the asynchronous API of Apache's C client (libzookeeper_mt). Prints one line per
 * passed part; the first failure prints what and where and ends the program with status 1.
 *
 *     gcc -DTHREADED -o async async.c -lzookeeper_mt && ./async 127.0.0.1:2181
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zookeeper/zookeeper.h>

#define PIPELINED 5000
#define WAIT_SECONDS 20

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connected, finished, last_rc;
static int event_type;
static char event_path[256];
static long order_next, order_errors, read_mismatches;
static char text[1024];
static int text_len;
static struct Stat last_stat;

#define CHECK(condition)                                                             \
    do {                                                                             \
        if (!(condition)) {                                                          \
            fprintf(stderr, "line %d: %s (rc %d)\n", __LINE__, #condition, last_rc); \
            exit(1);                                                                 \
        }                                                                            \
    } while (0)

static void wait_for(int *flag, int wanted) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += WAIT_SECONDS;
    pthread_mutex_lock(&lock);
    while (*flag < wanted)
        if (pthread_cond_timedwait(&changed, &lock, &deadline) != 0) {
            fprintf(stderr, "timed out: %d of %d\n", *flag, wanted);
            exit(1);
        }
    pthread_mutex_unlock(&lock);
}

static void complete(int rc) {
    pthread_mutex_lock(&lock);
    last_rc = rc;
    finished++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void on_event(zhandle_t *zh, int type, int state, const char *path, void *context) {
    pthread_mutex_lock(&lock);
    if (type == ZOO_SESSION_EVENT) {
        if (state == ZOO_CONNECTED_STATE) connected = 1;
    } else {
        event_type = type;
        snprintf(event_path, sizeof event_path, "%s", path);
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void expect_event(int type, const char *path) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += WAIT_SECONDS;
    pthread_mutex_lock(&lock);
    while (event_type != type || strcmp(event_path, path) != 0)
        if (pthread_cond_timedwait(&changed, &lock, &deadline) != 0) {
            fprintf(stderr, "no event %d at %s, last was %d at %s\n", type, path, event_type, event_path);
            exit(1);
        }
    event_type = 0;
    pthread_mutex_unlock(&lock);
}

static void on_void(int rc, const void *data) { complete(rc); }

static void on_string(int rc, const char *value, const void *data) {
    if (rc == ZOK) text_len = snprintf(text, sizeof text, "%s", value);
    complete(rc);
}

static void on_string_stat(int rc, const char *value, const struct Stat *stat, const void *data) {
    if (rc == ZOK) last_stat = *stat;
    on_string(rc, value, data);
}

static void on_stat(int rc, const struct Stat *stat, const void *data) {
    if (rc == ZOK) last_stat = *stat;
    complete(rc);
}

static void on_data(int rc, const char *value, int length, const struct Stat *stat, const void *data) {
    if (rc == ZOK) {
        text_len = length;
        memcpy(text, value, length);
        last_stat = *stat;
    }
    complete(rc);
}

static void on_children(int rc, const struct String_vector *names, const struct Stat *stat, const void *data) {
    if (rc == ZOK) {
        text_len = names->count;
        last_stat = *stat;
    }
    complete(rc);
}

static void on_acl(int rc, struct ACL_vector *acls, struct Stat *stat, const void *data) {
    if (rc == ZOK) text_len = acls->count;
    complete(rc);
}

/* Completions carry their number: they have to come back in the order of the calls. */
static void in_order(long number) {
    if (number != order_next) order_errors++;
    order_next = number + 1;
}

static void on_pipelined_set(int rc, const struct Stat *stat, const void *data) {
    long number = (long)data;
    in_order(number);
    if (rc == ZOK && stat->version != number / 2 + 1) read_mismatches++;
    complete(rc);
}

static void on_pipelined_get(int rc, const char *value, int length, const struct Stat *stat, const void *data) {
    char wanted[32];
    long number = (long)data;
    in_order(number);
    snprintf(wanted, sizeof wanted, "value %ld", number - 1);
    if (rc != ZOK || length != (int)strlen(wanted) || memcmp(value, wanted, length) != 0) read_mismatches++;
    complete(rc);
}

static void await_one(int rc) {
    CHECK(rc == ZOK);
    wait_for(&finished, 1);
    finished = 0;
}

static void crud(zhandle_t *zh) {
    await_one(zoo_acreate(zh, "/c", "one", 3, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, NULL));
    CHECK(last_rc == ZOK && strcmp(text, "/c") == 0);
    await_one(zoo_acreate(zh, "/c", "one", 3, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, NULL));
    CHECK(last_rc == ZNODEEXISTS);
    await_one(zoo_acreate2(zh, "/c/s-", "x", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE, on_string_stat, NULL));
    CHECK(last_rc == ZOK && strcmp(text, "/c/s-0000000000") == 0 && last_stat.dataLength == 1);
    await_one(zoo_acreate(zh, "/c/null", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, on_string, NULL));
    CHECK(last_rc == ZOK);
    await_one(zoo_aset(zh, "/c", "two", 3, 0, on_stat, NULL));
    CHECK(last_rc == ZOK && last_stat.version == 1);
    await_one(zoo_aset(zh, "/c", "two", 3, 0, on_stat, NULL));
    CHECK(last_rc == ZBADVERSION);
    await_one(zoo_aget(zh, "/c", 0, on_data, NULL));
    CHECK(last_rc == ZOK && text_len == 3 && memcmp(text, "two", 3) == 0 && last_stat.version == 1);
    await_one(zoo_aget_children2(zh, "/c", 0, on_children, NULL));
    CHECK(last_rc == ZOK && text_len == 2 && last_stat.numChildren == 2);
    await_one(zoo_aget_acl(zh, "/c", on_acl, NULL));
    CHECK(last_rc == ZOK && text_len == 1);
    await_one(zoo_aset_acl(zh, "/c/s-0000000000", 0, &ZOO_READ_ACL_UNSAFE, on_void, NULL));
    CHECK(last_rc == ZOK);
    await_one(zoo_aset(zh, "/c/s-0000000000", "y", 1, -1, on_stat, NULL));
    CHECK(last_rc == ZNOAUTH);
    await_one(zoo_async(zh, "/c", on_string, NULL));
    CHECK(last_rc == ZOK && strcmp(text, "/c") == 0);
    await_one(zoo_adelete(zh, "/c", -1, on_void, NULL));
    CHECK(last_rc == ZNOTEMPTY);
    await_one(zoo_adelete(zh, "/c/null", 0, on_void, NULL));
    CHECK(last_rc == ZOK);
    await_one(zoo_aexists(zh, "/c/null", 0, on_stat, NULL));
    CHECK(last_rc == ZNONODE);
    await_one(zoo_add_auth(zh, "digest", "alice:secret", 12, on_void, NULL));
    CHECK(last_rc == ZOK);
    printf("crud\n");
}

static void watches(zhandle_t *zh) {
    await_one(zoo_awexists(zh, "/w", on_event, NULL, on_stat, NULL));
    CHECK(last_rc == ZNONODE);
    await_one(zoo_acreate(zh, "/w", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, NULL));
    expect_event(ZOO_CREATED_EVENT, "/w");
    await_one(zoo_awget(zh, "/w", on_event, NULL, on_data, NULL));
    await_one(zoo_aset(zh, "/w", "1", 1, -1, on_stat, NULL));
    expect_event(ZOO_CHANGED_EVENT, "/w");
    await_one(zoo_awget_children2(zh, "/w", on_event, NULL, on_children, NULL));
    await_one(zoo_acreate(zh, "/w/k", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, NULL));
    expect_event(ZOO_CHILD_EVENT, "/w");
    await_one(zoo_awget(zh, "/w/k", on_event, NULL, on_data, NULL));
    await_one(zoo_adelete(zh, "/w/k", -1, on_void, NULL));
    expect_event(ZOO_DELETED_EVENT, "/w/k");
    await_one(zoo_awget(zh, "/w", on_event, NULL, on_data, NULL));
    /* The header declares a pointer to the function pointer, the library takes the function. */
    await_one(zoo_aremove_watches(zh, "/w", ZWATCHTYPE_DATA, on_event, NULL, 0, (void_completion_t *)on_void, NULL));
    CHECK(last_rc == ZOK);
    await_one(zoo_aset(zh, "/w", "2", 1, -1, on_stat, NULL));
    await_one(zoo_async(zh, "/w", on_string, NULL));
    CHECK(event_type != ZOO_CHANGED_EVENT);
    CHECK(zoo_remove_watches(zh, "/w", ZWATCHTYPE_DATA, on_event, NULL, 0) == ZNOWATCHER);
    printf("watches\n");
}

static void transactions(zhandle_t *zh) {
    zoo_op_t ops[5];
    zoo_op_result_t results[5];
    struct Stat stat;
    char created[64];
    zoo_create_op_init(&ops[0], "/m", "m", 1, &ZOO_OPEN_ACL_UNSAFE, 0, created, sizeof created);
    zoo_create_op_init(&ops[1], "/m/k-", "k", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE, created, sizeof created);
    zoo_set_op_init(&ops[2], "/m", "n", 1, 0, &stat);
    zoo_check_op_init(&ops[3], "/m", 1);
    zoo_delete_op_init(&ops[4], "/m/k-0000000000", -1);
    await_one(zoo_amulti(zh, 5, ops, results, on_void, NULL));
    CHECK(last_rc == ZOK && strcmp(created, "/m/k-0000000000") == 0 && stat.version == 1);
    for (int i = 0; i < 5; i++) CHECK(results[i].err == ZOK);
    zoo_check_op_init(&ops[1], "/m", 7);
    zoo_create_op_init(&ops[0], "/m/never", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, created, sizeof created);
    zoo_delete_op_init(&ops[2], "/m", -1);
    await_one(zoo_amulti(zh, 3, ops, results, on_void, NULL));
    CHECK(last_rc == ZBADVERSION);
    CHECK(results[0].err == ZOK && results[1].err == ZBADVERSION && results[2].err == ZRUNTIMEINCONSISTENCY);
    await_one(zoo_aexists(zh, "/m/never", 0, on_stat, NULL));
    CHECK(last_rc == ZNONODE);
    printf("transactions\n");
}

static void pipeline(zhandle_t *zh) {
    char value[32];
    await_one(zoo_acreate(zh, "/p", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, NULL));
    for (long number = 0; number < PIPELINED; number += 2) {
        int length = snprintf(value, sizeof value, "value %ld", number);
        CHECK(zoo_aset(zh, "/p", value, length, -1, on_pipelined_set, (void *)number) == ZOK);
        CHECK(zoo_aget(zh, "/p", 0, on_pipelined_get, (void *)(number + 1)) == ZOK);
    }
    wait_for(&finished, PIPELINED);
    finished = 0;
    CHECK(last_rc == ZOK && order_errors == 0 && read_mismatches == 0);
    printf("pipeline of %d\n", PIPELINED);
}

/* Ephemerals show their owner to others and go with the session. */
static void sessions(const char *address, zhandle_t *zh) {
    await_one(zoo_acreate(zh, "/ephemeral", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, on_string, NULL));
    connected = 0;
    zhandle_t *other = zookeeper_init(address, on_event, 30000, NULL, NULL, 0);
    CHECK(other != NULL);
    wait_for(&connected, 1);
    await_one(zoo_awexists(other, "/ephemeral", on_event, NULL, on_stat, NULL));
    CHECK(last_rc == ZOK && last_stat.ephemeralOwner == zoo_client_id(zh)->client_id);
    CHECK(zookeeper_close(zh) == ZOK);
    expect_event(ZOO_DELETED_EVENT, "/ephemeral");
    CHECK(zookeeper_close(other) == ZOK);
    printf("sessions\n");
}

int main(int argc, char **argv) {
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    zhandle_t *zh = zookeeper_init(argv[1], on_event, 30000, NULL, NULL, 0);
    CHECK(zh != NULL);
    wait_for(&connected, 1);
    crud(zh);
    watches(zh);
    transactions(zh);
    pipeline(zh);
    sessions(argv[1], zh);
    return 0;
}
