#include "proxy/upstream/tunnel_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

#include "base/check.h"
#include "proxy/upstream/easy_options.h"

namespace weir::upstream {

TunnelSocket::TunnelSocket(CurlLoop& curl, Owner& owner) : Transfer(curl), owner_(owner) {}

TunnelSocket::~TunnelSocket() {
  event_.reset();
  if (easy_) {
    if (started_) curl_.remove(easy_, *this);
    curl_easy_cleanup(easy_);
  } else if (fd_ >= 0) {
    close(fd_);
  }
}

void TunnelSocket::connect(const conf::Upstream& config, const conf::UpstreamUrl& url) {
  WEIR_CHECK(!easy_ && fd_ < 0);
  plain_ = url.kind != conf::UpstreamUrl::Kind::Https;
  easy_ = curl_easy_init();
  WEIR_CHECK(easy_ != nullptr);
  set_fixed_options(easy_, config);
  // A tunnel's connection is in nobody's pool, but curl looks at its age all the same.
  set_option(easy_, CURLOPT_MAXAGE_CONN, LONG_MAX / 1000);
  set_option(easy_, CURLOPT_MAXLIFETIME_CONN, 0);
  set_option(easy_, CURLOPT_FRESH_CONNECT, 1);
  set_option(easy_, CURLOPT_CONNECT_ONLY, 1);
  set_address(easy_, url);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, curl_error_);
  curl_.attach(easy_, *this);
  curl_.schedule(*this);
}

void TunnelSocket::on_turn() {
  if (easy_ && !started_) {
    started_ = true;
    curl_.add(easy_);
  } else if (event_) {
    owner_.on_ready(true, false);
  }
}

void TunnelSocket::on_done(CURLcode code) {
  curl_socket_t fd = CURL_SOCKET_BAD;
  if (code == CURLE_OK) curl_easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &fd);
  if (fd == CURL_SOCKET_BAD) {
    owner_.on_unreachable(curl_error_[0] != '\0' ? curl_error_ : curl_easy_strerror(code));
    return;
  }
  fd_ = fd;
  if (plain_) {
    curl_.adopt(fd_);
    curl_.remove(easy_, *this);
    curl_easy_cleanup(std::exchange(easy_, nullptr));
  } else {
    curl_.lease(fd_);
  }
  event_ = std::make_unique<FdEvent>(curl_.loop(), fd_, *this);
  owner_.on_connected();
}

void TunnelSocket::on_fd(bool readable, bool writable) {
  owner_.on_ready(readable, writable);
}

void TunnelSocket::want(bool read, bool write) {
  if (event_) event_->want(read, write);
}

TunnelSocket::Moved TunnelSocket::receive(char* buffer, std::size_t capacity) {
  if (easy_) {
    std::size_t got = 0;
    const CURLcode code = curl_easy_recv(easy_, buffer, capacity, &got);
    if (code == CURLE_AGAIN) return {State::Again};
    if (code != CURLE_OK) return {State::Failed};
    return {got == 0 ? State::End : State::Bytes, got};
  }
  const ssize_t got = recv(fd_, buffer, capacity, MSG_DONTWAIT);
  if (got > 0) return {State::Bytes, static_cast<std::size_t>(got)};
  if (got == 0) return {State::End};
  return {errno == EAGAIN || errno == EINTR ? State::Again : State::Failed};
}

TunnelSocket::Moved TunnelSocket::send(std::string_view bytes) {
  if (easy_) {
    std::size_t sent = 0;
    const CURLcode code = curl_easy_send(easy_, bytes.data(), bytes.size(), &sent);
    if (code == CURLE_AGAIN) return {State::Again};
    return {code == CURLE_OK ? State::Bytes : State::Failed, sent};
  }
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return {State::Bytes, static_cast<std::size_t>(sent)};
  return {errno == EAGAIN || errno == EINTR ? State::Again : State::Failed};
}

// With TLS without a close_notify, which curl cannot send alone; the peer's TLS sees the end.
void TunnelSocket::end_sending() {
  if (fd_ >= 0) shutdown(fd_, SHUT_WR);
}

}  // namespace weir::upstream
