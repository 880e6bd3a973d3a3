#include "proxy/flow/purge_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/http/request_target.h"
#include "cachekeys/key_builder.h"
#include "cachekeys/purge_name.h"
#include "cachekeys/tags.h"
#include "proxy/flow/asked_request.h"

namespace weir::flow {
namespace {

constexpr std::string_view kWholeUrl =
    "needs the whole URL, such as https://example.com/blog (for every host's there is \"match\")";

Result<bool> purge_one(const Site& site, const PurgeOrder& order, PurgeBook& book) {
  const Result<std::string> url = url_as_sent(order.text);
  if (!url) return std::unexpected(url.error());
  http::RequestHead head;
  head.method = http::Method::Get;
  const bool whole = !url->starts_with('/') && http::split_target(*url, head);
  if (!whole) return fail(ErrorCode::Invalid, std::string(kWholeUrl));
  return purge_url(site, head.scheme, head.authority, head.path, head.query, head.has_query,
                   order.soft, book);
}

Result<void> check_prefix(std::string_view text) {
  if (!text.contains('/')) return fail(ErrorCode::Invalid, "needs a path, such as /blog/");
  if (!text.contains('*')) return {};
  return fail(ErrorCode::Invalid, "has a star: that is a \"match\", such as /blog/*/rss");
}

// What no path can match is refused: whoever asks for it believes that pages are gone.
Result<void> check_glob(std::string_view text) {
  if (text.starts_with("**")) return {};
  const std::size_t path = text.find('/');
  if (text.starts_with('*')) {
    return fail(ErrorCode::Invalid,
                "begins with a star, which does not reach over a slash, and in a host there is "
                "none: begin with a slash or with **");
  }
  if (path == std::string_view::npos) {
    return fail(ErrorCode::Invalid, "needs a path, such as /blog/*/rss");
  }
  if (text.substr(0, path).contains('*')) {
    return fail(ErrorCode::Invalid, "has a star in its host: leave the host out for every host's");
  }
  return {};
}

Result<void> check_pattern(const PurgeOrder& order) {
  const std::string& text = order.text;
  const bool is_glob = order.kind == PurgeOrder::Kind::Match;
  if (text.size() > PurgeBook::kMostTextBytes) {
    return fail(ErrorCode::Invalid,
                fmt::format("is longer than {} bytes", PurgeBook::kMostTextBytes));
  }
  if (std::ranges::any_of(text, [](unsigned char c) { return c <= ' ' || c == 0x7F; })) {
    return fail(ErrorCode::Invalid, "holds a space or a control character");
  }
  if (text.find("://") != std::string::npos) {
    return fail(ErrorCode::Invalid, "has no scheme: example.com/blog/ is about http and https");
  }
  if (text.find_first_of("?#") != std::string::npos) {
    return fail(ErrorCode::Invalid, "is about paths, with whatever query: leave out ? and #");
  }
  return is_glob ? check_glob(text) : check_prefix(text);
}

// In front of a path may stand a host, which names of pages have without the usual port.
std::string without_usual_port(std::string_view text) {
  const std::size_t path = std::min(text.find('/'), text.size());
  const std::string_view host = text.substr(0, path);
  for (const std::string_view port : {":80", ":443"}) {
    if (!host.ends_with(port)) continue;
    return std::string(host.substr(0, host.size() - port.size())).append(text.substr(path));
  }
  return std::string(text);
}

}  // namespace

// As a GET of it would be named.
bool purge_url(const Site& site, std::string_view scheme, std::string_view authority,
               std::string_view path, std::string_view query, bool has_query, bool soft,
               PurgeBook& book) {
  http::RequestHead head;
  head.method = http::Method::Get;
  head.method_text = "GET";
  head.authority = authority;
  head.path = path;
  head.query = query;
  head.has_query = has_query;
  const int index = site.router.match(head.method_text, authority, path);
  if (index < 0) return false;
  const RouteRuntime& route = site.routes[static_cast<std::size_t>(index)];
  if (!route.rule) return false;
  keys::Destination destination;
  destination.scheme = scheme;
  destination.authority = authority;
  keys::KeyBuffer key;
  keys::build_key(head, route.recipe, destination, key);
  const auto name = keys::purge_name(key.view().bytes);
  if (name) book.mark_url(*name, soft);
  return name.has_value();
}

Result<bool> purge(const Site& site, const PurgeOrder& order, PurgeBook& book) {
  switch (order.kind) {
    case PurgeOrder::Kind::Url:
      return purge_one(site, order, book);
    case PurgeOrder::Kind::Prefix:
    case PurgeOrder::Kind::Match:
      if (const auto good = check_pattern(order); !good) return std::unexpected(good.error());
      if (order.kind == PurgeOrder::Kind::Prefix) {
        book.mark_prefix(without_usual_port(order.text), order.soft);
      } else {
        book.mark_glob(without_usual_port(order.text), order.soft);
      }
      return true;
    case PurgeOrder::Kind::Tags:
      for (const std::string& tag : order.tags) book.mark_tag(keys::tag_hash(tag), order.soft);
      return true;
    case PurgeOrder::Kind::All:
      book.mark_all(order.soft);
      return true;
  }
  std::unreachable();
}

}  // namespace weir::flow
