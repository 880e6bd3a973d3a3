#include "proxy/config_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conf/load.h"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using enum BackendChange;

// Of several backends one has to be the default: the first, unless it says so.
std::string with_default(const std::string& yaml) {
  constexpr std::string_view kBegins = "backends: { ";
  const std::size_t at = yaml.find(kBegins);
  if (at == std::string::npos || yaml.contains("default:")) return yaml;
  const std::size_t name = at + kBegins.size();
  return yaml + (yaml.ends_with('\n') ? "" : "\n") +
         "default: " + yaml.substr(name, yaml.find(':', name) - name) + "\n";
}

conf::Config config_of(const std::string& yaml) {
  const auto nothing = [](const std::string&) { return std::optional<std::string>(); };
  const conf::LoadResult loaded = conf::load_text(
      "upstream: http://127.0.0.1:1\nroutes: []\n" + with_default(yaml), "weir.yaml", {}, nothing);
  EXPECT_TRUE(loaded.config) << (loaded.problems.empty() ? "" : conf::render(loaded.problems[0]));
  return loaded.config ? *loaded.config : conf::Config();
}

ConfigChange change(const std::string& now, const std::string& next) {
  return change_of(config_of(now), config_of(next));
}

TEST(ConfigChange, NothingChangesWhereBothSayTheSame) {
  const std::string yaml =
      "backends: { ram: { type: ram }, disk: { type: disk, cache_dir: /c } }\nlisten: "
      "[0.0.0.0:8080, "
      "0.0.0.0:8090]\n";
  const ConfigChange same = change(yaml, yaml);
  EXPECT_THAT(same.backends, ElementsAre(Kept, Kept));
  EXPECT_THAT(same.closed, IsEmpty());
  EXPECT_THAT(same.listen, ElementsAre(0U, 1U));
  EXPECT_THAT(same.closed_listen, IsEmpty());
  EXPECT_TRUE(same.same_admin && same.same_upstream && same.same_log_file &&
              same.same_trusted_fields);
  EXPECT_THAT(same.refused, IsEmpty());
  EXPECT_THAT(same.kept, IsEmpty());
}

TEST(ConfigChange, WhatBecomesOfBackends) {
  struct Row {
    const char* now;
    const char* next;
    std::vector<BackendChange> backends;
    std::vector<std::size_t> closed;
  };
  const Row rows[] = {
      {"a: {type: ram}", "a: {type: ram, max_size: 1GiB}", {Resized}, {}},
      {"a: {type: ram}", "a: {type: ram, threshold: 7}", {Resized}, {}},
      {"a: {type: ram}", "a: {type: ram, max_object_size: 1MiB}", {Resized}, {}},
      {"a: {type: ram}", "a: {type: ram, default_expire: 7}", {Resized}, {}},
      {"a: {type: ram}", "a: {type: ram, prefix: p}", {Opened}, {0}},
      {"a: {type: ram}", "b: {type: ram}", {Opened}, {0}},
      {"a: {type: ram}", "b: {type: ram}, a: {type: ram}", {Opened, Kept}, {}},
      {"a: {type: ram}, b: {type: ram}", "b: {type: ram}", {Kept}, {0}},
      {"a: {type: ram}", "a: {type: disk, cache_dir: /c}", {Opened}, {0}},
      {"a: {type: disk, cache_dir: /c}", "a: {type: ram}", {Opened}, {0}},
      {"d: {type: disk, cache_dir: /c}",
       "d: {type: disk, cache_dir: /c, max_size: 9GiB}",
       {Resized},
       {}},
      {"d: {type: disk, cache_dir: /c}",
       "d: {type: disk, cache_dir: /c, min_free: 0}",
       {Resized},
       {}},
      {"d: {type: disk, cache_dir: /c}",
       "d: {type: disk, cache_dir: /c}, e: {type: disk, cache_dir: /e}",
       {Kept, Opened},
       {}},
      {"d: {type: disk, cache_dir: /c}, e: {type: disk, cache_dir: /e}",
       "d: {type: disk, cache_dir: /c}, e: {type: disk, cache_dir: /f}",
       {Kept, Opened},
       {1}},
  };
  const auto in = [](const char* backends) {
    return "backends: { " + std::string(backends) + " }\n";
  };
  for (const Row& row : rows) {
    const ConfigChange out = change(in(row.now), in(row.next));
    EXPECT_EQ(out.backends, row.backends) << row.now << " -> " << row.next;
    EXPECT_EQ(out.closed, row.closed) << row.now << " -> " << row.next;
    EXPECT_THAT(out.refused, IsEmpty()) << row.now << " -> " << row.next;
  }
}

