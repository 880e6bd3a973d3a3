// Which fields belong to one connection only (RFC 9110 7.6.1) and so are never forwarded.
#pragma once

#include <string_view>

#include "base/http/message.h"

namespace weir::http {

// Connection, Keep-Alive, Proxy-*, TE, Trailer, Transfer-Encoding, Upgrade, HTTP2-Settings …
bool is_hop_by_hop(FieldId id);

// What no Connection field may name: what frames or routes the message, what proves who asks, and
// every field by which a cache chooses the response. Dropping one on a stranger's word would let a
// response be made without it and then be stored as if it had been there.
bool is_protected_from_connection(std::string_view name);

// Whether `name` is listed in one of the head's Connection fields.
bool named_by_connection(const RequestHead& head, std::string_view name);
bool named_by_connection(const HeaderBlock& fields, std::string_view name);

// Removes what must not travel on from a response: hop-by-hop and Connection-named fields, and the
// framing fields, which Weir writes itself. Fields that restrict sharing (Cache-Control, Vary,
// Set-Cookie, …) stay even when named.
void remove_hop_by_hop(HeaderBlock& fields);

}  // namespace weir::http
