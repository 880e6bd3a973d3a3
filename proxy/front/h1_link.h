// A client's connection as an HTTP/1.1 session and the exchange that it serves share it: where
// bytes come from and go to, how long the client may take over them, and how it stands. Part of its
// session; loop thread only.
#pragma once

#include <memory>
#include <utility>

#include "base/net/connection.h"
#include "proxy/front/h1_deadlines.h"
#include "proxy/front/h1_request_reader.h"
#include "proxy/front/session.h"

namespace weir::front {

struct H1Link {
  H1Link(const SessionContext& shared, std::unique_ptr<Connection> made, Peer who,
         H1Deadlines::Owner& owner)
      : context(shared),
        peer(std::move(who)),
        connection(std::move(made)),
        reader(*connection, context.batch, context.limits),
        deadlines(context.loop, context.limits, owner) {}

  const SessionContext& context;
  Peer peer;
  const std::unique_ptr<Connection> connection;
  H1RequestReader reader;
  H1Deadlines deadlines;
  bool peer_done = false;  // the client will send no more
  bool blocked = false;    // the socket is full: to go on when it is writable
  bool dead = false;       // broken, or to be cut: nothing is read or written any more
};

}  // namespace weir::front
