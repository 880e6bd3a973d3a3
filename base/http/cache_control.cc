#include "base/http/cache_control.h"

#include <algorithm>
#include <limits>

#include "base/http/structured_dictionary.h"
#include "base/text.h"

namespace weir::http {
namespace {

// What RFC 9111 1.2.2 lets stand for everything longer: 68 years.
constexpr std::int64_t kMaxDelta_s = std::int64_t{1} << 31;

struct Directive {
  std::string_view name;
  std::string value;  // unquoted
  bool has_value = false;
  bool well_formed = true;  // no stray bytes around the value
};

// The directives of one field value, one after the other. A quote opens a string only behind "=",
// and an unclosed one opens nothing, so that no directive can hide behind a stray quote.
class DirectiveReader {
 public:
  explicit DirectiveReader(std::string_view text) : rest_(text) {}

  // False at the end.
  bool next(Directive& out) {
    while (!rest_.empty()) {
      out = {};
      const auto stop = std::ranges::find_if(rest_, [](char c) { return c == '=' || c == ','; });
      out.name = trim_ows({rest_.begin(), stop});
      const bool has_value = stop != rest_.end() && *stop == '=';
      rest_ = {stop, rest_.end()};
      if (has_value) {
        rest_.remove_prefix(1);
        read_value(out);
        rest_.remove_prefix(std::min(rest_.size(), rest_.find(',')));
      }
      if (!rest_.empty()) rest_.remove_prefix(1);
      if (!out.name.empty()) return true;
    }
    return false;
  }

 private:
  void read_value(Directive& out) {
    out.has_value = true;
    if (rest_.starts_with('"') && read_quoted(out)) return;
    out.value = rest_.substr(0, rest_.find(','));
  }

  bool read_quoted(Directive& out) {
    std::size_t at = 1;
    for (; at < rest_.size() && rest_[at] != '"'; ++at) {
      if (rest_[at] == '\\') ++at;
      if (at < rest_.size()) out.value += rest_[at];
    }
    if (at >= rest_.size()) {
      out.value.clear();
      return false;
    }
    rest_.remove_prefix(at + 1);
    out.well_formed = trim_ows(rest_.substr(0, rest_.find(','))).empty();
    return true;
  }

