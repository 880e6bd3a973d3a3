#include "tests/cachekeys/request.h"

#include "base/text.h"

namespace weir::keys {
namespace {

void set_target(std::string_view target, http::RequestHead& head) {
  head.target = target;
  const std::size_t mark = target.find('?');
  head.path = target.substr(0, mark);
  head.has_query = mark != target.npos;
  if (head.has_query) head.query = target.substr(mark + 1);
}

}  // namespace

TestRequest::TestRequest(std::string_view text) : bytes(text) {
  std::string_view rest = bytes;
  bool first = true;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
    if (first) {
      const std::size_t space = line.find(' ');
      head.method_text = line.substr(0, space);
      head.method = http::parse_method(head.method_text);
      set_target(line.substr(space + 1, line.rfind(' ') - space - 1), head);
      first = false;
    } else if (const std::size_t colon = line.find(':'); colon != line.npos) {
      const std::string_view name = line.substr(0, colon);
      head.add({http::field_id(name), name, trim_ows(line.substr(colon + 1))});
    }
  }
  head.authority = head.value(http::FieldId::Host);
}

std::string get(std::string_view target, std::string_view lines) {
  return "GET " + std::string(target) + " HTTP/1.1\nHost: a.test\n" + std::string(lines);
}

std::string key_of(const std::string& text, const Recipe& recipe, std::string_view scheme) {
  const TestRequest request(text);
  KeyBuffer key;
  build_key(request.head, recipe, {.scheme = scheme, .authority = request.head.authority}, key);
  return std::string(key.view().bytes);
}

KeyVerdict verdict_of(const TestRequest& request, const Recipe& recipe) {
  KeyBuffer key;
  return build_key(request.head, recipe, {.authority = request.head.authority}, key);
}

std::string sent_field(const SentRequest& sent, std::string_view name) {
  std::string joined = "(absent)";
  bool found = false;
  sent.fields.for_each([&](const http::FieldView& field) {
    if (!equals_ignore_case(field.name, name)) return;
    joined = found ? joined + " | " : std::string{};
    joined.append(field.value);
    found = true;
  });
  return joined;
}

SentRequest shared_of(const std::string& text, const Recipe& recipe) {
  const TestRequest request(text);
  return shared_request(request.head, recipe, {.authority = request.head.authority});
}

Recipe recipe_of(const KeyRule& rule) {
  conf::CacheRule whole;
  whole.query_params = rule.query_params;
  whole.language = rule.language;
  whole.hostname = rule.hostname;
  whole.headers = rule.headers;
  whole.cookies = rule.cookies;
  whole.credentials = rule.credentials;
  whole.sealed = rule.sealed;
  return compile_recipe(whole, "fixed.test");
}

}  // namespace weir::keys
