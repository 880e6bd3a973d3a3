// A client's connection as its Server knows it, whatever protocol is spoken on it. A protocol
// brings a SessionFactory (h1_session.h); nothing else of it is known outside. Loop thread only.
#pragma once

#include <memory>
#include <string>

#include "base/net/connection.h"
#include "base/net/event_loop.h"
#include "conf/config.h"
#include "proxy/front/access_log.h"
#include "proxy/front/answer_batch.h"
#include "proxy/front/exchange.h"
#include "proxy/front/ignored_fields.h"
#include "proxy/metrics/counts.h"

namespace weir::front {

// Serves one client. Destroying it cuts what is not over yet; each exchange's handler hears of it.
class Session {
 public:
  virtual ~Session() = default;
  // Starts reading. The first call, once.
  virtual void begin() = 0;
  // The worker is going: serves what has arrived, then ends by SessionOwner::remove, perhaps inside
  // this call.
  virtual void drain() = 0;
  // Whose trust is judged anew when the server's options are others: counts from the next request
  // on.
  virtual const std::string& peer_ip() const = 0;
  virtual void set_trusted(bool trusted) = 0;
  // All that was asked on it is answered, and its client merely has not closed yet.
  virtual bool is_answered() const = 0;
};

class SessionOwner {
 public:
  virtual ~SessionOwner() = default;
  // Nothing is left to do: destroys the session, whose last call this is.
  virtual void remove(Session& session) = 0;
  // It has answered, and only drops what its client still sends: the first to go when connections
  // are scarce. Once.
  virtual void is_spent(Session& session) = 0;
};

// What the sessions of one worker share. Outlives them all; theirs to read. A reload changes it
// between two turns: what a request must not see change under it, its exchange keeps.
struct SessionContext {
  EventLoop& loop;
  SessionOwner& owner;
  HandlerFactory& handlers;
  HandlerFactory* purges = nullptr;  // for PURGE; null: it is refused
  const conf::Limits& limits;
  conf::TrustedFields trusted_fields;     // what trusted peers are believed
  IgnoredFields* ignored_fields;          // told of what they are not; null: nobody is
  AccessLog* access_log;                  // null: off
  metrics::LoopCounts* counts = nullptr;  // null: nothing is counted
  bool json_errors = false;               // what they refuse themselves they say in JSON
  AnswerBatch& batch;  // most requests are parsed where it has them received, and never copied
  bool draining = false;
};

// Who is at the other end.
struct Peer {
  std::string ip;        // as SocketAddress::host_text says it
  bool trusted = false;  // a proxy whose word on its visitors is believed (trusted_fields)
};

// Makes the sessions of one protocol, and keeps what they need only now and then. Outlives them.
class SessionFactory {
 public:
  virtual ~SessionFactory() = default;
  virtual std::unique_ptr<Session> make(std::unique_ptr<Connection> connection, Peer peer) = 0;
};

}  // namespace weir::front