  std::string_view rest_;
};

// RFC 9111 1.2.2 and 4.2.1: too large is very large, malformed is stale.
std::int64_t delta_seconds(const Directive& directive) {
  // OWS at the end stands before a comma; at the front it is a fault.
  const std::string_view text(directive.value);
  const std::string_view digits =
      text.starts_with(' ') || text.starts_with('\t') ? text : trim_ows(text);
  if (!directive.well_formed || !is_decimal(digits)) return 0;
  const auto value = parse_decimal(digits);
  return value && *value < static_cast<std::uint64_t>(kMaxDelta_s)
             ? static_cast<std::int64_t>(*value)
             : kMaxDelta_s;
}

void lower_to(std::optional<std::int64_t>& slot, std::int64_t value) {
  slot = slot ? std::min(*slot, value) : value;
}

void raise_to(std::optional<std::int64_t>& slot, std::int64_t value) {
  slot = slot ? std::max(*slot, value) : value;
}

void add_field_names(std::string_view list, std::vector<std::string>& out) {
  for_each_list_element(list, [&out](std::string_view name) { out.push_back(to_lower(name)); });
}

// no-cache="a, b" forbids the reuse of those fields only; without a name it forbids all.
void qualify_no_cache(std::string_view list, ResponseCacheControl& out) {
  const std::size_t before = out.no_cache_fields.size();
  add_field_names(list, out.no_cache_fields);
  if (out.no_cache_fields.size() == before) out.no_cache = true;
}

bool* flag_of(std::string_view name, ResponseCacheControl& out) {
  if (equals_ignore_case(name, "no-store")) return &out.no_store;
  if (equals_ignore_case(name, "private")) return &out.is_private;
  if (equals_ignore_case(name, "public")) return &out.is_public;
  if (equals_ignore_case(name, "must-revalidate")) return &out.must_revalidate;
  if (equals_ignore_case(name, "proxy-revalidate")) return &out.proxy_revalidate;
  if (equals_ignore_case(name, "must-understand")) return &out.must_understand;
  if (equals_ignore_case(name, "no-transform")) return &out.no_transform;
  if (equals_ignore_case(name, "immutable")) return &out.immutable;
  return nullptr;
}

std::optional<std::int64_t>* delta_of(std::string_view name, ResponseCacheControl& out) {
  if (equals_ignore_case(name, "max-age")) return &out.max_age_s;
  if (equals_ignore_case(name, "s-maxage")) return &out.s_maxage_s;
  if (equals_ignore_case(name, "stale-while-revalidate")) return &out.stale_while_revalidate_s;
  if (equals_ignore_case(name, "stale-if-error")) return &out.stale_if_error_s;
  return nullptr;
}

void apply(const Directive& directive, ResponseCacheControl& out) {
  if (bool* flag = flag_of(directive.name, out)) {
    *flag = true;
  } else if (auto* delta = delta_of(directive.name, out)) {
    lower_to(*delta, delta_seconds(directive));
  } else if (equals_ignore_case(directive.name, "no-cache")) {
    if (directive.has_value && directive.well_formed) {
      qualify_no_cache(directive.value, out);
    } else {
      out.no_cache = true;
    }
  }
}

void apply(const Directive& directive, RequestCacheControl& out) {
  if (equals_ignore_case(directive.name, "max-age")) {
    lower_to(out.max_age_s, delta_seconds(directive));
  } else if (equals_ignore_case(directive.name, "min-fresh")) {
    raise_to(out.min_fresh_s, delta_seconds(directive));
  } else if (equals_ignore_case(directive.name, "max-stale")) {
    lower_to(out.max_stale_s, directive.has_value ? delta_seconds(directive)
                                                  : std::numeric_limits<std::int64_t>::max());
  } else if (equals_ignore_case(directive.name, "no-cache")) {
    out.no_cache = true;
  } else if (equals_ignore_case(directive.name, "no-store")) {
    out.no_store = true;
  } else if (equals_ignore_case(directive.name, "only-if-cached")) {
    out.only_if_cached = true;
  }
}

// RFC 9213 2.1: a member of another type than its directive's is passed over, except that one
// which restricts counts in whatever form it comes.
void apply_member(const DictionaryMember& member, ResponseCacheControl& out) {
  if (member.type == ItemType::Boolean && !member.boolean) return;
  if (member.key == "no-cache") {
    const bool names = member.type == ItemType::String || member.type == ItemType::Token;
    qualify_no_cache(names ? std::string_view(member.text) : std::string_view{}, out);
  } else if (bool* flag = flag_of(member.key, out)) {
    const bool restricts = flag != &out.is_public && flag != &out.immutable;
    if (restricts || member.type == ItemType::Boolean) *flag = true;
  } else if (auto* delta = delta_of(member.key, out)) {
    if (member.type == ItemType::Integer) {
      *delta = std::clamp<std::int64_t>(member.integer, 0, kMaxDelta_s);
    }
  }
}

}  // namespace

ResponseCacheControl parse_response_cache_control(const HeaderBlock& fields, FieldId id) {
  ResponseCacheControl out;
  fields.for_each([&](const FieldView& field) {
    if (field.id != id) return;
    out.any = true;
    Directive directive;
    for (DirectiveReader reader(field.value); reader.next(directive);) apply(directive, out);
  });
  return out;
}

ResponseCacheControl parse_cdn_cache_control(const HeaderBlock& fields) {
  ResponseCacheControl out;
  if (!fields.has(FieldId::CdnCacheControl)) return out;
  const auto members = parse_structured_dictionary(fields.joined(FieldId::CdnCacheControl));
  if (!members || members->empty()) return out;
  out.any = true;
  for (const DictionaryMember& member : *members) apply_member(member, out);
  return out;
}

RequestCacheControl parse_request_cache_control(const RequestHead& head) {
  RequestCacheControl out;
  const FieldId id = head.has(FieldId::CacheControl) ? FieldId::CacheControl : FieldId::Pragma;
  if (!head.has(id)) return out;
  for (const FieldView& field : head.fields) {
    if (field.id != id) continue;
    Directive directive;
    for (DirectiveReader reader(field.value); reader.next(directive);) {
      // Of Pragma only no-cache has a meaning (RFC 9111 5.4).
      if (id == FieldId::CacheControl || equals_ignore_case(directive.name, "no-cache")) {
        apply(directive, out);
      }
    }
  }
  return out;
}

}  // namespace weir::http
