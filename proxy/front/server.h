// The front end of one worker: its sessions, what they share, and how they end. Loop thread only.
#pragma once

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/net/listener.h"
#include "conf/config.h"
#include "proxy/front/access_log.h"
#include "proxy/front/exchange.h"

namespace weir::front {

class H1Session;
struct H1Exchange;

struct ServerOptions {
  conf::Limits limits;
  std::vector<conf::Cidr> trusted_proxies;
  AccessLog* access_log = nullptr;                    // null: off
  std::atomic<std::uint32_t>* connections = nullptr;  // open ones, of the process
};

class Server {
 public:
  Server(EventLoop& loop, ServerOptions options, HandlerFactory& handlers);
  ~Server();

  // A new client; past limits.connections it is told 503 and closed.
  void accept(Fd fd, const SocketAddress& peer);
  // From now on idle sessions close at once and busy ones after their response; `when_empty` is
  // called, once, when none is left.
  void drain(std::function<void()> when_empty);
  // Cuts what is still open.
  void close_all();

  // ---- for the sessions ----
  EventLoop& loop() { return loop_; }
  const ServerOptions& options() const { return options_; }
  HandlerFactory& handlers() { return handlers_; }
  bool draining() const { return draining_; }
  bool trusts(const sockaddr* peer) const;
  // One receive buffer for all: most requests are parsed in it and never copied.
  std::span<char> receive_buffer() { return receive_buffer_; }
  std::unique_ptr<H1Exchange> take_exchange();
  void give_exchange(std::unique_ptr<H1Exchange> exchange);
  void remove(H1Session* session);

 private:
  static constexpr std::size_t kReceiveBytes = 64 * 1024;
  static constexpr std::size_t kPooledExchanges = 256;

  EventLoop& loop_;
  const ServerOptions options_;
  HandlerFactory& handlers_;
  std::unordered_map<H1Session*, std::unique_ptr<H1Session>> sessions_;
  std::vector<std::unique_ptr<H1Exchange>> pool_;
  std::array<char, kReceiveBytes> receive_buffer_;
  bool draining_ = false;
  std::function<void()> when_empty_;
};

}  // namespace weir::front
