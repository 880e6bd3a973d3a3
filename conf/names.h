// Lists of names, and what a name of each kind may hold. Every check returns a complaint or
// nothing; complaints read on behind the quoted name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/cursor.h"

namespace weir::conf {

using NameCheck = std::optional<std::string> (*)(std::string_view name);

std::optional<std::string> check_token(std::string_view name);      // RFC 9110 5.6.2
std::optional<std::string> check_parameter(std::string_view name);  // of a query, `*` allowed
std::optional<std::string> check_tag(std::string_view name);        // of a response
std::optional<std::string> check_language(std::string_view name);   // RFC 5646, by its shape
std::optional<std::string> check_key_header(std::string_view name);
std::optional<std::string> check_backend_name(std::string_view name);

// One name; an error is noted when it is no scalar or the check complains.
std::optional<std::string> read_name(const Cursor& cursor, NameCheck check);
// A list of them, each once; `expected` as in "expected a list such as [a, b]".
enum class Case : std::uint8_t { Matters, Ignored };
std::vector<std::string> read_names(const Cursor& cursor, std::string_view expected,
                                    NameCheck check, Case letters = Case::Matters);

// The backends that a file declares, broken ones included so that one fault makes one error.
struct BackendNames {
  std::vector<std::string> names;
};
// A backend's name, or a list of them, nearest first; empty after an error.
std::vector<std::string> read_tiers(const Cursor& cursor, const BackendNames& backends);

}  // namespace weir::conf
