#include "proxy/policy/vary_list.h"

#include <algorithm>

#include "base/http/char_class.h"
#include "base/http/hop_by_hop.h"
#include "base/text.h"
#include "cachekeys/passage.h"

namespace weir::policy {
namespace {

using http::FieldId;

enum class Kind : std::uint8_t { Selects, InKey, Hopeless };

Kind kind_of(std::string_view name) {
  if (!http::is_token(name) || name == "*") return Kind::Hopeless;
  const FieldId id = http::field_id(name);
  if (http::is_hop_by_hop(id)) return Kind::Hopeless;
  if (keys::is_in_base_key(id)) return Kind::InKey;
  switch (id) {
    case FieldId::Forwarded:
    case FieldId::Via:
    case FieldId::XForwardedFor:
      return Kind::Hopeless;
    default:
      return Kind::Selects;
  }
}

}  // namespace

VaryList read_vary(const http::HeaderBlock& fields) {
  VaryList list;
  fields.for_each([&](const http::FieldView& field) {
    if (field.id == FieldId::AccessControlAllowOrigin && field.value != "*") {
      list.names.emplace_back("origin");
    }
    if (field.id != FieldId::Vary) return;
    for_each_list_element(field.value, [&](std::string_view name) {
      const Kind kind = kind_of(name);
      if (kind == Kind::Selects) list.names.push_back(to_lower(name));
      if (kind == Kind::Hopeless && !list.refusal) {
        list.refusal = {Reason::VaryStar, std::string(name)};
      }
    });
  });
  std::sort(list.names.begin(), list.names.end());
  list.names.erase(std::unique(list.names.begin(), list.names.end()), list.names.end());
  if (!list.refusal && list.names.size() > kMaxVaryNames) {
    list.refusal = {Reason::VaryStar, "more than 32 names"};
  }
  return list;
}

}  // namespace weir::policy
