// A blocking client of Redis: RESP2 with a deadline on everything. It follows no redirect and
// shares no code with Weir's own. One thread.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/socket.h"

namespace weir::test {

struct RedisReply {
  char type = '\0';                  // as on the wire: + - : $ *
  std::string text;                  // of + - $
  std::int64_t number = 0;           // of :
  bool nil = false;                  // a $ or * that is none
  std::vector<RedisReply> elements;  // of *

  bool is_ok() const { return type == '+' && text == "OK"; }
  bool is_error() const { return type == '-'; }
  // An error's first word, as MOVED or WRONGTYPE; empty for any other reply.
  std::string error_code() const;
  // What each element has for text.
  std::vector<std::string> texts() const;
  // The value of `name` in a text of lines `name:value`, which is how INFO answers; empty: not
  // there.
  std::string field(std::string_view name) const;
  // The value of `name` among elements that take turns as name and value; empty: not there.
  std::string value(std::string_view name) const;
};

// How GoogleTest shows one.
void PrintTo(const RedisReply& reply, std::ostream* out);

class RedisClient {
 public:
  // A port of 127.0.0.1, or a socket's path. `patience` is for each command.
  explicit RedisClient(std::uint16_t port, std::chrono::milliseconds patience = kPatience);
  explicit RedisClient(const std::string& unix_path,
                       std::chrono::milliseconds patience = kPatience);

  // Words and replies are any bytes. Throws TimedOut, and PeerGone when the server hangs up.
  RedisReply command(const std::vector<std::string>& words);
  // The same, for what has to succeed: an error reply is thrown.
  RedisReply must(const std::vector<std::string>& words);
  // A command in two steps: several may be sent before the first reply is read.
  void send(const std::vector<std::string>& words);
  RedisReply read();

 private:
  RedisReply read_reply(Deadline deadline);
  std::string read_line(Deadline deadline);
  std::string read_bytes(std::size_t count, Deadline deadline);
  void receive_more(Deadline deadline);

  Socket socket_;
  std::chrono::milliseconds patience_;
  std::string received_;  // and not read yet
};

}  // namespace weir::test
