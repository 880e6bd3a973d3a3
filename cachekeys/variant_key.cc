#include "cachekeys/field_lines.h"
#include "cachekeys/key_builder.h"
#include "cachekeys/passage.h"
#include "cachekeys/personal.h"

namespace weir::keys {
namespace {

using http::FieldId;

void append_line(std::string_view value, KeyBuffer& out) {
  out.append_count(1);
  out.append(value);
}

// The lines of one field as the app sees them.
void append_sent_lines(std::string_view name, const http::RequestHead& head, const Recipe& recipe,
                       Audience audience, KeyBuffer& out) {
  const FieldId id = http::field_id(name);
  if (is_in_base_key(id)) return;
  const Passage passage = passage_of({id, name, {}}, head, recipe, audience);
  if (passage == Passage::Rebuilt) {
    const std::size_t mark = out.raw().size();
    out.append_count(1);
    const std::size_t at = out.open_field();
    append_rebuilt(id, head, recipe, out.raw());
    out.close_field(at);
    if (out.raw().size() == at) out.raw().resize(mark);
    return;
  }
  const bool from_client = id == FieldId::XForwardedFor || id == FieldId::Forwarded;
  if (passage == Passage::Drop && !from_client) return;
  for_each_line(head, id, name, [&](std::string_view value) { append_line(value, out); });
}

// Whether the request may be sent as personal, where that makes a difference to the fields named.
template <class Names>
Audience audience_of(const Names& vary, const http::RequestHead& head, const Recipe& recipe) {
  bool differs = false;
  for (const std::string_view name : vary) {
    const http::FieldView field{http::field_id(name), name, {}};
    differs = differs || passage_of(field, head, recipe, Audience::Everybody) !=
                             passage_of(field, head, recipe, Audience::OneClient);
  }
  return differs && is_personal(head, recipe) ? Audience::OneClient : Audience::Everybody;
}

template <class Names>
void build(KeyView base, const Names& vary, const http::RequestHead& head, const Recipe& recipe,
           KeyBuffer& out) {
  const Audience audience = audience_of(vary, head, recipe);
  out.clear();
  out.raw().push_back(kVariantKeyVersion);
  out.append(base.bytes);
  for (const std::string_view name : vary) {
    out.append(name);
    append_sent_lines(name, head, recipe, audience, out);
    out.append_count(0);  // the end of its lines; none at all is not one empty line
  }
  out.seal();
}

}  // namespace

void build_variant_key(KeyView base, const std::vector<std::string>& vary,
                       const http::RequestHead& head, const Recipe& recipe,
                       std::string_view /*authority*/, KeyBuffer& out) {
  build(base, vary, head, recipe, out);
}

void build_variant_key(KeyView base, TextList vary, const http::RequestHead& head,
                       const Recipe& recipe, std::string_view /*authority*/, KeyBuffer& out) {
  build(base, vary, head, recipe, out);
}

}  // namespace weir::keys
