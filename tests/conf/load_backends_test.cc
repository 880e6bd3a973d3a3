// Faults in `backends:` and `default:`.
#include <gtest/gtest.h>

#include "tests/conf/load_support.h"

namespace weir::conf {
namespace {

TEST(LoadErrors, Backends) {
  // Types, their parameters, and which is the default.
  expect_each(
      kUpstream,
      {
          {"backends: {d: {type: disk, cache_dir: /dev/null}}",
           "weir.yaml:2:39: backends.d.cache_dir: \"/dev/null\" is a file: give a folder, which is "
           "made where it is missing"},
          {"backends: {d: {type: disk, cache_dir: ''}}",
           "weir.yaml:2:39: backends.d.cache_dir: is empty: which folder?"},
          {"default: c\nbackends: {c: {type: disk, cache_dir: /tmp/weir-tests/x}, d: {type: disk, "
           "cache_dir: "
           "/tmp/./weir-tests/x/}}",
           "weir.yaml:3:59: backends.d: has the cache_dir of c: give each a folder of its own "
           "(\"/tmp/./weir-tests/x/\")"},
          {"backends: {d: {type: disk, min_free: 5 percent}}",
           "weir.yaml:2:38: backends.d.min_free: \"5 percent\" is not a size (try 64MiB)"},
          {"backends: {d: {type: disk, min_free: 100%}}",
           "weir.yaml:2:38: backends.d.min_free: \"100%\" is no share of a disk (0% to 99%)"},
          {"backends: {d: {type: disk, max_size: 64KiB}}",
           "weir.yaml:2:38: backends.d.max_size: \"64KiB\" is out of range (1MiB to 256TiB)"},
          {"backends: {d: {type: disk, host: h}}",
           "weir.yaml:2:28: backends.d.host: is a parameter of redis backends, this one is of type "
           "disk"},
          {"backends: {d: {type: ram, min_free: 5%}}",
           "weir.yaml:2:27: backends.d.min_free: is a parameter of disk backends, this one is of "
           "type ram"},
          {"backends: {d: {type: rma}}",
           "weir.yaml:2:22: backends.d.type: unknown type \"rma\" (did you mean \"ram\"?)"},
          {"backends: {d: {type: memcached}}",
           "weir.yaml:2:22: backends.d.type: unknown type \"memcached\" (ram, disk or redis)"},
          {"backends: {d: {}}",
           "weir.yaml:2:15: backends.d: type is missing (available: ram, disk, redis)"},
          {"backends: {d: ram}",
           "weir.yaml:2:15: backends.d: expected a map such as {type: ram, max_size: 256MiB}, "
           "found \"ram\""},
          {"backends: {}", "weir.yaml:2:11: backends: names no backend"},
          {"backends: [ram]",
           "weir.yaml:2:11: backends: expected a map such as {ram: {type: ram, max_size: 256MiB}}, "
           "found a list"},
          {"backends: {a b: {type: ram}}",
           "weir.yaml:2:12: backends.a b: \"a b\" is not a name for a backend (letters, digits, - "
           "and _, at most 64)"},
          {"backends: {d: {type: ram, cache_dir: x}}",
           "weir.yaml:2:27: backends.d.cache_dir: is a parameter of disk backends, this one is of "
           "type ram"},
          {"backends: {d: {type: ram, max_size: 1KiB}}",
           "weir.yaml:2:37: backends.d.max_size: \"1KiB\" is out of range (64KiB to 1TiB)"},
          {"backends: {d: {type: ram, max_size: 1MiB, max_object_size: 2MiB}}",
           "weir.yaml:2:60: backends.d.max_object_size: 2MiB is more than the whole backend may "
           "hold (max_size: 1MiB)"},
          {"backends: {d: {type: ram, prefix: 'a b'}}",
           "weir.yaml:2:35: backends.d.prefix: holds more than 256 bytes, or other than visible "
           "ASCII"},
          {"backends: {abc: {type: ram}, xyz: {type: ram}}",
           "weir.yaml:2:1: default: missing: which of abc or xyz?"},
          {"default: rom",
           "weir.yaml:2:10: default: no backend is named \"rom\" (did you mean \"ram\"?)"},
          {"default: memory", "weir.yaml:2:10: default: no backend is named \"memory\" (ram)"},
          {"default: []", "weir.yaml:2:10: default: a list of tiers needs at least one backend"},
          {"default: [ram, ram]", "weir.yaml:2:16: default[1]: \"ram\" is listed twice"},
          {"default:",
           "weir.yaml:2:1: default: expected the name of a backend, or a list of them, nearest "
           "first, found nothing"},
      });
}

TEST(LoadErrors, RedisBackends) {
  // Where the server is, and what is the server's own.
  expect_each(
      kUpstream,
      {
          {"backends: {d: {type: redis, threshold: 5}}",
           "weir.yaml:2:29: backends.d.threshold: is Redis' own matter: set maxmemory, and "
           "maxmemory-policy volatile-lru, there"},
          {"backends: {d: {type: redis, max_size: 5MiB}}",
           "weir.yaml:2:29: backends.d.max_size: is Redis' own matter: set maxmemory, and "
           "maxmemory-policy volatile-lru, there"},
          {"backends: {d: {type: redis, cache_dir: /tmp}}",
           "weir.yaml:2:29: backends.d.cache_dir: is a parameter of disk backends, this one is of "
           "type redis"},
          {"backends: {d: {type: redis, url: 'http://h'}}",
           "weir.yaml:2:34: backends.d.url: is no URL of a Redis server: expected "
           "redis://[user:password@]host[:port][/db], or rediss:// for TLS"},
          {"backends: {d: {type: redis, url: 'redis://h:0'}}",
           "weir.yaml:2:34: backends.d.url: is no URL of a Redis server: expected "
           "redis://[user:password@]host[:port][/db], or rediss:// for TLS"},
          {"backends: {d: {type: redis, url: 'redis://h/x'}}",
           "weir.yaml:2:34: backends.d.url: is no URL of a Redis server: expected "
           "redis://[user:password@]host[:port][/db], or rediss:// for TLS"},
          {"backends: {d: {type: redis, url: 'redis://h', host: h}}",
           "weir.yaml:2:47: backends.d.host: stands beside url, which says it already: give one of "
           "the two"},
          {"backends: {d: {type: redis, unix: /s, port: 1}}",
           "weir.yaml:2:39: backends.d.port: stands beside unix: give one of the two"},
          {"backends: {d: {type: redis, unix: s}}",
           "weir.yaml:2:35: backends.d.unix: is no path from / on"},
          {"backends: {d: {type: redis, host: 'a b'}}",
           "weir.yaml:2:35: backends.d.host: \"a b\" is no name or address of a host"},
          {"backends: {d: {type: redis, port: 65536}}",
           "weir.yaml:2:35: backends.d.port: expected a number from 1 to 65535, found \"65536\""},
          {"backends: {d: {type: redis, timeout: 0}}",
           "weir.yaml:2:38: backends.d.timeout: \"0\" is out of range (1ms to 10s)"},
          {"backends: {d: {type: redis, username: u}}",
           "weir.yaml:2:29: backends.d.username: has no password: Redis takes both, or a password "
           "alone"},
      });
}

TEST(LoadErrors, RedisServersOfSeveral) {
  // A cluster, sentinels, TLS: what they need, and what may not stand beside them.
  expect_each(
      kUpstream,
      {
          {"backends: {d: {type: redis, cluster: true}}",
           "weir.yaml:2:38: backends.d.cluster: needs nodes: some servers of it, such as nodes: "
           "[redis-1:6379, redis-2:6379]"},
          {"backends: {d: {type: redis, nodes: [a]}}",
           "weir.yaml:2:29: backends.d.nodes: is of a cluster: give cluster: true as well"},
          {"backends: {d: {type: redis, cluster: true, nodes: []}}",
           "weir.yaml:2:51: backends.d.nodes: needs at least one server"},
          {"backends: {d: {type: redis, cluster: true, nodes: ['a:b']}}",
           "weir.yaml:2:52: backends.d.nodes[0]: \"a:b\" is no server: expected host or host:port"},
          {"backends: {d: {type: redis, cluster: true, nodes: [a], host: b}}",
           "weir.yaml:2:56: backends.d.host: stands beside nodes: give one of the two"},
          {"backends: {d: {type: redis, cluster: true, nodes: [a], db: 1}}",
           "weir.yaml:2:38: backends.d.cluster: has db 0 and no other: leave db out"},
          {"backends: {d: {type: redis, cluster: true, unix: /s}}",
           "weir.yaml:2:44: backends.d.unix: is one server: a cluster is reached by host and port"},
          {"backends: {d: {type: redis, sentinels: [a]}}",
           "weir.yaml:2:29: backends.d.sentinels: needs master: the name that they know it by"},
          {"backends: {d: {type: redis, master: m}}",
           "weir.yaml:2:29: backends.d.master: is what sentinels call it: give sentinels as well"},
          {"backends: {d: {type: redis, sentinels: [a], master: m, port: 1}}",
           "weir.yaml:2:56: backends.d.port: stands beside sentinels, which say where it is: leave "
           "it out"},
          {"backends: {d: {type: redis, sentinels: [a], master: m, cluster: true, nodes: [b]}}",
           "weir.yaml:2:29: backends.d.sentinels: stands beside cluster, which needs none: give "
           "one "
           "of the two"},
          {"backends: {d: {type: redis, tls: {ca: a, cert: b}}}",
           "weir.yaml:2:34: backends.d.tls: has one of cert and key: who we are needs both"},
          {"backends: {d: {type: redis, tls: true, unix: /s}}",
           "weir.yaml:2:40: backends.d.unix: stands beside TLS, which is for a network: leave one "
           "out"},
          {"backends: {d: {type: redis, fleet: {partition: stop}}}",
           "weir.yaml:2:48: backends.d.fleet.partition: unknown value \"stop\" (did you mean "
           "\"drop\"?)"},
      });
}

}  // namespace
}  // namespace weir::conf
