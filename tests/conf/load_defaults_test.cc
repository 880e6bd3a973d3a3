#include <gtest/gtest.h>

#include "tests/conf/load_support.h"

namespace weir::conf {
namespace {

TEST(LoadDefaults, AnEmptyFileHasThemAll) {
  // With nothing but an upstream every field has the documented default.
  for (const char* text :
       {"", "# nothing\n", "---\n", "routes:\nbackends:\nlimits:\ndefaults:\n"}) {
    const LoadResult result = load(text, {"http://127.0.0.1:8000", {}, {}});
    ASSERT_TRUE(result.config) << errors_of(result);
    const Config& config = *result.config;
    ASSERT_EQ(config.listen.size(), 1U);
    EXPECT_EQ(config.listen[0].text, "0.0.0.0:8080");
    ASSERT_TRUE(config.admin);
    EXPECT_EQ(config.admin->text, "127.0.0.1:8081");
    EXPECT_EQ(config.admin_token, "");
    EXPECT_EQ(config.workers, 4U);
    EXPECT_EQ(config.trusted_proxies.size(), 6U);
    EXPECT_EQ(config.trusted_fields, (TrustedFields{TrustedField::For, TrustedField::Proto}));
    EXPECT_TRUE(config.purge_allow.empty());
    EXPECT_EQ(config.access_log.format, AccessLog::Format::Json);
    EXPECT_EQ(config.access_log.to, "stdout");
    EXPECT_EQ(config.drain_delay_ms, 0);
    EXPECT_EQ(config.drain_timeout_ms, 25'000);
    EXPECT_TRUE(config.routes.empty());
    ASSERT_EQ(config.backends.size(), 1U);
    EXPECT_EQ(config.backends[0].name, "ram");
    EXPECT_EQ(config.backends[0].max_size, 256 * kMiB);
    EXPECT_EQ(config.backends[0].threshold, 0U);
    EXPECT_EQ(config.backends[0].max_object_size, 16 * kMiB);
    EXPECT_EQ(config.default_tiers, std::vector<std::string>{"ram"});
  }
}

TEST(LoadDefaults, UpstreamAndLimits) {
  // The numbers of the contract.
  const LoadResult result = load(kUpstream);
  ASSERT_TRUE(result.config) << errors_of(result);
  const Upstream& upstream = result.config->upstream;
  EXPECT_EQ(upstream.urls.size(), 1U);
  EXPECT_EQ(upstream.host, Upstream::Host::Preserve);
  EXPECT_EQ(upstream.connect_timeout_ms, 2'000);
  EXPECT_EQ(upstream.first_byte_timeout_ms, 60'000);
  EXPECT_EQ(upstream.idle_timeout_ms, 60'000);
  EXPECT_EQ(upstream.max_connections, 256U);
  EXPECT_EQ(upstream.retries, 1U);
  EXPECT_TRUE(upstream.health.path.empty());
  EXPECT_TRUE(upstream.verify_tls);
  const Limits& limits = result.config->limits;
  EXPECT_EQ(limits.request_line, 8 * kKiB);
  EXPECT_EQ(limits.headers, 32 * kKiB);
  EXPECT_EQ(limits.header_count, 100U);
  EXPECT_EQ(limits.response_headers, 128 * kKiB);
  EXPECT_EQ(limits.header_timeout_ms, 10'000);
  EXPECT_EQ(limits.keepalive_timeout_ms, 75'000);
  EXPECT_EQ(limits.body_timeout_ms, 60'000);
  EXPECT_EQ(limits.min_body_rate, 256U);
  EXPECT_EQ(limits.max_body, 0U);
  EXPECT_EQ(limits.send_timeout_ms, 30'000);
  EXPECT_EQ(limits.connections, 10'000U);
  EXPECT_EQ(limits.fill_memory, 256 * kMiB);
  EXPECT_EQ(limits.coalesce_wait_ms, 5'000);
}

// Every key outside of routes and backends, none with its default.
constexpr const char* kEveryKey = R"(
listen: [127.0.0.1:0, "[::1]:9000", "unix:/tmp/w.sock"]
admin: 10.0.0.1:9001
admin_token: ${TOKEN}
admin_hosts: [weir.internal]
workers: ${WORKERS:-auto}
trusted_proxies: [10.0.0.0/8]
trusted_fields: [for, host, port, prefix, forwarded]
purge_allow: [loopback]
access_log: { format: combined, to: /var/log/weir.log }
drain_delay: 3
drain_timeout: 1m
upstream:
  urls: [http://a:1, https://b, unix:/run/app]
  host: shop.example.org
  connect_timeout: 250ms
  first_byte_timeout: 5
  idle_timeout: 2m
  max_connections: 10
  retries: 0
  health: { path: /up, interval: 1s, timeout: 500ms }
  verify_tls: false
limits: { request_line: 4KiB, headers: 16KiB, header_count: 50, response_headers: 64KiB,
  header_timeout: 1s, keepalive_timeout: 2s, body_timeout: 3s, min_body_rate: 1KiB, max_body: 10MiB,
  send_timeout: 4s, connections: 7, fill_memory: 8MiB, coalesce_wait: 6s }
)";

TEST(LoadDefaults, EveryTopLevelKeyIsRead) {
  // What is written is what is loaded.
  const LoadResult result = load(kEveryKey, {}, {{"TOKEN", "s3cret"}});
  ASSERT_TRUE(result.config) << errors_of(result);
  const Config& config = *result.config;
  ASSERT_EQ(config.listen.size(), 3U);
  EXPECT_EQ(config.listen[0].port, 0);
  EXPECT_EQ(config.listen[1].host, "::1");
  EXPECT_EQ(config.listen[2].kind, ListenAddress::Kind::Unix);
  EXPECT_EQ(config.admin->host, "10.0.0.1");
  EXPECT_EQ(config.admin_token, "s3cret");
  EXPECT_EQ(config.admin_hosts, std::vector<std::string>{"weir.internal"});
  EXPECT_EQ(config.workers, 4U);
  EXPECT_EQ(config.trusted_proxies.size(), 1U);
  EXPECT_EQ(config.trusted_fields,
            (TrustedFields{TrustedField::For, TrustedField::Host, TrustedField::Port,
                           TrustedField::Prefix, TrustedField::Forwarded}));
  EXPECT_EQ(config.purge_allow.size(), 2U);
  EXPECT_EQ(config.access_log.format, AccessLog::Format::Combined);
  EXPECT_EQ(config.access_log.to, "/var/log/weir.log");
  EXPECT_EQ(config.drain_delay_ms, 3'000);
  EXPECT_EQ(config.drain_timeout_ms, 60'000);
  const Upstream& upstream = config.upstream;
  ASSERT_EQ(upstream.urls.size(), 3U);
  EXPECT_EQ(upstream.urls[1].kind, UpstreamUrl::Kind::Https);
  EXPECT_EQ(upstream.host, Upstream::Host::Fixed);
  EXPECT_EQ(upstream.fixed_host, "shop.example.org");
  EXPECT_EQ(upstream.connect_timeout_ms, 250);
  EXPECT_EQ(upstream.first_byte_timeout_ms, 5'000);
  EXPECT_EQ(upstream.idle_timeout_ms, 120'000);
  EXPECT_EQ(upstream.max_connections, 10U);
  EXPECT_EQ(upstream.retries, 0U);
  EXPECT_EQ(upstream.health.path, "/up");
  EXPECT_EQ(upstream.health.interval_ms, 1'000);
  EXPECT_EQ(upstream.health.timeout_ms, 500);
  EXPECT_FALSE(upstream.verify_tls);
  const Limits& limits = config.limits;
  EXPECT_EQ(limits.request_line, 4 * kKiB);
  EXPECT_EQ(limits.headers, 16 * kKiB);
  EXPECT_EQ(limits.header_count, 50U);
  EXPECT_EQ(limits.response_headers, 64 * kKiB);
  EXPECT_EQ(limits.header_timeout_ms, 1'000);
  EXPECT_EQ(limits.keepalive_timeout_ms, 2'000);
  EXPECT_EQ(limits.body_timeout_ms, 3'000);
  EXPECT_EQ(limits.min_body_rate, kKiB);
  EXPECT_EQ(limits.max_body, 10 * kMiB);
  EXPECT_EQ(limits.send_timeout_ms, 4'000);
  EXPECT_EQ(limits.connections, 7U);
  EXPECT_EQ(limits.fill_memory, 8 * kMiB);
  EXPECT_EQ(limits.coalesce_wait_ms, 6'000);
}

TEST(LoadDefaults, OffHasSeveralSpellings) {
  // A YAML false is as good as the word.
  for (const char* off : {"off", "false", "no", "\"off\"", "\"${UNSET:-off}\""}) {
    const LoadResult result = load(std::string(kUpstream) + "admin: " + off +
                                   "\naccess_log: " + off + "\nlimits: {max_body: " + off + "}\n");
    ASSERT_TRUE(result.config) << errors_of(result);
    EXPECT_FALSE(result.config->admin) << off;
    EXPECT_EQ(result.config->access_log.to, "") << off;
    EXPECT_EQ(result.config->limits.max_body, 0U) << off;
  }
  const LoadResult result = load(std::string(kUpstream) + "access_log: {to: off}\n");
  ASSERT_TRUE(result.config) << errors_of(result);
  EXPECT_EQ(result.config->access_log.to, "");
}

TEST(LoadDefaults, OverridesWinOverTheFile) {
  // Flags replace addresses, and of the upstream its URL only.
  const LoadResult result =
      load("listen: 127.0.0.1:1\nadmin: 127.0.0.1:2\nupstream: {url: http://a, retries: 3}\n",
           {"http://b:9", "127.0.0.1:3", "off"});
  ASSERT_TRUE(result.config) << errors_of(result);
  EXPECT_EQ(result.config->listen[0].port, 3);
  EXPECT_FALSE(result.config->admin);
  ASSERT_EQ(result.config->upstream.urls.size(), 1U);
  EXPECT_EQ(result.config->upstream.urls[0].text, "http://b:9");
  EXPECT_EQ(result.config->upstream.retries, 3U);
}

TEST(LoadDefaults, BackendsHaveTheirOwn) {
  // A max_size lifts the default bound on objects, and bounds the size of one.
  const LoadResult result = load(std::string(kUpstream) + R"(
default: [a, d]
backends:
  a: { type: ram }
  b: { type: ram, max_size: 1MiB, default_expire: 10 }
  c: { type: ram, max_size: 32MiB, threshold: 9, max_object_size: 2MiB, prefix: "x:" }
  d: { type: ram, threshold: 0 }
)");
  ASSERT_TRUE(result.config) << errors_of(result);
  const auto& backends = result.config->backends;
  ASSERT_EQ(backends.size(), 4U);
  EXPECT_EQ(backends[0].threshold, 500U);
  EXPECT_EQ(backends[0].max_size, 64 * kMiB);
  EXPECT_EQ(backends[0].default_expire_s, 300);
  EXPECT_EQ(backends[0].prefix, "");
  EXPECT_EQ(backends[1].threshold, 0U);
  EXPECT_EQ(backends[1].max_object_size, 1 * kMiB);
  EXPECT_EQ(backends[1].default_expire_s, 10);
  EXPECT_EQ(backends[2].threshold, 9U);
  EXPECT_EQ(backends[2].max_object_size, 2 * kMiB);
  EXPECT_EQ(backends[2].prefix, "x:");
  EXPECT_EQ(backends[3].threshold, 0U);
  EXPECT_EQ(result.config->default_tiers, (std::vector<std::string>{"a", "d"}));
}

TEST(LoadDefaults, ARedisServerHasItsOwn) {
  const LoadResult result = load(std::string(kUpstream) + R"(
default: [a, b]
backends:
  a: { type: redis }
  b: { type: redis, host: "::1", port: 7000, db: 3, username: ann, password: "a:b", keep: 10m }
  c: { type: redis, url: "redis://ann:a%3Ab@redis.example:7001/4", prefix: "shop:" }
  d: { type: redis, url: "redis://:pw@[::1]/", timeout: 2s, max_object_size: 1MiB }
  e: { type: redis, unix: /run/redis.sock, password: "1234", default_expire: 10 }
  f: { type: redis, url: "redis://h" }
)");
  ASSERT_TRUE(result.config) << errors_of(result);
  const auto& all = result.config->backends;
  ASSERT_EQ(all.size(), 6U);
  EXPECT_EQ(all[0].type, Backend::Type::Redis);
  EXPECT_EQ(all[0].host, "localhost");
  EXPECT_EQ(all[0].port, 6379);
  EXPECT_EQ(all[0].db, 0U);
  EXPECT_EQ(all[0].prefix, "cache:");
  EXPECT_EQ(all[0].timeout_ms, 50);
  EXPECT_EQ(all[0].keep_s, 3600);
  EXPECT_EQ(all[0].default_expire_s, 300);
  EXPECT_EQ(all[0].max_object_size, 8 * kMiB);
  EXPECT_EQ(all[1].host, "::1");
  EXPECT_EQ(all[1].port, 7000);
  EXPECT_EQ(all[1].keep_s, 600);
  for (const std::size_t at : {std::size_t{1}, std::size_t{2}}) {
    EXPECT_EQ(all[at].username, "ann");
    EXPECT_EQ(all[at].password, "a:b");
  }
  EXPECT_EQ(all[2].host, "redis.example");
  EXPECT_EQ(all[2].port, 7001);
  EXPECT_EQ(all[2].db, 4U);
  EXPECT_EQ(all[2].prefix, "shop:");
  EXPECT_EQ(all[3].host, "::1");
  EXPECT_EQ(all[3].port, 6379);
  EXPECT_EQ(all[3].username, "");
  EXPECT_EQ(all[3].password, "pw");
  EXPECT_EQ(all[3].timeout_ms, 2000);
  EXPECT_EQ(all[4].unix_path, "/run/redis.sock");
  EXPECT_EQ(all[4].password, "1234");
  EXPECT_EQ(all[5].host, "h");
}

TEST(LoadDefaults, RedisServersAreOneOrSeveral) {
  const LoadResult result = load(std::string(kUpstream) + R"(
default: [a, b]
backends:
  a: { type: redis, cluster: true, nodes: ["one:7000", two, "[::1]:7001"], password: pw }
  b: { type: redis, sentinels: [s1, "s2:9"], master: m, db: 2, fleet: { partition: drop } }
  c: { type: redis, cluster: true, url: "rediss://u:p@one" }
  d: { type: redis, tls: { ca: /ca.pem, cert: /c.pem, key: /k.pem, name: r.internal } }
  e: { type: redis, tls: true }
)");
  ASSERT_TRUE(result.config) << errors_of(result);
  const auto& all = result.config->backends;
  ASSERT_EQ(all.size(), 5U);
  using Servers = std::vector<Backend::Server>;
  EXPECT_EQ(all[0].nodes, (Servers{{"one", 7000}, {"two", 6379}, {"::1", 7001}}));
  EXPECT_EQ(all[0].password, "pw");
  EXPECT_FALSE(all[0].drops_when_cut_off);
  EXPECT_EQ(all[1].sentinels, (Servers{{"s1", 26'379}, {"s2", 9}}));
  EXPECT_EQ(all[1].master, "m");
  EXPECT_EQ(all[1].db, 2U);
  EXPECT_TRUE(all[1].drops_when_cut_off);
  EXPECT_EQ(all[2].nodes, (Servers{{"one", 6379}}));
  EXPECT_TRUE(all[2].tls.is_on);
  EXPECT_EQ(all[2].username, "u");
  EXPECT_EQ(all[3].tls, (Backend::Tls{true, "/ca.pem", "/c.pem", "/k.pem", "r.internal"}));
  EXPECT_TRUE(all[4].tls.is_on);
  EXPECT_FALSE(all[0].tls.is_on);
}

TEST(LoadDefaults, ADiskHasItsOwn) {
  // More room than memory has, a folder, and a share of the disk that is left to others.
  const LoadResult result = load(std::string(kUpstream) + R"(
default: [a, b]
backends:
  a: { type: disk }
  b: { type: disk, cache_dir: /tmp/b, max_size: 10GiB, min_free: 2GiB, max_object_size: 1GiB }
  c: { type: disk, cache_dir: /tmp/c, min_free: 10 %, threshold: 7 }
)");
  ASSERT_TRUE(result.config) << errors_of(result);
  const auto& backends = result.config->backends;
  ASSERT_EQ(backends.size(), 3U);
  EXPECT_EQ(backends[0].type, Backend::Type::Disk);
  EXPECT_EQ(backends[0].cache_dir, "cache");
  EXPECT_EQ(backends[0].threshold, 500U);
  EXPECT_EQ(backends[0].max_size, 1 * kGiB);
  EXPECT_EQ(backends[0].max_object_size, 256 * kMiB);
  EXPECT_EQ(backends[0].min_free_bytes, 0U);
  EXPECT_EQ(backends[0].min_free_percent, 5U);
  EXPECT_EQ(backends[1].cache_dir, "/tmp/b");
  EXPECT_EQ(backends[1].threshold, 0U);
  EXPECT_EQ(backends[1].max_object_size, 1 * kGiB);
  EXPECT_EQ(backends[1].min_free_bytes, 2 * kGiB);
  EXPECT_EQ(backends[1].min_free_percent, 0U);
  EXPECT_EQ(backends[2].min_free_percent, 10U);
  EXPECT_EQ(backends[2].threshold, 7U);
}

TEST(LoadDefaults, TheOnlyBackendIsTheDefault) {
  // One backend needs no `default:`.
  const LoadResult result = load(std::string(kUpstream) + "backends: {pages: {type: ram}}\n");
  ASSERT_TRUE(result.config) << errors_of(result);
  EXPECT_EQ(result.config->default_tiers, std::vector<std::string>{"pages"});
}

TEST(LoadDefaults, FillMemoryFollowsTheGroup) {
  // A quarter of the limit where that is less; what is written holds anyway.
  const Resources small = {2, 64 * kMiB, 64 * kMiB};
  EXPECT_EQ(load(kUpstream, {}, {}, small).config->limits.fill_memory, 16 * kMiB);
  EXPECT_EQ(load(std::string(kUpstream) + "limits: {fill_memory: 20MiB}\n", {}, {}, small)
                .config->limits.fill_memory,
            20 * kMiB);
  const Resources large = {2, 64 * kGiB, 64 * kGiB};
  EXPECT_EQ(load(kUpstream, {}, {}, large).config->limits.fill_memory, 256 * kMiB);
}

TEST(LoadDefaults, TheBuiltInRule) {
  // Without a file everything is cached for five seconds.
  const LoadResult result =
      load_builtin_with({"http://127.0.0.1:8000", {}, {}}, environment_of({}), big_machine());
  ASSERT_TRUE(result.config) << errors_of(result);
  ASSERT_EQ(result.config->routes.size(), 1U);
  const Route& route = result.config->routes[0];
  EXPECT_EQ(route.name, "/**");
  EXPECT_EQ(route.source.line, 0);
  ASSERT_TRUE(route.cache);
  EXPECT_EQ(route.cache->duration.seconds, 5);
  EXPECT_EQ(route.cache->tiers, std::vector<std::string>{"ram"});
  EXPECT_EQ(result.config->backends[0].max_size, 256 * kMiB);
  EXPECT_EQ(errors_of(load_builtin_with({}, environment_of({}), big_machine())),
            "upstream: missing: where is the app? (upstream: http://127.0.0.1:8000, --upstream URL "
            "or WEIR_UPSTREAM)\n");
}

TEST(LoadDefaults, TheDefaultAdminAddressGivesWay) {
  // Who gives a listener that address has not asked for an admin address there.
  const std::string text = std::string(kUpstream) + "routes: [{match: /**}]\n";
  for (const char* listen : {"127.0.0.1:8081", "0.0.0.0:8081"}) {
    const LoadResult by_flag = load(text, {{}, listen, {}});
    ASSERT_TRUE(by_flag.config) << errors_of(by_flag);
    EXPECT_FALSE(by_flag.config->admin) << listen;
    EXPECT_EQ(warnings_of(by_flag), "");
    const LoadResult by_file = load(text + "listen: [127.0.0.1:80, " + listen + "]\n");
    ASSERT_TRUE(by_file.config) << errors_of(by_file);
    EXPECT_FALSE(by_file.config->admin) << listen;
  }
  const LoadResult apart = load(text, {{}, "127.0.0.2:8081", {}});
  ASSERT_TRUE(apart.config) << errors_of(apart);
  EXPECT_TRUE(apart.config->admin);
}

}  // namespace
}  // namespace weir::conf
