#include "proxy/upstream/easy_options.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <climits>

namespace weir::upstream {
namespace {

// Moves of a name are followed within this and the pool's kConnectionLife_ms.
constexpr long kNameLife_s = 30;
// Beyond the time to connect, so that whoever connects gives up before libcurl does: curl forgets a
// look-up under way, and its thread, where we keep both.
constexpr long kConnectSlack_ms = 250;

void set_option(CURL* easy, CURLoption option, long value) {
  curl_easy_setopt(easy, option, value);
}

// libcurl leaves out this mode, without which a send that was blocked must be repeated from the
// very same address; our buffers move.
CURLcode allow_moving_buffers(CURL*, void* ssl_context, void*) {
  SSL_CTX_set_mode(static_cast<SSL_CTX*>(ssl_context), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return CURLE_OK;
}

}  // namespace

void set_fixed_options(CURL* easy, const conf::Upstream& config) {
  set_option(easy, CURLOPT_CONNECT_ONLY, 1);
  set_option(easy, CURLOPT_FRESH_CONNECT, 1);
  // Ages are the pool's business; curl looks at them whenever it makes another connection.
  set_option(easy, CURLOPT_MAXAGE_CONN, LONG_MAX / 1000);
  set_option(easy, CURLOPT_MAXLIFETIME_CONN, 0);
  set_option(easy, CURLOPT_NOSIGNAL, 1);
  // Else giving up a connection whose name is still being resolved waits for the resolver, and the
  // loop with it.
  set_option(easy, CURLOPT_QUICK_EXIT, 1);
  set_option(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  set_option(easy, CURLOPT_NETRC, CURL_NETRC_IGNORED);
  set_option(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1);
  set_option(easy, CURLOPT_DNS_CACHE_TIMEOUT, kNameLife_s);
  set_option(easy, CURLOPT_SSL_VERIFYPEER, config.verify_tls ? 1 : 0);
  set_option(easy, CURLOPT_SSL_VERIFYHOST, config.verify_tls ? 2 : 0);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &allow_moving_buffers);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
}

void set_connect_timeout(CURL* easy, const conf::Upstream& config) {
  set_option(easy, CURLOPT_CONNECTTIMEOUT_MS, config.connect_timeout_ms + kConnectSlack_ms);
}

void clear_connect_timeout(CURL* easy) {
  set_option(easy, CURLOPT_CONNECTTIMEOUT_MS, 0);
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
