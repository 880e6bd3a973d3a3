#include "proxy/upstream/wire_pool.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace weir::upstream {
namespace {

// Idle connections are given up before common apps give them up themselves (Node, uvicorn: 5 s), so
// that a request seldom meets a connection that is being closed. What closes sooner (gunicorn: 2 s)
// is noticed by its end.
constexpr std::int64_t kIdle_ms = 4'000;
// Moves of a name are followed within this and the time that curl remembers names.
constexpr std::int64_t kConnectionLife_ms = 60'000;
// What an app sends behind the head of an answer without a body is mostly there with it; if not, it
// is under way for half a round trip, and connecting took one at least.
constexpr std::int64_t kLeastRest_us = 5'000;

}  // namespace

WirePool::WirePool(EventLoop& loop, UpstreamPool& pool, OpenConnections& all)
    : Holder(all, loop),
      pool_(pool),
      curl_(loop, pool.config()),
      names_(curl_),
      buffer_(std::make_unique_for_overwrite<char[]>(kBufferSize)),
      shelves_(pool.size()),
      sweep_(loop, [this] { sweep(); }) {}

WirePool::~WirePool() {
  closed(idle() + lent_);  // what is lent out still is closed where it is
}

std::unique_ptr<WireConnection> WirePool::take(std::size_t url) {
  Shelf& shelf = shelves_[url];
  const auto last = std::find_if(shelf.rbegin(), shelf.rend(), [&](const Idle& idle) {
    return idle.rests_until_us <= heard_until_us_;
  });
  if (last == shelf.rend() || loop().now_ms() - last->since_ms >= kIdle_ms) return nullptr;
  std::unique_ptr<WireConnection> connection = std::move(last->connection);
  shelf.erase(std::next(last).base());
  WEIR_CHECK(connection && idle() > 0);
  set_idle(idle() - 1);
  ++lent_;
  return connection;
}

std::unique_ptr<WireConnection> WirePool::open(std::size_t url, Owner& owner) {
  ++lent_;
  opened();
  auto connection = std::make_unique<WireConnection>(names_, owner);
  connection->connect(pool_.url(url));
  return connection;
}

void WirePool::keep(std::size_t url, std::unique_ptr<WireConnection> connection, bool rest) {
  const std::int64_t now_ms = loop().now_ms();
  std::int64_t rests_until_us = 0;
  if (rest) {
    rests_until_us =
        loop().clock().now_us() + std::max(kLeastRest_us, 2 * connection->connect_us());
  }
  const bool old = now_ms - connection->born_ms() >= kConnectionLife_ms;
  // What TLS has decrypted already, no event would tell of.
  if (old || (connection->tls() && !is_silent(*connection))) return close(std::move(connection));
  WEIR_CHECK(lent_ > 0);
  connection->set_owner(*this);
  connection->want(true, false);
  shelves_[url].push_back({std::move(connection), now_ms, rests_until_us});
  --lent_;
  set_idle(idle() + 1);
  if (!sweep_.is_set()) sweep_.set(now_ms + kIdle_ms);
}

void WirePool::close(std::unique_ptr<WireConnection> connection) {
  connection.reset();
  part_with();
}

void WirePool::part_with() {
  WEIR_CHECK(lent_ > 0);
  --lent_;
  closed();
}

void WirePool::forget_idle(std::size_t count) {
  WEIR_CHECK(count <= idle());
  set_idle(idle() - count);
  closed(count);
}

// An idle connection has something to say: its end, or bytes that nobody asked for. TLS may also
// talk to itself, of which nothing comes out.
void WirePool::on_ready(WireConnection& connection, bool, bool) {
  if (connection.tls() && is_silent(connection)) return;
  for (Shelf& shelf : shelves_) {
    const auto at = std::find_if(shelf.begin(), shelf.end(), [&](const Idle& idle) {
      return idle.connection.get() == &connection;
    });
    if (at == shelf.end()) continue;
    shelf.erase(at);
    forget_idle(1);
    return;
  }
}

bool WirePool::is_silent(WireConnection& connection) {
  return connection.receive(buffer()).state == WireConnection::State::Again;
}

bool WirePool::close_idle() {
  Shelf* oldest = nullptr;
  for (Shelf& shelf : shelves_) {
    if (shelf.empty()) continue;
    if (!oldest || shelf.front().since_ms < oldest->front().since_ms) oldest = &shelf;
  }
  if (!oldest) return false;
  oldest->erase(oldest->begin());
  forget_idle(1);
  return true;
}

void WirePool::sweep() {
  const std::int64_t now_ms = loop().now_ms();
  std::int64_t next_ms = INT64_MAX;
  for (Shelf& shelf : shelves_) {
    forget_idle(
        std::erase_if(shelf, [&](const Idle& idle) { return now_ms - idle.since_ms >= kIdle_ms; }));
    if (!shelf.empty()) next_ms = std::min(next_ms, shelf.front().since_ms + kIdle_ms);
  }
  if (next_ms != INT64_MAX) sweep_.set(next_ms);
}

}  // namespace weir::upstream
