// Requests for the tests of this folder, written as text: "GET /a?b HTTP/1.1\nName: value\n…".
// No strict parser: what a test writes is what the head holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/http/message.h"
#include "cachekeys/key_builder.h"
#include "cachekeys/recipe.h"
#include "cachekeys/sent_request.h"

namespace weir::keys {

struct TestRequest {
  explicit TestRequest(std::string_view text);
  TestRequest(const TestRequest&) = delete;
  TestRequest& operator=(const TestRequest&) = delete;

  std::string bytes;
  http::RequestHead head;
};

// A GET of `target` with these field lines.
std::string get(std::string_view target, std::string_view lines = {});

// The base key's bytes.
std::string key_of(const std::string& text, const Recipe& recipe, std::string_view scheme = "http");
KeyVerdict verdict_of(const TestRequest& request, const Recipe& recipe);
// The value of a field that is sent, "(absent)" when it is not; several lines joined by " | ".
std::string sent_field(const SentRequest& sent, std::string_view name);
SentRequest shared_of(const std::string& text, const Recipe& recipe);

// The key parts of a route's rule, for tests to name those that they speak of.
struct KeyRule {
  conf::QueryRule query_params = {};
  conf::LanguageRule language = {};
  bool hostname = true;
  std::vector<std::string> headers = {};
  conf::CookieRule cookies = {};
  std::vector<std::string> credentials = {};
  bool sealed = false;
};
// Compiled, with "fixed.test" as the Host of rules without hostname.
Recipe recipe_of(const KeyRule& rule);

}  // namespace weir::keys
