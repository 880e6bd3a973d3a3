// A raw HTTP/1.1 client: sends the bytes it is given, reads answers one at a time, each operation
// with a deadline (TimedOut, PeerGone). One connection; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tests/support/message.h"

namespace weir::test {

class Client {
 public:
  explicit Client(std::uint16_t port, int receive_buffer = 0)
      : Client(Socket::connect_tcp(port, receive_buffer)) {}
  explicit Client(Socket socket);

  void send(std::string_view bytes);
  // The next final answer, with its body as far as it came; the interim ones are inside it.
  // `method` is that of the request it answers. Throws when the connection ends before the head.
  Response read(std::string_view method = "GET");
  // The same without the body, which read_some() then yields undecoded.
  Response read_head(std::string_view method = "GET");
  std::string read_some(std::size_t max = 65536);
  // At least `bytes` of a chunked body that is coming in pieces, decoded.
  std::string read_chunked(std::size_t bytes);
  std::string read_until_close();
  // Waits for the connection's end: true when nothing came before it.
  bool closed();
  // Whether bytes or an end are there already.
  bool readable_now() const { return connection_->socket.readable_now(); }

  // "METHOD target HTTP/1.1" with `Host: app.test` unless given, and a Content-Length when there
  // is a body.
  static std::string message(std::string_view method, std::string_view target,
                             const Fields& fields = {}, std::string_view body = {});
  Response request(std::string_view method, std::string_view target, const Fields& fields = {},
                   std::string_view body = {});
  Response get(std::string_view target, const Fields& fields = {});

  void shut_down_sending() { connection_->socket.shut_down_sending(); }
  void hang_up() { connection_->socket.close(); }
  void reset() { connection_->socket.reset(); }
  Socket& socket() { return connection_->socket; }

 private:
  struct Connection {
    explicit Connection(Socket s) : socket(std::move(s)), reader(socket) {}
    Socket socket;
    Reader reader;
  };
  std::unique_ptr<Connection> connection_;  // stays in place when the client moves
};

}  // namespace weir::test
