// The head that the app gets: what the key or the client says, with the forwarding fields
// completed. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/http/message.h"
#include "cachekeys/sent_request.h"
#include "proxy/upstream/fetcher.h"

namespace weir::upstream {

// Who asks, as the front end knows it.
struct ForwardInfo {
  std::string peer_ip;        // as SocketAddress::host_text() says it
  bool peer_trusted = false;  // in trusted_proxies: what it says of those before it is believed
  std::string scheme;         // "http" or "https": the client's, as the key has it
  std::string authority;      // the key's host
};

// Via, X-Forwarded-For, -Proto, -Host (RFC 7239 for Forwarded, RFC 9110 7.6.3 for Via) are written
// here, from `client` where its peer is trusted, and nothing hop-by-hop is left. Max-Forwards of
// OPTIONS is counted down (RFC 9110 7.6.2). `upgrade` is set, and the field, for what may be
// tunnelled (base/http/upgrade.h). The body is the caller's to attach.
FetchRequest make_fetch_request(const http::RequestHead& client, keys::SentRequest sent,
                                const ForwardInfo& info);

}  // namespace weir::upstream