TEST(ConfigChange, WhatIsRefusedSaysWhyAndWhatToDo) {
  struct Row {
    const char* now;
    const char* next;
    const char* why;
  };
  const Row rows[] = {
      {"backends: { d: {type: disk, cache_dir: /c} }",
       "backends: { e: {type: disk, cache_dir: /c} }",
       "backends.e: its cache_dir /c is that of d now"},
      {"backends: { d: {type: disk, cache_dir: /c} }",
       "backends: { d: {type: disk, cache_dir: /c, prefix: p} }", "backends.d: its prefix"},
      {"backends: { d: {type: disk, cache_dir: /c} }",
       "backends: { d: {type: disk, cache_dir: /e} }",
       "with the first disk, which is d (/c) now and would be d (/e)"},
      {"backends: { d: {type: disk, cache_dir: /c}, e: {type: disk, cache_dir: /e} }",
       "backends: { e: {type: disk, cache_dir: /e}, d: {type: disk, cache_dir: /c} }",
       "with the first disk, which is d (/c) now and would be e (/e)"},
      {"backends: { d: {type: disk, cache_dir: /c}, e: {type: disk, cache_dir: /e} }",
       "backends: { e: {type: disk, cache_dir: /e} }", "which is d (/c) now and would be e (/e)"},
      {"listen: 127.0.0.1:8080\nadmin: 127.0.0.1:9090",
       "listen: 127.0.0.1:9090\nadmin: 127.0.0.1:8080", "listen: 127.0.0.1:9090 cannot be opened"},
      {"listen: 127.0.0.1:8080", "listen: 0.0.0.0:8080", "while 127.0.0.1:8080 is open"},
      {"listen: \"[::]:8080\"", "listen: \"[::1]:8080\"", "listen: [::1]:8080 cannot be opened"},
      {"listen: 0.0.0.0:8080\nadmin: off", "listen: 0.0.0.0:8081\nadmin: 127.0.0.1:8080",
       "admin: 127.0.0.1:8080 cannot be opened"},
      {"listen: unix:/a", "listen: 0.0.0.0:8080\nadmin: unix:/a",
       "admin: unix:/a cannot be opened"},
  };
  for (const Row& row : rows) {
    const ConfigChange out = change(row.now, row.next);
    ASSERT_FALSE(out.refused.empty()) << row.now << " -> " << row.next;
    EXPECT_THAT(out.refused.front(), HasSubstr(row.why));
    EXPECT_THAT(out.refused.front(), HasSubstr("restart"));
  }
}

TEST(ConfigChange, AddressesAreMatchedOnceEach) {
  using Matched = std::vector<std::optional<std::size_t>>;
  struct Row {
    const char* now;
    const char* next;
    Matched listen;
    std::vector<std::size_t> closed;
  };
  const Row rows[] = {
      {"[127.0.0.1:0]", "[127.0.0.1:0, 127.0.0.1:0]", {0, std::nullopt}, {}},
      {"[127.0.0.1:0, 127.0.0.1:0]", "[127.0.0.1:0]", {0}, {1}},
      {"[0.0.0.0:8080, 0.0.0.0:8090]", "[0.0.0.0:8090, 0.0.0.0:8070]", {1, std::nullopt}, {0}},
      {"[0.0.0.0:8080]", "[\"0.0.0.0:8080\"]", {0}, {}},  // said otherwise
      {"[\"0.0.0.0:8080\"]", "[\"0.0.0.0:8080\", \"[::]:8080\"]", {0, std::nullopt}, {}},
      {"[0.0.0.0:8080]", "[unix:/a]", {std::nullopt}, {0}},
  };
  const auto in = [](const char* list) {
    return "admin: off\nlisten: " + std::string(list) + "\n";
  };
  for (const Row& row : rows) {
    const ConfigChange out = change(in(row.now), in(row.next));
    EXPECT_EQ(out.listen, row.listen) << row.now << " -> " << row.next;
    EXPECT_EQ(out.closed_listen, row.closed) << row.now << " -> " << row.next;
    EXPECT_THAT(out.refused, IsEmpty()) << row.now << " -> " << row.next;
  }
}

TEST(ConfigChange, WhatElseIsMadeAnew) {
  struct Row {
    const char* next;
    bool ConfigChange::* same;
  };
  const Row rows[] = {
      {"limits: { response_headers: 1MiB }", &ConfigChange::same_upstream},
      {"access_log: { to: /a }", &ConfigChange::same_log_file},
      {"access_log: off", &ConfigChange::same_log_file},
      {"trusted_fields: [for]", &ConfigChange::same_trusted_fields},
      {"admin: off", &ConfigChange::same_admin},
      {"admin: 127.0.0.1:9", &ConfigChange::same_admin},
  };
  for (const Row& row : rows) EXPECT_FALSE(change("", row.next).*(row.same)) << row.next;
  EXPECT_TRUE(change("", "access_log: { format: combined }").same_log_file);
  EXPECT_TRUE(change("", "limits: { connections: 7 }").same_upstream);
  conf::Config other = config_of("");
  other.upstream.health.interval_ms += 1;
  EXPECT_FALSE(change_of(config_of(""), other).same_upstream);
  other = config_of("");
  other.upstream.urls[0].port += 1;
  EXPECT_FALSE(change_of(config_of(""), other).same_upstream);
}

TEST(ConfigChange, TheNumberOfWorkersStays) {
  const conf::Config now = config_of("workers: 2");
  const conf::Config next = config_of("workers: 5\npurge_allow: [loopback]");
  EXPECT_THAT(change_of(now, next).kept,
              ElementsAre("workers: there are 2, and 5 are wanted: restart for that"));
  EXPECT_EQ(in_force(now, next).workers, 2U);
  EXPECT_EQ(in_force(now, next).purge_allow.size(), next.purge_allow.size());
}

}  // namespace
}  // namespace weir
