#include "proxy/flow/invalidation.h"

#include "proxy/flow/purge_order.h"

namespace weir::flow {

void invalidate(const Site& site, http::Method method, const policy::TargetUri& target,
                const http::ResponseHead& answer, PurgeBook& book) {
  for (const policy::InvalidatedUri& uri : policy::invalidated_uris(method, target, answer)) {
    purge_url(site, target.scheme, uri.authority, uri.path, uri.query, uri.has_query, false, book);
  }
}

}  // namespace weir::flow
