#include "proxy/admin/explain_body.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/text.h"

namespace weir::admin {
namespace {

constexpr std::array<std::string_view, 3> kFields = {"url", "method", "headers"};
constexpr std::string_view kHeaders =
    "is an object of names and values, or a list such as [\"Accept-Language: de\"]";

using Headers = std::vector<std::pair<std::string, std::string>>;

bool add_line(const Json& line, Headers& out) {
  if (!line.is_string()) return false;
  const std::string text = line.get<std::string>();
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return false;
  out.emplace_back(text.substr(0, colon), trim_ows(std::string_view(text).substr(colon + 1)));
  return true;
}

// A value, or a list of them for a name that comes several times.
bool add_named(const std::string& name, const Json& value, Headers& out) {
  if (value.is_string()) {
    out.emplace_back(name, value.get<std::string>());
    return true;
  }
  if (!value.is_array()) return false;
  for (const Json& one : value) {
    if (!one.is_string()) return false;
    out.emplace_back(name, one.get<std::string>());
  }
  return true;
}

std::optional<Headers> read_headers(const Json& json) {
  Headers out;
  if (json.is_array()) {
    for (const Json& line : json) {
      if (!add_line(line, out)) return std::nullopt;
    }
    return out;
  }
  if (!json.is_object()) return std::nullopt;
  for (const auto& [name, value] : json.items()) {
    if (!add_named(name, value, out)) return std::nullopt;
  }
  return out;
}

std::unexpected<JsonFault> fault(std::string_view field, std::string_view message) {
  return std::unexpected(JsonFault{std::string(field), std::string(message)});
}

}  // namespace

std::expected<flow::Question, JsonFault> read_explain(std::string_view body) {
  const auto json = read_object(body, kFields);
  if (!json) return std::unexpected(json.error());
  flow::Question question;
  if (!json->contains("url")) return fault("url", "is missing: which URL is to be explained?");
  for (const auto& [name, value] : json->items()) {
    if (name == "headers") continue;
    if (!value.is_string()) return fault(name, "is a text");
    (name == "url" ? question.url : question.method) = value.get<std::string>();
  }
  if (json->contains("headers")) {
    auto headers = read_headers((*json)["headers"]);
    if (!headers) return fault("headers", kHeaders);
    question.headers = std::move(*headers);
  }
  return question;
}

std::string explain_body(const flow::Question& question) {
  Json out;
  out["url"] = question.url;
  out["method"] = question.method;
  out["headers"] = Json::array();
  for (const auto& [name, value] : question.headers) {
    out["headers"].push_back(fmt::format("{}: {}", name, value));
  }
  return text_of(out);
}

}  // namespace weir::admin
