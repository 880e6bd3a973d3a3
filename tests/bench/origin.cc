// bench_origin PORT: the app behind the servers under test, as cheap as it can be.
//   /obj/SIZE/N  SIZE bytes (up to 1 MiB), fresh for an hour, with a validator
//   /private     1 KiB that no shared cache may store
//   /tagged/N    1 KiB with a tag, t and N modulo 100, and how often the app has changed
//   /change      the app changes; answers how often it has
//   /bytes       the bytes of all bodies that it has sent of /obj
//   /count       how many requests it has answered, the last three aside: what proves a hit to be
//   one
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>

#include "tests/bench/epoll_server.h"

namespace {

using weir::bench::Answer;
using weir::bench::Connection;
using weir::bench::path_of;

constexpr std::size_t kLargestBody = 1 << 20;
constexpr std::size_t kSmallBody = 1 << 10;
constexpr std::uint64_t kTags = 100;

class Origin {
 public:
  Answer operator()(std::string_view request, Connection& connection) {
    const std::string_view path = path_of(request);
    if (path == "/count") return told(answered_, connection);
    if (path == "/bytes") return told(bytes_, connection);
    if (path == "/change") return told(++changes_, connection);
    ++answered_;
    if (path == "/private") {
      return with_head(connection, kSmallBody, "Cache-Control: private, no-store\r\n");
    }
    if (path.starts_with("/obj/")) return object(path, connection);
    if (path.starts_with("/tagged/")) return tagged(path, connection);
    return {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", {}};
  }

 private:
  Answer object(std::string_view path, Connection& connection) {
    const std::string_view name = path.substr(std::string_view("/obj/").size());
    std::size_t size = 0;
    std::from_chars(name.data(), name.data() + name.size(), size);
    size = std::min(size, kLargestBody);
    bytes_ += size;
    std::array<char, 128> fields;
    const auto end = fmt::format_to_n(fields.data(), fields.size(),
                                      "Cache-Control: max-age=3600\r\nETag: \"{}\"\r\n", name);
    return with_head(connection, size, {fields.data(), std::min(end.size, fields.size())});
  }

  Answer tagged(std::string_view path, Connection& connection) {
    const std::string_view digits = path.substr(std::string_view("/tagged/").size());
    std::uint64_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    std::array<char, 128> fields;
    const auto end =
        fmt::format_to_n(fields.data(), fields.size(),
                         "Cache-Control: max-age=3600\r\nCache-Tag: t{}\r\nVersion: {}\r\n",
                         number % kTags, changes_);
    return with_head(connection, kSmallBody, {fields.data(), std::min(end.size, fields.size())});
  }

  Answer with_head(Connection& connection, std::size_t size, std::string_view fields) {
    const auto end = fmt::format_to_n(connection.scratch.data(), connection.scratch.size(),
                                      "HTTP/1.1 200 OK\r\n"
                                      "Content-Type: application/octet-stream\r\n"
                                      "Content-Length: {}\r\n{}\r\n",
                                      size, fields);
    return {{connection.scratch.data(), end.size}, std::string_view(body_).substr(0, size)};
  }

  Answer told(std::uint64_t number, Connection& connection) {
    const std::string digits = std::to_string(number);
    const auto end =
        fmt::format_to_n(connection.scratch.data(), connection.scratch.size(),
                         "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", digits.size(), digits);
    return {{connection.scratch.data(), end.size}, {}};
  }

  std::string body_ = std::string(kLargestBody, 'x');
  std::uint64_t answered_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t changes_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: bench_origin PORT\n");
    return 2;
  }
  return weir::bench::serve(static_cast<std::uint16_t>(std::atoi(argv[1])), Origin());
}
