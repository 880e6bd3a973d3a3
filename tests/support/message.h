// HTTP messages as the tests see them, and a reader that takes them off a socket. Independent of
// Weir's own parser on purpose. Plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/socket.h"

namespace weir::test {

struct Field {
  std::string name;
  std::string value;
};

// Header fields in their order; names compare without case.
class Fields {
 public:
  Fields() = default;
  Fields(std::initializer_list<Field> fields) : fields_(fields) {}

  void add(std::string name, std::string value);
  bool has(std::string_view name) const { return count(name) > 0; }
  int count(std::string_view name) const;
  // The first value, or empty.
  std::string value(std::string_view name) const;
  // All values joined by ", ".
  std::string joined(std::string_view name) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

struct Request {
  std::string method;
  std::string target;  // as sent
  std::string path;    // the target up to '?'
  std::string query;   // behind it
  std::string version;
  Fields fields;
  std::string body;              // at most its first MiB
  std::uint64_t body_bytes = 0;  // all of it
  int connection = 0;            // which of the origin's connections brought it
};

enum class Framing { None, Length, Chunked, UntilClose };

struct Response {
  int status = 0;
  std::string version;
  Fields fields;
  std::string body;
  Framing framing = Framing::None;
  bool complete = false;  // its end arrived as its framing announced it
  std::vector<Response> informational;

  std::string value(std::string_view name) const { return fields.value(name); }
};

// Takes lines, heads and bodies off a socket. Borrows the socket, which must not move.
class Reader {
 public:
  explicit Reader(Socket& socket) : socket_(&socket) {}

  // A head with its blank line; empty when the stream ended before.
  std::optional<std::string> head(Deadline deadline);
  std::optional<std::string> line(Deadline deadline);
  // At least one byte and at most `max`; empty at the end of the stream.
  std::string some(std::size_t max, Deadline deadline);
  // Whether nothing is left and the peer has ended the stream; waits for one or the other.
  bool at_end(Deadline deadline);

  using Sink = std::function<void(std::string_view)>;
  // Each returns whether the body came to its announced end. Throws on malformed chunks.
  bool sized_body(std::uint64_t bytes, const Sink& sink, Deadline deadline);
  bool chunked_body(const Sink& sink, Deadline deadline);

 private:
  bool fill(Deadline deadline);
  std::optional<std::string> through(std::string_view mark, Deadline deadline);

  Socket* socket_;
  std::string buffer_;
};

Request parse_request(const std::string& head);
// Decides the framing too, for an answer to `method`.
Response parse_response(const std::string& head, std::string_view method);

}  // namespace weir::test
