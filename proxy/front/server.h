// The front end of one worker: takes its clients in, knows their sessions, and ends them. Loop
// thread only.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/net/listener.h"
#include "conf/config.h"
#include "proxy/front/access_log.h"
#include "proxy/front/exchange.h"
#include "proxy/front/open_clients.h"
#include "proxy/front/session.h"

namespace weir::front {

// What a server goes by; it keeps alive what it refers to, but for `counts`, `clients` and
// `purges`, which outlive it.
struct ServerOptions {
  conf::Limits limits;
  std::vector<conf::Cidr> trusted_proxies = {};
  conf::TrustedFields trusted_fields = {};
  std::shared_ptr<IgnoredFields> ignored_fields = nullptr;  // of the process; null: nobody is told
  std::shared_ptr<AccessLog> access_log = nullptr;          // null: off
  metrics::LoopCounts* counts = nullptr;                    // this loop's; null: nothing is counted
  OpenClients* clients = nullptr;                           // of the process, or of these alone
  HandlerFactory* purges = nullptr;                         // for PURGE; null: it is refused
  bool json_errors = false;                                 // what a session refuses itself, too
};

class Server final : SessionOwner {
 public:
  Server(EventLoop& loop, ServerOptions options, HandlerFactory& handlers);
  ~Server() override;

  // Goes by these from now on; `clients` stay. For those who are connected as well, but for the
  // bounds of a request's head and body: those they keep.
  void use(ServerOptions options);
  // A new client; past limits.connections a spent session, of whichever loop, makes room, or it is
  // told 503 and closed.
  void accept(Fd fd, const SocketAddress& peer);
  // From now on idle sessions close at once and busy ones after their response; `when_empty` is
  // called, once, when none is left.
  void drain(std::function<void()> when_empty);
  // There is no more time: who has been answered is not waited for.
  void end_answered();
  // Cuts what is still open.
  void close_all();

 private:
  struct Client {
    std::unique_ptr<Session> session;
    std::unique_ptr<OpenClients::Spent> spent;  // null: it is not
  };

  void remove(Session& session) override;
  void is_spent(Session& session) override;
  void turn_away(const Fd& fd);
  bool trusts(const sockaddr* peer) const;
  bool trusts_ip(const std::string& ip) const;

  ServerOptions options_;
  AnswerBatch batch_;
  SessionContext context_;
  std::unique_ptr<SessionFactory> http1_;
  std::unordered_map<Session*, Client> sessions_;
  std::function<void()> when_empty_;
};

}  // namespace weir::front
