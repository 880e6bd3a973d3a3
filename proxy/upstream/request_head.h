// The head that the app gets: what the key or the client says, with the forwarding fields
// completed. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/http/message.h"
#include "cachekeys/sent_request.h"
#include "proxy/upstream/fetcher.h"
#include "proxy/upstream/forwarding.h"

namespace weir::upstream {

// The forwarding fields are written here (forwarding.h), and nothing hop-by-hop is left.
// Max-Forwards of OPTIONS is counted down (RFC 9110 7.6.2). `upgrade` is set, and the field, for
// what may be tunnelled (base/http/upgrade.h). The body is the caller's to attach.
FetchRequest make_fetch_request(const http::RequestHead& client, keys::SentRequest sent,
                                const ForwardInfo& info);

}  // namespace weir::upstream
