// JSON of the admin address: objects that are read strictly, and texts that are always valid UTF-8.
// Pure.
#pragma once

#include <expected>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

namespace weir::admin {

using Json = nlohmann::ordered_json;

// With a line's end. What is not UTF-8 is replaced.
std::string text_of(const Json& json);

// The same text, with what is not UTF-8 replaced.
std::string valid_utf8(std::string_view text);

struct JsonFault {
  std::string field;  // empty: the whole
  std::string message;
};

// An object with none but these fields; no name stands twice in it or in what it holds.
std::expected<Json, JsonFault> read_object(std::string_view text,
                                           std::span<const std::string_view> fields);

}  // namespace weir::admin
