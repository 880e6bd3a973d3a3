#include "cachekeys/key_builder.h"

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "cachekeys/accept.h"
#include "cachekeys/cookies.h"
#include "cachekeys/field_lines.h"
#include "cachekeys/normalize.h"
#include "cachekeys/personal.h"
#include "cachekeys/query.h"
#include "cachekeys/target.h"

namespace weir::keys {
namespace {

// The version, and the rule's fingerprint in little endian.
void append_preamble(std::uint64_t fingerprint, std::string& out) {
  char bytes[9] = {kBaseKeyVersion};
  for (int i = 0; i < 8; ++i) bytes[1 + i] = static_cast<char>(fingerprint >> (8 * i));
  out.append(bytes, sizeof bytes);
}

// purge_name.h reads it back: authority, path and query stay together, in this order.
void append_url(const http::RequestHead& head, const Recipe& recipe, const Destination& destination,
                KeyBuffer& out) {
  out.append(destination.scheme);
  std::size_t at = out.open_field();
  if (recipe.hostname) append_authority(destination.scheme, destination.authority, out.raw());
  out.close_field(at);
  at = out.open_field();
  append_path(head, out.raw());
  out.close_field(at);
  at = out.open_field();
  append_key_query(head.query, recipe.query, out.raw());
  if (is_empty_query(head)) out.raw().push_back('&');  // which no other query's form is
  out.close_field(at);
}

void append_keyed_headers(const http::RequestHead& head, const Recipe& recipe, KeyBuffer& out) {
  for (std::size_t i = 0; i < recipe.headers.size(); ++i) {
    const std::string& name = recipe.headers[i];
    if (recipe.header_ids[i] == http::FieldId::AcceptEncoding) {  // as it is sent
      const std::size_t mark = out.raw().size();
      out.append(name);
      const std::size_t at = out.open_field();
      append_accept_encoding(head, out.raw());
      out.close_field(at);
      if (out.raw().size() == at) out.raw().resize(mark);
      continue;
    }
    for_each_line(head, recipe.header_ids[i], name, [&](std::string_view value) {
      out.append(name);
      out.append(value);
    });
  }
}

void append_accept(const http::RequestHead& head, const Recipe& recipe, KeyBuffer& out) {
  if (!head.has(http::FieldId::Accept) || recipe.keys(http::FieldId::Accept)) return;
  const std::size_t mark = out.raw().size();
  out.append("accept");
  const std::size_t at = out.open_field();
  append_accept_kind(head, out.raw());
  out.close_field(at);
  if (out.raw().size() == at) out.raw().resize(mark);
}

bool lower_less(std::string_view a, std::string_view b) {
  return std::ranges::lexicographical_compare(a, b, {}, ascii_lower, ascii_lower);
}

// In the order of their names, so that it does not matter in which order a client sends them.
void append_framework(const http::RequestHead& head, std::vector<http::FieldView>& fields,
                      KeyBuffer& out) {
  if (fields.empty()) return;
  std::ranges::sort(fields, [](const http::FieldView& a, const http::FieldView& b) {
    if (equals_ignore_case(a.name, b.name)) return std::less<>{}(a.name.data(), b.name.data());
    return lower_less(a.name, b.name);
  });
  for (const http::FieldView& field : fields) {
    if (taken_back(head, field.name)) continue;
    const std::size_t at = out.open_field();
    append_lower(out.raw(), field.name);
    out.close_field(at);
    out.append(field.value);
  }
}

// What a proxy said beside scheme and authority, and the Host that the app is sent where it differs
// from what the proxy said. What `headers` names is there already.
void append_told(const http::RequestHead& head, const Recipe& recipe,
                 const Destination& destination, KeyBuffer& out) {
  const std::string_view scheme = destination.scheme;
  if (destination.is_told && recipe.hostname &&
      !same_authority(scheme, head.authority, destination.authority)) {
    out.append("host");
    const std::size_t at = out.open_field();
    append_authority(scheme, head.authority, out.raw());
    out.close_field(at);
  }
  const auto append_lines = [&](http::FieldId id, std::string_view name) {
    if (recipe.keys(id)) return;
    for_each_line(head, id, [&](std::string_view value) {
      out.append(name);
      out.append(value);
    });
  };
  if (destination.port) append_lines(http::FieldId::XForwardedPort, "x-forwarded-port");
  if (destination.prefix) append_lines(http::FieldId::XForwardedPrefix, "x-forwarded-prefix");
}

}  // namespace

KeyVerdict build_key(const http::RequestHead& head, const Recipe& recipe,
                     const Destination& destination, KeyBuffer& out) {
  thread_local std::vector<http::FieldView> framework;
  framework.clear();
  const KeyVerdict fields = scan_fields(head, recipe, framework);

  out.clear();
  append_preamble(recipe.fingerprint, out.raw());
  append_url(head, recipe, destination, out);
  const std::size_t language = out.open_field();
  if (!recipe.keys(http::FieldId::AcceptLanguage)) {
    append_language(head, recipe.language, out.raw());
  }
  out.close_field(language);
  append_keyed_headers(head, recipe, out);
  append_accept(head, recipe, out);
  append_framework(head, framework, out);
  append_told(head, recipe, destination, out);
  out.append({});  // no field has an empty name: the cookies begin here
  for (const Cookie& cookie : keyed_cookies(head, recipe.cookies)) {
    out.append(cookie.name);
    out.append(cookie.value);
  }
  out.seal();
  return with_cookies(head, recipe, fields);
}

}  // namespace weir::keys
