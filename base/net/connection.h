// A byte stream to a peer, non-blocking, on one loop. Plain sockets here; another transport is
// another subclass, and nobody above notices. Its owner says what it waits for, is told when that
// has come, and then reads or writes. Loop thread only.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/file_range.h"
#include "base/net/address.h"
#include "base/net/event_loop.h"
#include "base/result.h"

namespace weir {

enum class IoStatus : std::uint8_t {
  Ok,          // `bytes` were moved, at least one
  WouldBlock,  // nothing now; wait for readiness
  Closed,      // the peer will send no more (read), or takes no more (write)
  Failed,      // reset or broken
};

struct IoResult {
  IoStatus status = IoStatus::Failed;
  std::size_t bytes = 0;
};

enum class PeerState : std::uint8_t {
  Open,
  Ended,  // it will send no more; it may still read
  Gone,   // neither
};

// Who is told what a connection is ready for. May destroy the connection, and itself, inside the
// call.
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  virtual void on_ready(bool readable, bool writable) = 0;
};

class Connection {
 public:
  virtual ~Connection() = default;

  // Whom to tell; before the first want(). Borrowed.
  virtual void set_handler(ConnectionHandler& handler) = 0;
  // What to tell of: readable, also for an end or a fault of the peer's; writable. Told again until
  // it is no longer so or no longer wanted. Costs a system call only when it differs from before.
  virtual void want(bool read, bool write) = 0;

  // What the socket knows of the peer, unread bytes aside. For a connection that is not being read,
  // which no event tells of an end.
  virtual PeerState peer_state() const = 0;

  virtual IoResult read(std::span<char> into) = 0;
  virtual IoResult write(std::span<const iovec> parts) = 0;
  // The same, and behind them bytes of a file, of which there are some. Failed: also where there
  // are no parts and the file has fewer bytes, or cannot be read.
  virtual IoResult write_with_file(std::span<const iovec> parts, const FileRange& file);
  // In words, for a log: why the last read or write has failed, or was not taken any more. Not
  // where it was the file that failed.
  virtual std::string fault() const = 0;
  // Sends an orderly end; reading goes on.
  virtual void shutdown_write() = 0;
  // Destruction will reset the stream, so that the peer cannot take a cut message for a whole one.
  virtual void reset_on_close() = 0;
};

// Takes over `fd`, which must be non-blocking.
std::unique_ptr<Connection> make_plain_connection(EventLoop& loop, int fd);

// Begins one to that address. It is writable once it stands; until then nothing can be read or
// written, and where it fails the first who tries is told so, and fault() says why.
Result<std::unique_ptr<Connection>> connect_to(EventLoop& loop, const SocketAddress& address);

}  // namespace weir
