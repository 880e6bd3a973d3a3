#include <gtest/gtest.h>

#include "tests/conf/load_support.h"

namespace weir::conf {
namespace {

TEST(LoadRuleErrors, Routes) {
  // What matches, and how routes are written.
  expect_each(
      std::string(kUpstream) + "routes:\n  - ",
      {
          {"hello",
           "weir.yaml:3:5: routes[0]: expected a map such as {match: /blog/**, cache: true}, found "
           "\"hello\""},
          {"{cache: true}", "weir.yaml:3:5: routes[0]: match is missing (/** matches everything)"},
          {"{match: /a, cahce: true}",
           "weir.yaml:3:17: routes[0]: unknown key \"cahce\" (did you mean \"cache\"?)"},
          {"{match: }",
           "weir.yaml:3:6: routes[0].match: expected a path pattern such as /blog/**, or a map "
           "{path, regex, host, method}, found nothing"},
          {"{match: []}", "weir.yaml:3:13: routes[0].match: matches nothing: the list is empty"},
          {"{match: {}}",
           "weir.yaml:3:13: routes[0].match: is empty: give path, regex, host or method (/** "
           "matches everything)"},
          {"{match: ''}",
           "weir.yaml:3:13: routes[0].match: is empty (expected a path pattern such as /blog/**)"},
          {"{match: '/a?b'}",
           "weir.yaml:3:13: routes[0].match: \"/a?b\" is not a path pattern (a path holds no query "
           "and no fragment)"},
          {"{match: '/{a,b}'}",
           "weir.yaml:3:13: routes[0].match: \"/{a,b}\" is not a path pattern (only * and ** are "
           "special: write a list of patterns, or a regex)"},
          {"{match: /a***}",
           "weir.yaml:3:13: routes[0].match: \"/a***\" is not a path pattern (`*` stays within a "
           "segment, `**` crosses them)"},
          {"{match: \"/a\\x01\"}",
           "weir.yaml:3:13: routes[0].match: \"/a\\x01\" is not a path pattern (it holds control "
           "characters)"},
          {"{match: http://a/b}",
           "weir.yaml:3:13: routes[0].match: \"http://a/b\" is not a path pattern (it begins with "
           "\"/\": try /blog/**)"},
          {"{match: {regex: 'a(b'}}",
           "weir.yaml:3:21: routes[0].match.regex: \"a(b\" is not a regular expression: missing ): "
           "a(b"},
          {"{match: {host: 'a:80'}}",
           "weir.yaml:3:20: routes[0].match.host: \"a:80\" is not a host pattern (a host without "
           "scheme and port)"},
          {"{match: {host: a/b}}",
           "weir.yaml:3:20: routes[0].match.host: \"a/b\" is not a host pattern (try example.org "
           "or \"*.example.org\")"},
          {"{match: {method: get}}",
           "weir.yaml:3:22: routes[0].match.method: \"get\" is not a method (they are upper case: "
           "GET)"},
          {"{match: {method: GET, methods: [GET]}}",
           "weir.yaml:3:27: routes[0].match.methods: give method or methods, not both"},
          {"{match: {paht: /a}}",
           "weir.yaml:3:14: routes[0].match: unknown key \"paht\" (did you mean \"path\"?)"},
          {"{match: /a, name: ''}",
           "weir.yaml:3:23: routes[0].name: \"\" is not a name for a route (1 to 128 printable "
           "characters)"},
          {"{match: /a, routes: {}}",
           "weir.yaml:3:25: routes[0].routes: expected a list such as [{match: /blog/**, "
           "cache: true}], found a map"},
          {"{match: /a, cache: yes please}",
           "weir.yaml:3:24: routes[0].cache: expected true, false or a map such as {duration: "
           "60s}, found \"yes please\""},
          {"{match: /a, cache: }",
           "weir.yaml:3:17: routes[0].cache: expected true, false or a map such as {duration: "
           "60s}, found nothing"},
          {"{match: /a, routes: [{match: b}]}",
           "weir.yaml:3:34: routes[0].routes[0].match: \"b\" is not a path pattern (it begins with "
           "\"/\": try /b)"},
      });
}

TEST(LoadRuleErrors, WhatNamesAResponse) {
  // The keys of `cache:` for lifetimes and keys, where they stand in `defaults:`.
  expect_each(
      std::string(kUpstream) + "defaults:\n  ",
      {
          {"duration: 60x",
           "weir.yaml:3:13: defaults.duration: \"60x\" is not a duration (try 30s; the units are "
           "ms, s, m, h and d)"},
          {"duration: defualt",
           "weir.yaml:3:13: defaults.duration: \"defualt\" is not a duration (did you mean "
           "\"default\"?)"},
          {"duration: 1500ms",
           "weir.yaml:3:13: defaults.duration: 1500ms is not a whole number of seconds"},
          {"duration: off",
           "weir.yaml:3:13: defaults.duration: a duration is never off (to store nothing: cache: "
           "false)"},
          {"duration: [1]",
           "weir.yaml:3:13: defaults.duration: expected a duration such as 60s, default or app, "
           "found a list"},
          {"query_params: maybe",
           "weir.yaml:3:17: defaults.query_params: expected true, false, a list such as [page], or "
           "a map such as {ignore: [ref]}, found \"maybe\""},
          {"query_params: [a=b]",
           "weir.yaml:3:18: defaults.query_params[0]: \"a=b\" is not the name of a query "
           "parameter"},
          {"query_params: {tracking: kep}",
           "weir.yaml:3:28: defaults.query_params.tracking: unknown value \"kep\" (did you mean "
           "\"keep\"?)"},
          {"language: no",
           "weir.yaml:3:13: defaults.language: \"no\" may be Norwegian: write [no], or false"},
          {"language: en",
           "weir.yaml:3:13: defaults.language: expected true, false or a list such as [en, it], "
           "found \"en\""},
          {"language: [en, e_n]",
           "weir.yaml:3:18: defaults.language[1]: \"e_n\" is not a language (try en or pt-BR)"},
          {"language: [en, EN]", "weir.yaml:3:18: defaults.language[1]: \"EN\" is listed twice"},
          {"language: []",
           "weir.yaml:3:13: defaults.language: needs at least one language (try [en], or false)"},
          {"hostname: 1", "weir.yaml:3:13: defaults.hostname: expected true or false, found \"1\""},
          {"headers: [Connection]",
           "weir.yaml:3:13: defaults.headers[0]: \"Connection\" belongs to one connection and "
           "cannot be in a key"},
          {"headers: [X Y]",
           "weir.yaml:3:13: defaults.headers[0]: \"X Y\" is not a name (letters, digits and "
           "!#$%&'*+-.^_`|~ only)"},
          {"headers: ['X-*']",
           "weir.yaml:3:13: defaults.headers[0]: \"X-*\" is not the name of one header (no * "
           "here)"},
          {"headers: [X-A, x-a]", "weir.yaml:3:18: defaults.headers[1]: \"x-a\" is listed twice"},
          {"headers: X-A",
           "weir.yaml:3:12: defaults.headers: expected a list such as [X-Tenant], found \"X-A\""},
      });
}

TEST(LoadRuleErrors, WhichCookiesMatter) {
  expect_each(
      std::string(kUpstream) + "defaults:\n  ",
      {
          {"cookies: ignor",
           "weir.yaml:3:12: defaults.cookies: unknown value \"ignor\" (did you mean \"ignore\"?)"},
          {"cookies: theme",
           "weir.yaml:3:12: defaults.cookies: unknown value \"theme\" (bypass, ignore or a list "
           "such as [theme])"},
          {"cookies: {key: [a], session: [a]}",
           "weir.yaml:3:32: defaults.cookies.session: \"a\" is in key as well: it either names the "
           "response or bypasses the cache"},
          {"cookies: {key: [a], ignore: [b, a]}",
           "weir.yaml:3:31: defaults.cookies.ignore: \"a\" is in key as well: it either names the "
           "response or does not matter"},
          {"cookies: {session: [a], ignore: [a]}",
           "weir.yaml:3:35: defaults.cookies.ignore: \"a\" is in session as well: it either "
           "bypasses the cache or does not matter"},
          {"cookies: {ignore: a}",
           "weir.yaml:3:21: defaults.cookies.ignore: expected a list such as [seen_banner], found "
           "\"a\""},
          {"cookies: {other: maybe}",
           "weir.yaml:3:20: defaults.cookies.other: unknown value \"maybe\" (bypass or ignore)"},
          {"cookies: [a;b]",
           "weir.yaml:3:13: defaults.cookies[0]: \"a;b\" is not a name (letters, digits and "
           "!#$%&'*+-.^_`|~ only)"},
      });
}

TEST(LoadRuleErrors, WhatIsStored) {
  // The keys of `cache:` that say what becomes of a response.
  expect_each(
      std::string(kUpstream) + "defaults:\n  ",
      {
          {"backend: disc", "weir.yaml:3:12: defaults.backend: no backend is named \"disc\" (ram)"},
          {"origin: hnor",
           "weir.yaml:3:11: defaults.origin: unknown value \"hnor\" (did you mean \"honor\"?)"},
          {"origin: whatever",
           "weir.yaml:3:11: defaults.origin: unknown value \"whatever\" (honor, framework, cap or "
           "override)"},
          {"statuses: 200",
           "weir.yaml:3:13: defaults.statuses: expected a list such as [200, 404] or a map such as "
           "{404: 10s}, found \"200\""},
          {"statuses: []",
           "weir.yaml:3:13: defaults.statuses: needs at least one status (try [200])"},
          {"statuses: [206]", "weir.yaml:3:14: defaults.statuses[0]: a 206 is never stored"},
          {"statuses: {304: 1s}", "weir.yaml:3:14: defaults.statuses.304: a 304 is never stored"},
          {"statuses: {103: 1s}", "weir.yaml:3:14: defaults.statuses.103: a 103 is never stored"},
          {"statuses: [2xx]",
           "weir.yaml:3:14: defaults.statuses[0]: \"2xx\" is not a status (200 to 599)"},
          {"statuses: [503]",
           "weir.yaml:3:14: defaults.statuses[0]: a 503 is stored with the app's own freshness "
           "only (statuses: {503: explicit})"},
          {"statuses: {503: 10s}",
           "weir.yaml:3:19: defaults.statuses.503: a 503 is stored with the app's own freshness "
           "only (statuses: {503: explicit})"},
          {"statuses: {404: soon}",
           "weir.yaml:3:19: defaults.statuses.404: \"soon\" is not a duration (try 30s; the units "
           "are ms, s, m, h and d)"},
          {"set_cookie: keep",
           "weir.yaml:3:15: defaults.set_cookie: unknown value \"keep\" (refuse, strip or store)"},
          {"set_cookie: {}",
           "weir.yaml:3:15: defaults.set_cookie: strip is missing (try {strip: [visit_id]})"},
          {"tags: [a b]",
           "weir.yaml:3:10: defaults.tags[0]: \"a b\" is not a tag (visible ASCII without commas, "
           "at most 256)"},
          {"stale_if_error: forever",
           "weir.yaml:3:19: defaults.stale_if_error: \"forever\" is not a duration (try 30s; the "
           "units are ms, s, m, h and d)"},
          {"stale_after: 0",
           "weir.yaml:3:16: defaults.stale_after: \"0\" is out of range (1ms to 1d)"},
          {"client_no_cache: honour",
           "weir.yaml:3:20: defaults.client_no_cache: unknown value \"honour\" (did you mean "
           "\"honor\"?)"},
          {"credentials: X-Token",
           "weir.yaml:3:16: defaults.credentials: expected a list such as [X-Session-Token], found "
           "\"X-Token\""},
          {"max_variants: 0",
           "weir.yaml:3:17: defaults.max_variants: expected a number from 1 to 1000, found \"0\""},
          {"durration: 60",
           "weir.yaml:3:3: defaults: unknown key \"durration\" (did you mean \"duration\"?)"},
          {"ttl: 60", "weir.yaml:3:3: defaults: unknown key \"ttl\" (did you mean \"duration\"?)"},
          {"max_age: 60",
           "weir.yaml:3:3: defaults: unknown key \"max_age\" (did you mean \"duration\"?)"},
          {"expires: 60",
           "weir.yaml:3:3: defaults: unknown key \"expires\" (did you mean \"duration\"?)"},
      });
}

}  // namespace
}  // namespace weir::conf
