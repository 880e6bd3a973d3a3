// bench_floor PORT SIZE: answers every request with the same response of SIZE bytes: epoll_wait,
// recv, writev, and nothing in between. What no server that sends from its own memory can undercut;
// sendfile from a page cache, which copies nothing, can for large bodies.
#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "tests/bench/epoll_server.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: bench_floor PORT SIZE\n");
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const std::string body(std::strtoul(argv[2], nullptr, 10), 'x');
  const std::string head = fmt::format(
      "HTTP/1.1 200 OK\r\n"
      "Content-Type: application/octet-stream\r\n"
      "Content-Length: {}\r\n"
      "Cache-Control: max-age=3600\r\n"
      "ETag: \"floor\"\r\n"
      "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
      "Age: 1\r\n\r\n",
      body.size());
  return weir::bench::serve(port, [&](std::string_view, weir::bench::Connection&) {
    return weir::bench::Answer{head, body};
  });
}
