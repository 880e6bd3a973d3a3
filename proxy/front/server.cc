#include "proxy/front/server.h"

#include <span>
#include <utility>

#include "base/check.h"
#include "conf/same.h"
#include "proxy/front/h1_session.h"
#include "proxy/front/peer_trust.h"

namespace weir::front {
namespace {

// Sent without a session: there must be a way to say no that needs nothing.
constexpr std::string_view kTooManyConnections =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 42\r\n"
    "Retry-After: 1\r\nCache-Status: weir; detail=connections\r\nConnection: close\r\n\r\n"
    "503 Service Unavailable\ndetail=connections";

}  // namespace

Server::Server(EventLoop& loop, ServerOptions options, HandlerFactory& handlers)
    : options_(std::move(options)),
      batch_(loop),
      context_{.loop = loop,
               .owner = *this,
               .handlers = handlers,
               .purges = options_.purges,
               .limits = options_.limits,
               .trusted_fields = options_.trusted_fields,
               .ignored_fields = options_.ignored_fields.get(),
               .access_log = options_.access_log.get(),
               .counts = options_.counts,
               .json_errors = options_.json_errors,
               .batch = batch_},
      http1_(make_h1_factory(context_)) {}

Server::~Server() = default;

void Server::use(ServerOptions options) {
  context_.loop.check_in_loop();
  WEIR_CHECK(options.clients == options_.clients);
  context_.purges = options.purges;
  context_.trusted_fields = options.trusted_fields;
  context_.ignored_fields = options.ignored_fields.get();
  context_.access_log = options.access_log.get();
  context_.counts = options.counts;
  const bool same_proxies = conf::same(options.trusted_proxies, options_.trusted_proxies);
  options_ = std::move(options);
  if (same_proxies) return;
  for (const auto& [session, client] : sessions_) {
    session->set_trusted(trusts_ip(session->peer_ip()));
  }
}

// Of a client that was accepted before: as SocketAddress::host_text says it.
bool Server::trusts_ip(const std::string& ip) const {
  const Result<SocketAddress> address =
      ip == "unix" ? SocketAddress::unix_path("unix") : SocketAddress::tcp(ip, 0);
  return address && trusts(address->get());
}

void Server::accept(Fd fd, const SocketAddress& peer) {
  context_.loop.check_in_loop();
  if (!options_.clients->enter(options_.limits.connections)) return turn_away(fd);
  if (options_.counts) options_.counts->client_accepted();
  std::unique_ptr<Session> session =
      http1_->make(make_plain_connection(context_.loop, fd.release()),
                   {.ip = peer.host_text(), .trusted = trusts(peer.get())});
  Session* raw = session.get();
  sessions_.emplace(raw, Client{.session = std::move(session), .spent = nullptr});
  raw->begin();
}

void Server::is_spent(Session& session) {
  sessions_.at(&session).spent = std::make_unique<OpenClients::Spent>(
      *options_.clients, context_.loop, [this, &session] { remove(session); });
}

void Server::turn_away(const Fd& fd) {
  if (options_.counts) options_.counts->client_refused();
  // An unread request would turn the close into a reset, which overtakes the answer.
  const std::span<char> unread = batch_.room();
  [[maybe_unused]] const ssize_t got = recv(fd.get(), unread.data(), unread.size(), MSG_DONTWAIT);
  [[maybe_unused]] const ssize_t sent =
      send(fd.get(), kTooManyConnections.data(), kTooManyConnections.size(), MSG_NOSIGNAL);
  shutdown(fd.get(), SHUT_WR);
}

void Server::remove(Session& session) {
  WEIR_CHECK(sessions_.erase(&session) == 1);
  options_.clients->leave();
  if (context_.draining && sessions_.empty() && when_empty_) {
    std::exchange(when_empty_, nullptr)();
  }
}

void Server::drain(std::function<void()> when_empty) {
  context_.draining = true;
  when_empty_ = std::move(when_empty);
  std::vector<Session*> all;
  all.reserve(sessions_.size());
  for (const auto& [session, client] : sessions_) all.push_back(session);
  for (Session* session : all) session->drain();
  if (sessions_.empty() && when_empty_) std::exchange(when_empty_, nullptr)();
}

void Server::end_answered() {
  std::vector<Session*> answered;
  for (const auto& [session, client] : sessions_) {
    if (session->is_answered()) answered.push_back(session);
  }
  for (Session* session : answered) remove(*session);
}

void Server::close_all() {
  while (!sessions_.empty()) remove(*sessions_.begin()->first);
}

bool Server::trusts(const sockaddr* peer) const {
  for (const conf::Cidr& range : options_.trusted_proxies) {
    if (cidr_contains(range, peer)) return true;
  }
  return false;
}

}  // namespace weir::front
