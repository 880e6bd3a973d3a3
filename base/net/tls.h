// TLS to a server, as another Connection: OpenSSL over a plain one. The server's certificate is
// always verified; nothing turns that off.
#pragma once

#include <memory>
#include <string>

#include "base/net/address.h"
#include "base/net/connection.h"
#include "base/net/event_loop.h"
#include "base/result.h"

struct ssl_ctx_st;

namespace weir {

// Files in PEM.
struct TlsTerms {
  std::string ca_file = {};  // whose word counts for a server; empty: the system's own authorities
  // Our certificate with those between it and its authority, and its key, which has no passphrase:
  // both, or none of them.
  std::string cert_file = {};
  std::string key_file = {};
};

// What connections of the same terms share. Never changes once it is made: any thread.
class TlsContext {
 public:
  // Reads the files: not on a loop. An error names the file and what is wrong with it.
  static Result<std::shared_ptr<const TlsContext>> client(const TlsTerms& terms);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* get() const { return context_; }  // for base/net only

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}

  ssl_ctx_st* const context_;
};

// Begins a connection to that address, TLS 1.2 or later, with the promises of connect_to(): it is
// writable once the handshake is done, and where it fails before, the first who tries is told so.
// A handshake that never ends is never told; how long to wait is the owner's affair. Nor does it
// go on while neither reading nor writing is wanted.
//
// `name` is the server's, a host name or an IP address without brackets: its certificate must be
// for it, and a host name is sent to it (SNI).
//
// A peer that ends without TLS's closing alert has cut the stream: Failed, and not Closed. Bytes of
// a write that would block must be offered again, at the same place, before any others.
Result<std::unique_ptr<Connection>> connect_tls(EventLoop& loop, const SocketAddress& address,
                                                const std::shared_ptr<const TlsContext>& context,
                                                const std::string& name);

// The same over a connection that stands, or was begun.
Result<std::unique_ptr<Connection>> make_tls_connection(
    EventLoop& loop, std::unique_ptr<Connection> socket,
    const std::shared_ptr<const TlsContext>& context, const std::string& name);

}  // namespace weir
