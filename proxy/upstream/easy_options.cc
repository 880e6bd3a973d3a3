#include "proxy/upstream/easy_options.h"

#include <fmt/format.h>

namespace weir::upstream {
namespace {

// Idle connections are given up before common apps give them up themselves (Node, uvicorn: 5 s), so
// that a request seldom meets a connection that is being closed. What closes sooner (gunicorn: 2 s)
// is noticed by its end.
constexpr long kIdleConnection_s = 4;
// Moves of a name are followed within these two.
constexpr long kConnectionLife_s = 60;
constexpr long kNameLife_s = 30;

}  // namespace

void set_fixed_options(CURL* easy, const conf::Upstream& config) {
  set_option(easy, CURLOPT_NOSIGNAL, 1);
  set_option(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  set_option(easy, CURLOPT_HTTP09_ALLOWED, 0);
  set_option(easy, CURLOPT_HTTP_TRANSFER_DECODING, 0);
  set_option(easy, CURLOPT_HTTP_CONTENT_DECODING, 0);
  set_option(easy, CURLOPT_PATH_AS_IS, 1);
  set_option(easy, CURLOPT_FOLLOWLOCATION, 0);
  set_option(easy, CURLOPT_NETRC, CURL_NETRC_IGNORED);
  set_option(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1);
  set_option(easy, CURLOPT_MAXAGE_CONN, kIdleConnection_s);
  set_option(easy, CURLOPT_MAXLIFETIME_CONN, kConnectionLife_s);
  set_option(easy, CURLOPT_DNS_CACHE_TIMEOUT, kNameLife_s);
  set_option(easy, CURLOPT_SSL_VERIFYPEER, config.verify_tls ? 1 : 0);
  set_option(easy, CURLOPT_SSL_VERIFYHOST, config.verify_tls ? 2 : 0);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
}

void set_address(CURL* easy, const conf::UpstreamUrl& url) {
  const bool unix_socket = url.kind == conf::UpstreamUrl::Kind::Unix;
  const bool tls = url.kind == conf::UpstreamUrl::Kind::Https;
  const std::string text = unix_socket
                               ? "http://localhost/"
                               : fmt::format("http{}://{}:{}/", tls ? "s" : "", url.host, url.port);
  curl_easy_setopt(easy, CURLOPT_URL, text.c_str());
  curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, unix_socket ? url.socket_path.c_str() : nullptr);
}

}  // namespace weir::upstream
