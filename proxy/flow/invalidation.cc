#include "proxy/flow/invalidation.h"

#include "base/text.h"
#include "cachekeys/tags.h"
#include "proxy/flow/purge_order.h"

namespace weir::flow {

namespace {

// Cache-Group-Invalidation (RFC 9875 3): groups of the target's origin.
void invalidate_groups(const policy::TargetUri& target, const http::ResponseHead& answer,
                       PurgeBook& book) {
  for (std::size_t i = 0; i < answer.fields.size(); ++i) {
    const http::FieldView field = answer.fields[i];
    if (!equals_ignore_case(field.name, "Cache-Group-Invalidation")) continue;
    keys::for_each_string(field.value, [&](std::string_view group) {
      book.mark_tag(keys::group_hash(target.scheme, target.authority, group));
    });
  }
}

}  // namespace

void invalidate(const Site& site, http::Method method, const policy::TargetUri& target,
                const http::ResponseHead& answer, PurgeBook& book) {
  const auto uris = policy::invalidated_uris(method, target, answer);
  for (const policy::InvalidatedUri& uri : uris) {
    purge_url(site, target.scheme, uri.authority, uri.path, uri.query, uri.has_query, false, book);
  }
  if (!uris.empty()) invalidate_groups(target, answer, book);
}

}  // namespace weir::flow
