// The connections of one loop to the app: makes them, keeps those that may serve again, watches
// what it keeps, and closes idle ones where there are too many in all loops together. Also the
// loop's one receive buffer. Loop thread only; outlives the fetches that use it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/net/timer.h"
#include "proxy/upstream/curl_loop.h"
#include "proxy/upstream/name_gate.h"
#include "proxy/upstream/upstream_pool.h"
#include "proxy/upstream/wire_connection.h"

namespace weir::upstream {

class WirePool final : private WireConnection::Owner, private OpenConnections::Holder {
 public:
  // Its connections count among `all`.
  WirePool(EventLoop& loop, UpstreamPool& pool, OpenConnections& all);
  ~WirePool() override;

  CurlLoop& curl() { return curl_; }
  EventLoop& loop() { return curl_.loop(); }
  bool is_quiet() const { return names_.is_idle(); }
  // For whatever is received or sent, until the next call of anybody.
  std::span<char> buffer() { return {buffer_.get(), kBufferSize}; }

  // The loop has polled after this moment: what its connections had to say until then was heard.
  void polled_after(std::int64_t now_us) { heard_until_us_ = now_us; }
  // The idle connection to this address that was used last and has no rest to keep; null when there
  // is none.
  std::unique_ptr<WireConnection> take(std::size_t url);
  bool has_idle(std::size_t url) const { return !shelves_[url].empty(); }
  // A new one, on its way. An idle one gives way when the process has too many.
  std::unique_ptr<WireConnection> open(std::size_t url, Owner& owner);
  // What was taken or opened comes back: to serve again, unless it has spoken, or to be closed.
  // `rest`: not at once, for the app may say more than it announced (decision page 0002).
  void keep(std::size_t url, std::unique_ptr<WireConnection> connection, bool rest);
  void close(std::unique_ptr<WireConnection> connection);
  // What was opened stays with its holder and counts no more.
  void part_with();

 private:
  static constexpr std::size_t kBufferSize = 64 * 1024;
  struct Idle {
    std::unique_ptr<WireConnection> connection;
    std::int64_t since_ms;
    std::int64_t rests_until_us;
  };
  using Shelf = std::vector<Idle>;  // the one kept last at the back

  void on_ready(WireConnection& connection, bool readable, bool writable) override;
  bool is_silent(WireConnection& connection);
  bool close_idle() override;
  void forget_idle(std::size_t count);
  void sweep();

  const UpstreamPool& pool_;
  CurlLoop curl_;
  NameGate names_;
  std::unique_ptr<char[]> buffer_;
  std::vector<Shelf> shelves_;  // by address
  std::size_t lent_ = 0;
  std::int64_t heard_until_us_ = 0;
  Deadline sweep_;
};

}  // namespace weir::upstream
