#include <gtest/gtest.h>

#include "tests/conf/load_support.h"

namespace weir::conf {
namespace {

TEST(LoadErrors, AllAtOnceInTheOrderOfTheFile) {
  // One run tells everything: place, path, what is wrong, what was meant.
  const LoadResult result = load(R"(listn: 1.2.3.4:80
limits: { headers: 64 MBs }
upstream: http://127.0.0.1:8000
routes:
  - match: blog/**
    cache: { durration: 60, backend: rem }
  - cache: true
)");
  EXPECT_FALSE(result.config);
  EXPECT_EQ(errors_of(result), R"(weir.yaml:1:1: unknown key "listn" (did you mean "listen"?)
  listn: 1.2.3.4:80
  ^
weir.yaml:2:20: limits.headers: "64 MBs" is not a size (try 64MiB)
  limits: { headers: 64 MBs }
                     ^
weir.yaml:5:12: routes[0].match: "blog/**" is not a path pattern (it begins with "/": try /blog/**)
    - match: blog/**
             ^
weir.yaml:6:14: routes[0].cache: unknown key "durration" (did you mean "duration"?)
      cache: { durration: 60, backend: rem }
               ^
weir.yaml:6:38: routes[0].cache.backend: no backend is named "rem" (did you mean "ram"?)
      cache: { durration: 60, backend: rem }
                                       ^
weir.yaml:7:5: routes[1]: match is missing (/** matches everything)
    - cache: true
      ^
)");
}

TEST(LoadErrors, Addresses) {
  // Listeners and the admin address.
  expect_each(
      kUpstream,
      {
          {"listen: 8080",
           "weir.yaml:2:9: listen: \"8080\" is not an address to listen on (try 127.0.0.1:8080)"},
          {"listen: []", "weir.yaml:2:9: listen: needs at least one address"},
          {"listen: {a: b}",
           "weir.yaml:2:9: listen: expected an address such as 127.0.0.1:8080, found a map"},
          {"listen:",
           "weir.yaml:2:1: listen: expected an address such as 127.0.0.1:8080, found nothing"},
          {"listen: [127.0.0.1:80, 0.0.0.0:80]",
           "weir.yaml:2:24: listen[1]: 0.0.0.0:80 is taken by 127.0.0.1:80 already"},
          {"admin: 127.0.0.1:8081\nlisten: 0.0.0.0:8081",
           "weir.yaml:3:9: listen: 0.0.0.0:8081 is taken by the admin address 127.0.0.1:8081 (give "
           "\"admin:\" another, or off)"},
          {"admin: 127.0.0.1:8080",
           "weir.yaml:2:8: admin: 127.0.0.1:8080 is taken by \"listen:\", which is 0.0.0.0:8080 "
           "unless given"},
          {"admin: 0.0.0.0:9000",
           "weir.yaml:2:8: admin: 0.0.0.0:9000 can be reached from outside: give \"admin_token:\", "
           "or a loopback address such as 127.0.0.1:8081"},
          {"admin: true",
           "weir.yaml:2:8: admin: \"true\" is not an address to listen on (try 127.0.0.1:8081)"},
          {"admin: 8081",
           "weir.yaml:2:8: admin: \"8081\" is not an address to listen on (try 127.0.0.1:8081)"},
          {"admin: [a]",
           "weir.yaml:2:8: admin: expected an address such as 127.0.0.1:8081, found a list"},
          {"admin_token: ''", "weir.yaml:2:14: admin_token: is empty (leave it out for none)"},
          {"admin_token: a b",
           "weir.yaml:2:14: admin_token: holds characters that no header can carry (visible ASCII "
           "only)"},
          {"admin_token: ${WEIR_ADMIN_TOKEN}",
           "weir.yaml:2:14: admin_token: the variable WEIR_ADMIN_TOKEN is not set (a default is "
           "written ${WEIR_ADMIN_TOKEN:-default})"},
          {"admin_hosts: [a:1]",
           "weir.yaml:2:15: admin_hosts[0]: \"a:1\" is not a host without port"},
      });
}

TEST(LoadErrors, Process) {
  // Workers, ranges, the access log, draining, and what is not there yet.
  expect_each(
      kUpstream,
      {
          {"workers: 0", "weir.yaml:2:10: workers: expected a number from 1 to 256, found \"0\""},
          {"workers: [1]",
           "weir.yaml:2:10: workers: expected auto, or a number from 1 to 256, found a list"},
          {"trusted_proxies: loopback",
           "weir.yaml:2:18: trusted_proxies: expected a list such as [loopback, 10.0.0.0/8], found "
           "\"loopback\""},
          {"trusted_fields: host",
           "weir.yaml:2:17: trusted_fields: expected a list such as [for, proto, host], found "
           "\"host\""},
          {"trusted_fields: [for, hots]",
           "weir.yaml:2:23: trusted_fields[1]: unknown value \"hots\" (did you mean \"host\"?)"},
          {"purge_allow: [loopbak]",
           "weir.yaml:2:15: purge_allow[0]: \"loopbak\" is not an address range (did you mean "
           "\"loopback\"?)"},
          {"access_log: json",
           "weir.yaml:2:13: access_log: expected a map such as {format: json, to: stdout}, or off, "
           "found \"json\""},
          {"access_log: {format: jsn}",
           "weir.yaml:2:22: access_log.format: unknown value \"jsn\" (did you mean \"json\"?)"},
          {"access_log: {to: stdot}",
           "weir.yaml:2:18: access_log.to: \"stdot\" is no place for a log (did you mean "
           "\"stdout\"?); a path holds a \"/\""},
          {"drain_timeout: 5 minutes",
           "weir.yaml:2:16: drain_timeout: \"5 minutes\" is not a duration (try 5m)"},
          {"drain_delay: 2h", "weir.yaml:2:14: drain_delay: \"2h\" is out of range (0s to 1h)"},
          {"preset: django", "weir.yaml:2:1: preset: a preset is not available in this version"},
          {"fleet: {partition: drop}",
           "weir.yaml:2:1: fleet: a fleet is not available in this version"},
          {"presets: [django]",
           "weir.yaml:2:1: presets: a preset is not available in this version"},
          {"tls: {cert: a}",
           "weir.yaml:2:1: tls: TLS for clients is not available in this version"},
          {"http2: true",
           "weir.yaml:2:1: http2: HTTP/2 for clients is not available in this version"},
          {"drain_delay: 1\ndrain_delay: 2",
           "weir.yaml:3:1: the key \"drain_delay\" is given twice (first on line 2)"},
      });
}

TEST(LoadErrors, UpstreamSection) {
  // Where the app is, and how it is asked.
  expect_each(
      "",
      {
          {"routes: []",
           "weir.yaml: upstream: missing: where is the app? (upstream: http://127.0.0.1:8000, "
           "--upstream URL or WEIR_UPSTREAM)"},
          {"upstream: {retries: 1}",
           "weir.yaml:1:11: upstream: url is missing: where is the app? (upstream: "
           "http://127.0.0.1:8000, --upstream URL or WEIR_UPSTREAM)"},
          {"upstream: localhost:8000",
           "weir.yaml:1:11: upstream: \"localhost:8000\" is not the URL of an app (try "
           "http://localhost:8000)"},
          {"upstream: 3000",
           "weir.yaml:1:11: upstream: \"3000\" is not the URL of an app (try "
           "http://127.0.0.1:3000)"},
          {"upstream: :3000",
           "weir.yaml:1:11: upstream: \":3000\" is not the URL of an app (try "
           "http://127.0.0.1:3000)"},
          {"upstream: [http://a]",
           "weir.yaml:1:11: upstream: expected a URL such as http://127.0.0.1:8000, or a map, "
           "found a list"},
          {"upstream: {url: http://a, urls: [http://b]}",
           "weir.yaml:1:27: upstream.urls: give url or urls, not both"},
          {"upstream: {urls: []}", "weir.yaml:1:18: upstream.urls: needs at least one URL"},
          {"upstream: {urls: [http://a, 'http://a:80']}",
           "weir.yaml:1:29: upstream.urls[1]: \"http://a:80\" is listed twice"},
          {"upstream: {url: http://a, host: presrve}",
           "weir.yaml:1:33: upstream.host: unknown value \"presrve\" (did you mean \"preserve\"?)"},
          {"upstream: {url: http://a, host: 'a b'}",
           "weir.yaml:1:33: upstream.host: \"a b\" is not a host (preserve, upstream, or a name "
           "such as example.org)"},
          {"upstream: {url: http://a, host: 'a:99999'}",
           "weir.yaml:1:33: upstream.host: \"a:99999\" is not a host (the port is a number from 1 "
           "to 65535)"},
          {"upstream: {url: http://a, connect_timeout: 0}",
           "weir.yaml:1:44: upstream.connect_timeout: \"0\" is out of range (1ms to 1d)"},
          {"upstream: {url: http://a, max_connections: 0}",
           "weir.yaml:1:44: upstream.max_connections: expected a number from 1 to 65535, found "
           "\"0\""},
          {"upstream: {url: http://a, retries: 11}",
           "weir.yaml:1:36: upstream.retries: expected a number from 0 to 10, found \"11\""},
          {"upstream: {url: http://a, health: {interval: 1s}}",
           "weir.yaml:1:35: upstream.health: path is missing (try {path: /up})"},
          {"upstream: {url: http://a, health: {path: up}}",
           "weir.yaml:1:42: upstream.health.path: \"up\" is not a path to ask for (try /up)"},
          {"upstream: {url: http://a, verify_tls: maybe}",
           "weir.yaml:1:39: upstream.verify_tls: expected true or false, found \"maybe\""},
          {"upstream: {url: http://a, tls: off}",
           "weir.yaml:1:27: upstream: unknown key \"tls\" (it stands in the url: https://…)"},
          {"upstream: {url: http://a, timeout: 5}",
           "weir.yaml:1:27: upstream: unknown key \"timeout\" (did you mean "
           "\"first_byte_timeout\"?)"},
      });
}

TEST(LoadErrors, AnAppThatIsWeirItself) {
  // Against the addresses that are listened on in the end, and the URL that is used in the end.
  expect_each(
      "", {
              {"upstream: http://localhost:8080",
               "weir.yaml:1:11: upstream: \"http://localhost:8080\" is Weir's own address (it "
               "listens on 0.0.0.0:8080): every request would come back to it"},
              {"upstream: {urls: [http://a, http://127.0.0.1:81]}\nlisten: 127.0.0.1:81",
               "weir.yaml:1:29: upstream.urls[1]: \"http://127.0.0.1:81\" is Weir's own address "
               "(it listens on 127.0.0.1:81): every request would come back to it"},
              {"upstream: unix:/run/a\nlisten: [127.0.0.1:80, unix:/run/a]",
               "weir.yaml:1:11: upstream: \"unix:/run/a\" is Weir's own address (it listens on "
               "unix:/run/a): every request would come back to it"},
          });
  const std::string text = "upstream: http://127.0.0.1:8080\nroutes: [{match: /**}]\n";
  EXPECT_EQ(errors_of(load(text, {{}, "127.0.0.1:9000", {}})), "");
  EXPECT_EQ(errors_of(load(text, {"http://127.0.0.1:1", {}, {}})), "");
  EXPECT_EQ(errors_of(load(text, {"http://127.0.0.1:9000", "127.0.0.1:9000", {}})),
            "--upstream: \"http://127.0.0.1:9000\" is Weir's own address (it listens on "
            "127.0.0.1:9000): every request would come back to it\n");
}

TEST(LoadErrors, LimitsSection) {
  // Every bound has bounds.
  expect_each(
      kUpstream,
      {
          {"limits: 5",
           "weir.yaml:2:9: limits: expected a map such as {headers: 32KiB}, found \"5\""},
          {"limits: {request_line: 1}",
           "weir.yaml:2:24: limits.request_line: \"1\" is out of range (256B to 1MiB)"},
          {"limits: {header_count: -1}",
           "weir.yaml:2:24: limits.header_count: expected a number from 1 to 10000, found \"-1\""},
          {"limits: {send_timeout: 0}",
           "weir.yaml:2:24: limits.send_timeout: \"0\" is out of range (1ms to 1d)"},
          {"limits: {max_body: none}",
           "weir.yaml:2:20: limits.max_body: \"none\" is not a size (try 64MiB)"},
          {"limits: {fill_memory: 1KiB}",
           "weir.yaml:2:23: limits.fill_memory: \"1KiB\" is out of range (1MiB to 1TiB)"},
      });
}

TEST(LoadErrors, FlagsAndVariablesAreNamed) {
  // A fault from outside the file says who gave it.
  EXPECT_EQ(errors_of(load(kUpstream, {"nowhere", {}, {}})),
            "--upstream: \"nowhere\" is not the URL of an app (try http://127.0.0.1:8000)\n");
  EXPECT_EQ(errors_of(load(kUpstream, {{}, "8080", {}}, {{"WEIR_LISTEN", "8080"}})),
            "WEIR_LISTEN: \"8080\" is not an address to listen on (try 127.0.0.1:8080)\n");
  EXPECT_EQ(errors_of(load(kUpstream, {{}, {}, "0.0.0.0:1"})),
            "--admin: 0.0.0.0:1 can be reached from outside: give \"admin_token:\", or a loopback "
            "address such as 127.0.0.1:8081\n");
  EXPECT_EQ(errors_of(load("upstream: ${X}\n", {"http://a", {}, {}})),
            "weir.yaml:1:11: upstream: the variable X is not set (a default is written "
            "${X:-default})\n  upstream: ${X}\n            ^\n");
}

TEST(LoadErrors, KeysThatStandElsewhere) {
  expect_each(
      "upstream: http://a\n",
      {
          {"duration: 60",
           "weir.yaml:2:1: unknown key \"duration\" (it stands within `defaults:`, or a route's "
           "`cache:`)"},
          {"cache: true", "weir.yaml:2:1: unknown key \"cache\" (it stands in a route)"},
          {"max_size: 1GiB",
           "weir.yaml:2:1: unknown key \"max_size\" (it stands in one of the `backends:`)"},
          {"port: 80", "weir.yaml:2:1: unknown key \"port\" (did you mean \"listen\"?)"},
          {"routes: [{match: /a, duration: 60}]",
           "weir.yaml:2:22: routes[0]: unknown key \"duration\" (it stands within `cache:`)"},
          {"routes: [{match: /a, cache: {query: false}}]",
           "weir.yaml:2:30: routes[0].cache: unknown key \"query\" (did you mean "
           "\"query_params\"?)"},
      });
}

TEST(LoadErrors, BrokenYaml) {
  // The parser's own errors have a place too, and a tab is named as the culprit.
  EXPECT_EQ(
      errors_of(load("a: b: c\n")),
      "weir.yaml:1:5: not valid YAML: illegal map value (is this line indented deeper than its "
      "neighbours, or does the one before lack a colon with a blank behind it, or this one a "
      "dash?)\n  a: b: c\n      ^\n");
  EXPECT_EQ(errors_of(load("upstream: http://h\nroutes:\n\t- a\n")),
            "weir.yaml:3:2: not valid YAML: illegal block entry (a tab does not indent in YAML)\n"
            "   - a\n   ^\n");
  EXPECT_EQ(errors_of(load("limits: {headers: ${X:-1KiB}}\n")),
            "weir.yaml:1:20: not valid YAML: end of map flow not found (within braces and brackets "
            "a ${...} needs quotes)\n  limits: {headers: ${X:-1KiB}}\n                     ^\n");
  EXPECT_EQ(errors_of(load(std::string(2'000'000, '#'))),
            "weir.yaml: larger than 1MiB: not a configuration\n");
}

TEST(LoadErrors, BrokenYamlHints) {
  // What the parser says of the commonest slips is not what a person did.
  constexpr const char* kQuotes = " (a value that begins with * needs quotes, as in \"*.css\")";
  constexpr const char* kClose = " (is a { or [ before it not closed?)";
  constexpr const char* kIndent = " (is this line indented like its neighbours?)";
  const struct {
    const char* yaml;
    std::string error;
  } rows[] = {
      {"a: {host: *.example.com}\n",
       std::string("weir.yaml:1:11: not valid YAML: the referenced anchor is not defined") +
           kQuotes},
      {"a:\n  - **/x\n",
       std::string("weir.yaml:2:5: not valid YAML: the referenced anchor is not defined") +
           kQuotes},
      {"a:\n  - *\n",
       std::string("weir.yaml:2:6: not valid YAML: alias not found after *") + kQuotes},
      {"limits:\n    headers: 1KiB\n  max_body: 1\n",
       std::string("weir.yaml:3:3: not valid YAML: end of map not found") + kIndent},
      {"routes:\n    - a\n  - b\n",
       std::string("weir.yaml:3:3: not valid YAML: end of map not found") + kIndent},
      {"routes: [{match: /a}\nlisten: 1\n",
       std::string("weir.yaml:2:1: not valid YAML: end of sequence flow not found") + kClose},
      {"limits: {headers: 1KiB\n",
       std::string("weir.yaml:2:1: not valid YAML: end of map flow not found") + kClose},
      {"a:\n  - b: 1\n    c:\n    - d\n   e: 1\n",
       std::string("weir.yaml:5:4: not valid YAML: end of sequence not found") + kIndent},
  };
  for (const auto& row : rows) {
    const std::string errors = errors_of(load(row.yaml));
    EXPECT_EQ(errors.substr(0, errors.find('\n')), row.error) << row.yaml;
  }
}

TEST(LoadErrors, AreBounded) {
  // A wrong file of any size makes a readable number of errors.
  std::string text = kUpstream;
  for (int i = 0; i < 500; ++i) text += "key" + std::to_string(i) + ": 1\n";
  const LoadResult result = load(text);
  ASSERT_EQ(result.problems.size(), 101U);
  EXPECT_EQ(render(result.problems.back()), "weir.yaml: and 400 more errors\n");
}

}  // namespace
}  // namespace weir::conf
