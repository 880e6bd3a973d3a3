#include "proxy/policy/invalidate.h"

#include <algorithm>
#include <optional>

#include "base/http/char_class.h"
#include "base/text.h"
#include "cachekeys/target.h"

namespace weir::policy {
namespace {

// A URI reference of the target's origin, taken apart (RFC 3986 4.1).
struct Reference {
  bool has_authority = false;
  std::string_view path;
  std::optional<std::string_view> query;
};

// Takes the scheme's name and its ':' off the front, if there is one.
std::optional<std::string_view> take_scheme(std::string_view& text) {
  const std::size_t mark = text.find_first_of(":/?");
  if (mark == text.npos || text[mark] != ':') return std::nullopt;
  const std::string_view scheme = text.substr(0, mark);
  text.remove_prefix(mark + 1);
  return scheme;
}

// Empty for one that is of another origin, or malformed.
std::optional<Reference> parse_reference(std::string_view text, const TargetUri& target) {
  text = text.substr(0, text.find('#'));
  // Browsers read a backslash as a slash, and with it another host or path.
  if (!http::all_chars(text, http::kTargetChar) || text.find('\\') != text.npos) {
    return std::nullopt;
  }
  Reference reference;
  const std::optional<std::string_view> scheme = take_scheme(text);
  if (scheme && !equals_ignore_case(*scheme, target.scheme)) return std::nullopt;
  reference.has_authority = text.starts_with("//");
  if (scheme && !reference.has_authority) return std::nullopt;  // "http:a" names no host
  if (reference.has_authority) {
    text.remove_prefix(2);
    const std::string_view authority = text.substr(0, text.find_first_of("/?"));
    if (authority.empty() || !keys::same_authority(target.scheme, authority, target.authority)) {
      return std::nullopt;
    }
    text.remove_prefix(authority.size());
  }
  const std::size_t mark = text.find('?');
  reference.path = text.substr(0, mark);
  if (mark != text.npos) reference.query = text.substr(mark + 1);
  return reference;
}

// RFC 3986 5.2.4, of a path that begins with a slash.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/', 1));  // its slash in front
    path.remove_prefix(segment.size());
    const bool up = segment == "/..";
    if (!up && segment != "/.") {
      out += segment;
      continue;
    }
    if (up && !out.empty()) out.resize(out.rfind('/'));
    if (path.empty()) out += '/';
  }
  return out;
}

// RFC 3986 5.2.2, and an empty path as the "/" that is asked for (RFC 9110 4.2.3).
InvalidatedUri resolve(const Reference& reference, const TargetUri& target) {
  InvalidatedUri uri{.authority = std::string(target.authority)};
  const bool is_target_path = reference.path.empty() && !reference.has_authority;
  const bool is_target_query = is_target_path && !reference.query;
  uri.has_query = is_target_query ? target.has_query : reference.query.has_value();
  uri.query = is_target_query ? target.query : reference.query.value_or("");
  if (is_target_path) {
    uri.path = target.path;
    return uri;
  }
  std::string path;
  if (reference.path.empty()) {
    path = "/";
  } else if (!reference.path.starts_with('/')) {
    path = target.path.substr(0, target.path.rfind('/') + 1);
  }
  path += reference.path;
  uri.path = without_dot_segments(path);
  return uri;
}

}  // namespace

std::vector<InvalidatedUri> invalidated_uris(http::Method method, const TargetUri& target,
                                             const http::ResponseHead& answer) {
  const bool is_error = answer.status < 200 || answer.status >= 400;
  // CONNECT and OPTIONS have targets without a path, which are no pages.
  if (http::is_safe(method) || is_error || !target.path.starts_with('/')) return {};
  std::vector<InvalidatedUri> uris = {resolve({}, target)};
  for (const http::FieldId id : {http::FieldId::Location, http::FieldId::ContentLocation}) {
    answer.fields.for_each([&](const http::FieldView& field) {
      if (field.id != id) return;
      const std::optional<Reference> reference = parse_reference(field.value, target);
      if (!reference) return;
      InvalidatedUri uri = resolve(*reference, target);
      if (std::ranges::find(uris, uri) == uris.end()) uris.push_back(std::move(uri));
    });
  }
  return uris;
}

}  // namespace weir::policy
