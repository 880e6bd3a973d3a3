#include "proxy/open_address.h"

#include <unistd.h>

#include <utility>

namespace weir {
namespace {

Result<SocketAddress> socket_address(const conf::ListenAddress& listen) {
  return listen.kind == conf::ListenAddress::Kind::Unix
             ? SocketAddress::unix_path(listen.host)
             : SocketAddress::tcp(listen.host, listen.port);
}

}  // namespace

Result<OpenAddress> open_address(const conf::ListenAddress& listen, bool is_admin,
                                 std::size_t workers) {
  static std::uint64_t last_id = 0;
  const Result<SocketAddress> address = socket_address(listen);
  if (!address) return std::unexpected(address.error());
  Result<Listening> listening = listen_on(*address, workers);
  if (!listening) return std::unexpected(listening.error());
  return OpenAddress{++last_id, is_admin, std::move(*listening)};
}

void remove_socket_file(const OpenAddress& address) {
  const std::string text = address.text();
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix)) unlink(text.substr(kUnix.size()).c_str());
}

}  // namespace weir
