// A stream socket with a deadline on everything it does. Owns its descriptor; one thread at a time,
// but shut_down() may come from another to wake it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/wait.h"

namespace weir::test {

// The peer went away while something was being sent to it.
struct PeerGone : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Socket& operator=(Socket&& other) noexcept;
  ~Socket() { close(); }

  // `receive_buffer` in bytes makes a slow reader of a client; 0 leaves the system's.
  static Socket connect_tcp(std::uint16_t port, int receive_buffer = 0);
  // Without waiting for the peer to accept.
  static Socket begin_connect_tcp(std::uint16_t port);
  static Socket connect_tcp6(std::uint16_t port);
  static Socket connect_unix(const std::string& path);
  // On 127.0.0.1; port 0 lets the system choose.
  static Socket listen_tcp(std::uint16_t port = 0);
  // A port of 127.0.0.1 that is taken, and refuses.
  static Socket refuse_tcp();
  static Socket listen_unix(const std::string& path);

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  std::uint16_t port() const;

  // A closed socket when this listener was shut down.
  Socket accept();
  void send_all(std::string_view bytes, Deadline deadline);
  // As many bytes as fit at once, maybe 0.
  std::size_t send_now(std::string_view bytes);
  // 0 when the peer has ended the stream, properly or by a reset.
  std::size_t receive(char* buffer, std::size_t capacity, Deadline deadline);
  bool readable_now() const;

  void shut_down_sending();
  void shut_down();
  void close();
  // Closes with a RST.
  void reset();

 private:
  int fd_ = -1;
};

// Bytes and connections that have arrived at local TCP `port` and that its owner has not taken yet.
std::uint64_t waiting_at_port(std::uint16_t port);
// Bytes that its owner has sent from there and that no peer has taken yet.
std::uint64_t unsent_from_port(std::uint16_t port);

}  // namespace weir::test
