// Requests and answers in one line each, for the policy's tests.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "base/http/date.h"
#include "proxy/policy/storable.h"

namespace weir::policy {

// Makes failures readable.
inline void PrintTo(Reason reason, std::ostream* out) {
  *out << (reason == Reason::None ? std::string_view("(none)") : token(reason));
}

using Lines = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::int64_t kWall_s = 1'750'000'000;
inline constexpr std::int64_t kNow_ms = kWall_s * 1000;

// A Date or Expires this many seconds from the tests' now.
inline std::string date(std::int64_t offset_s) {
  return http::format_date(kWall_s + offset_s);
}

inline http::ResponseHead answer(const Lines& lines, int status = 200) {
  http::ResponseHead head;
  head.status = static_cast<std::uint16_t>(status);
  head.framing = http::Framing::Length;
  head.content_length = 100;
  for (const auto& [name, value] : lines) head.fields.add(name, value);
  return head;
}

// `lines` must outlive the head.
inline http::RequestHead request(const Lines& lines, std::string_view method = "GET") {
  http::RequestHead head;
  head.method_text = method;
  head.method = http::parse_method(method);
  head.path = "/";
  for (const auto& [name, value] : lines) head.add({http::field_id(name), name, value});
  return head;
}

inline conf::CacheRule rule_of(std::int64_t duration_s) {
  conf::CacheRule rule;
  rule.duration = {conf::Duration::Kind::Seconds, duration_s};
  return rule;
}

inline ResponseContext context_of(const conf::CacheRule& rule) {
  ResponseContext context;
  context.rule = &rule;
  context.max_object_size = 1000;
  context.path = "/page";
  context.now_ms = kNow_ms;
  context.wall_s = kWall_s;
  context.request_ms = kNow_ms;
  return context;
}

inline ResponseContext personal(const conf::CacheRule& rule, Reason reason = Reason::Cookie,
                                std::string_view subject = "sid") {
  ResponseContext context = context_of(rule);
  context.request_class = RequestClass::Personal;
  context.personal = {reason, std::string(subject)};
  return context;
}

inline StoreVerdict judge(const Lines& lines, const conf::CacheRule& rule) {
  return judge_response(answer(lines), context_of(rule));
}

}  // namespace weir::policy
