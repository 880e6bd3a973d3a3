#include "proxy/flow/invalidation.h"

#include "cachekeys/key_builder.h"
#include "cachekeys/purge_name.h"

namespace weir::flow {
namespace {

// As a GET of it would be named; one that no route caches has no name.
void mark(const Site& site, std::string_view scheme, const policy::InvalidatedUri& uri,
          PurgeBook& book) {
  http::RequestHead head;
  head.method = http::Method::Get;
  head.method_text = "GET";
  head.authority = uri.authority;
  head.path = uri.path;
  head.query = uri.query;
  head.has_query = uri.has_query;
  const int index = site.router.match(head.method_text, uri.authority, uri.path);
  if (index < 0 || site.routes[static_cast<std::size_t>(index)].rule == nullptr) return;
  keys::Destination destination;
  destination.scheme = scheme;
  destination.authority = uri.authority;
  keys::KeyBuffer key;
  keys::build_key(head, site.routes[static_cast<std::size_t>(index)].recipe, destination, key);
  if (const auto name = keys::purge_name(key.view().bytes)) book.mark_url(*name);
}

}  // namespace

void invalidate(const Site& site, http::Method method, const policy::TargetUri& target,
                const http::ResponseHead& answer, PurgeBook& book) {
  for (const policy::InvalidatedUri& uri : policy::invalidated_uris(method, target, answer)) {
    mark(site, target.scheme, uri, book);
  }
}

}  // namespace weir::flow
