#include "proxy/front/server.h"

#include <unistd.h>

#include <cstring>

#include "proxy/front/h1_session.h"
#include "proxy/front/peer_trust.h"

namespace weir::front {
namespace {

// Sent without a session: there must be a way to say no that needs nothing.
constexpr std::string_view kTooManyConnections =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 42\r\n"
    "Retry-After: 1\r\nConnection: close\r\n\r\n"
    "503 Service Unavailable\ndetail=connections";

}  // namespace

Server::Server(EventLoop& loop, ServerOptions options, HandlerFactory& handlers)
    : loop_(loop), options_(std::move(options)), handlers_(handlers) {}

Server::~Server() = default;

void Server::accept(Fd fd, const SocketAddress& peer) {
  loop_.check_in_loop();
  if (options_.connections->fetch_add(1) >= options_.limits.connections) {
    options_.connections->fetch_sub(1);
    // An unread request would turn the close into a reset, which overtakes the answer.
    [[maybe_unused]] const ssize_t got =
        recv(fd.get(), receive_buffer_.data(), receive_buffer_.size(), MSG_DONTWAIT);
    [[maybe_unused]] const ssize_t sent =
        send(fd.get(), kTooManyConnections.data(), kTooManyConnections.size(), MSG_NOSIGNAL);
    shutdown(fd.get(), SHUT_WR);
    return;
  }
  auto session = std::make_unique<H1Session>(*this, fd.release(), peer);
  H1Session* raw = session.get();
  sessions_.emplace(raw, std::move(session));
  raw->begin();
}

void Server::remove(H1Session* session) {
  if (sessions_.erase(session) == 0) return;
  options_.connections->fetch_sub(1);
  if (draining_ && sessions_.empty() && when_empty_) std::exchange(when_empty_, nullptr)();
}

void Server::drain(std::function<void()> when_empty) {
  draining_ = true;
  when_empty_ = std::move(when_empty);
  std::vector<H1Session*> all;
  all.reserve(sessions_.size());
  for (const auto& [session, owner] : sessions_) all.push_back(session);
  for (H1Session* session : all) session->drain();
  if (sessions_.empty() && when_empty_) std::exchange(when_empty_, nullptr)();
}

void Server::close_all() {
  while (!sessions_.empty()) remove(sessions_.begin()->first);
}

bool Server::trusts(const sockaddr* peer) const {
  for (const conf::Cidr& range : options_.trusted_proxies) {
    if (cidr_contains(range, peer)) return true;
  }
  return false;
}

std::unique_ptr<H1Exchange> Server::take_exchange() {
  if (pool_.empty()) return std::make_unique<H1Exchange>();
  std::unique_ptr<H1Exchange> exchange = std::move(pool_.back());
  pool_.pop_back();
  return exchange;
}

void Server::give_exchange(std::unique_ptr<H1Exchange> exchange) {
  if (pool_.size() >= kPooledExchanges) return;
  exchange->reset();
  pool_.push_back(std::move(exchange));
}

}  // namespace weir::front
