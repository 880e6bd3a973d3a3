// An address that the process listens on, with a socket for each worker. Values; main thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/net/listener.h"
#include "base/result.h"
#include "conf/config.h"
#include "proxy/worker.h"

namespace weir {

struct OpenAddress {
  std::uint64_t id = 0;  // by which the workers know it
  bool is_admin = false;
  Listening listening;  // its sockets are handed to the workers

  // A worker's own; once for each.
  Door door(std::size_t worker) { return {id, is_admin, std::move(listening.sockets[worker])}; }
  std::string text() const { return listening.address.text(); }
};

// No other that was opened has the same id.
Result<OpenAddress> open_address(const conf::ListenAddress& listen, bool is_admin,
                                 std::size_t workers);

// Of a Unix socket, its file. While it is still open: from the moment it is closed another process
// may take the name, and its file is not ours to remove.
void remove_socket_file(const OpenAddress& address);

}  // namespace weir
