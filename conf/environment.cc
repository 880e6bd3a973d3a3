#include "conf/environment.h"

#include <fmt/format.h>

#include <fstream>
#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace weir::conf {
namespace {

constexpr std::size_t kMostSecretBytes = 4096;  // of its file

bool is_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  for (const char c : text) {
    const bool word =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!word) return false;
  }
  return true;
}

// `reference` is what stands between the braces.
Result<std::string> look_up(std::string_view reference, const Environment& environment) {
  const std::size_t mark = reference.find(":-");
  const std::string name(reference.substr(0, mark));
  if (!is_name(name)) {
    return fail(ErrorCode::Invalid, fmt::format("{} is not the name of a variable (write ${{NAME}} "
                                                "or ${{NAME:-default}}; $${{ is a plain ${{)",
                                                quote(name)));
  }
  const std::optional<std::string> value = environment(name);
  if (mark != std::string_view::npos && (!value || value->empty())) {
    return std::string(reference.substr(mark + 2));
  }
  if (value) return *value;
  return fail(ErrorCode::NotFound, fmt::format("the variable {} is not set (a default is written "
                                               "${{{}:-default}})",
                                               name, name));
}

}  // namespace

Result<std::string> expand(std::string_view text, const Environment& environment) {
  std::string out;
  while (true) {
    const std::size_t open = text.find("${");
    if (open == std::string_view::npos) break;
    if (open > 0 && text[open - 1] == '$') {
      out += text.substr(0, open - 1);
      out += "${";
      text.remove_prefix(open + 2);
      continue;
    }
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      return fail(ErrorCode::Invalid,
                  "\"${\" without \"}\" (write ${NAME} or ${NAME:-default}; $${ is a plain ${)");
    }
    Result<std::string> value = look_up(text.substr(open + 2, close - open - 2), environment);
    if (!value) return value;
    out += text.substr(0, open);
    out += *value;
    text.remove_prefix(close + 1);
  }
  out += text;
  return out;
}

std::optional<std::string> variable(const Environment& environment, const std::string& name) {
  std::optional<std::string> value = environment(name);
  return value && !value->empty() ? value : std::nullopt;
}

std::optional<Secret> secret(const Environment& environment, const std::string& name) {
  if (auto value = variable(environment, name)) return Secret{name, "", std::move(value)};
  const std::string of_file = name + "_FILE";
  const auto path = variable(environment, of_file);
  if (!path) return std::nullopt;
  std::ifstream file(*path);
  std::string text(kMostSecretBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  const bool is_whole = file.eof();
  text.resize(static_cast<std::size_t>(file.gcount()));
  const std::size_t end = text.find('\n');
  // It cannot be read, or its first line is none that a secret could have.
  if (!is_whole && end == std::string::npos) return Secret{of_file, *path, {}};
  return Secret{of_file, *path, std::string(trim_ows(text.substr(0, end)))};
}

}  // namespace weir::conf
