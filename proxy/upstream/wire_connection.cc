#include "proxy/upstream/wire_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/check.h"
#include "proxy/upstream/easy_options.h"

namespace weir::upstream {
namespace {

// Whether the peer itself ended the stream, by its close_notify; libcurl takes the bare end of the
// socket for the same (RFC 9112 section 9.8).
bool ended_by_peer(CURL* easy) {
  curl_tlssessioninfo* session = nullptr;
  curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session);
  if (!session || !session->internals) return false;
  return (SSL_get_shutdown(static_cast<SSL*>(session->internals)) & SSL_RECEIVED_SHUTDOWN) != 0;
}

// Whether all was received that the peer sent before it ended the TCP stream.
bool at_end(int fd) {
  char byte = 0;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

}  // namespace

WireConnection::WireConnection(NameGate& names, Owner& owner)
    : Transfer(names.curl()), names_(names), owner_(&owner) {}

WireConnection::~WireConnection() {
  event_.reset();
  if (phase_ == Phase::LookingUp) {
    names_.abandon(*url_, easy_, std::move(curl_error_));
  } else if (easy_) {
    if (phase_ == Phase::Waiting) names_.forget(*url_, *this);
    curl_.end_lease(fd_);
    if (phase_ == Phase::Connecting || phase_ == Phase::Made) curl_.remove(easy_);
    curl_.give_easy(easy_);
  } else if (fd_ >= 0) {
    close(fd_);
  }
}

void WireConnection::connect(const conf::UpstreamUrl& url) {
  WEIR_CHECK(!easy_ && fd_ < 0);
  url_ = &url;
  easy_ = curl_.take_easy(*this);
  set_address(easy_, url);
  curl_error_ = std::make_unique<std::string>(CURL_ERROR_SIZE, '\0');
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, curl_error_->data());
  curl_.schedule(*this);
}

void WireConnection::on_turn() {
  switch (phase_) {
    case Phase::New:
      if (names_.enter(*url_, *this)) return start(Phase::LookingUp);
      phase_ = Phase::Waiting;
      return;
    case Phase::Waiting:
      if (name_error_.empty()) return start(Phase::Connecting);
      return owner_->on_unreachable(std::move(name_error_));
    case Phase::LookingUp:
    case Phase::Connecting:
      return;
    case Phase::Made:
      return owner_->on_ready(*this, true, false);
  }
}

void WireConnection::on_name(const std::string& error) {
  name_error_ = error;
  curl_.schedule(*this);
}

void WireConnection::start(Phase phase) {
  phase_ = phase;
  curl_.add(easy_);
}

// The first of several addresses: one that was in vain makes the time longer, never shorter.
bool WireConnection::on_opening() {
  if (opened_us_ == 0) opened_us_ = curl_.loop().clock().now_us();
  if (phase_ == Phase::LookingUp) {
    phase_ = Phase::Connecting;
    names_.end(*url_, {});
  }
  return true;
}

void WireConnection::on_done(CURLcode code) {
  curl_socket_t fd = CURL_SOCKET_BAD;
  if (code == CURLE_OK) curl_easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &fd);
  if (fd == CURL_SOCKET_BAD) {
    std::string error = curl_error_text(code, *curl_error_);
    if (std::exchange(phase_, Phase::Connecting) == Phase::LookingUp) names_.end(*url_, error);
    return owner_->on_unreachable(std::move(error));
  }
  phase_ = Phase::Made;
  fd_ = fd;
  if (url_->kind != conf::UpstreamUrl::Kind::Https) {
    curl_.adopt(fd_);
    curl_.remove(easy_);
    curl_.give_easy(std::exchange(easy_, nullptr));
  } else {
    curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, nullptr);
    curl_.lease(fd_, *this);
  }
  curl_error_.reset();
  born_ms_ = curl_.loop().now_ms();
  connect_us_ = curl_.loop().clock().now_us() - opened_us_;
  event_ = std::make_unique<FdEvent>(curl_.loop(), fd_, *this);
  owner_->on_connected();
}

// The descriptor's number may belong to somebody else in a moment. The owner will learn of it.
void WireConnection::on_closing() {
  event_.reset();
  fd_ = -1;
  lost_ = true;
  curl_.schedule(*this);
}

void WireConnection::on_fd(bool readable, bool writable) {
  curl_.count_wakeup();
  owner_->on_ready(*this, readable, writable);
}

void WireConnection::want(bool read, bool write) {
  if (event_) event_->want(read, write);
}

WireConnection::Moved WireConnection::receive(std::span<char> into) {
  if (easy_) {
    if (lost_) return {State::Failed};
    std::size_t got = 0;
    const CURLcode code = curl_easy_recv(easy_, into.data(), into.size(), &got);
    if (code == CURLE_AGAIN) return {State::Again};
    // Newer versions of libcurl call the bare end of the socket an error like others: the socket
    // tells it from those.
    if (code != CURLE_OK) return {at_end(fd_) ? State::Cut : State::Failed};
    if (got > 0) return {State::Bytes, got};
    return {ended_by_peer(easy_) ? State::End : State::Cut};
  }
  const ssize_t got = recv(fd_, into.data(), into.size(), MSG_DONTWAIT);
  if (got > 0) return {State::Bytes, static_cast<std::size_t>(got)};
  if (got == 0) return {State::End};
  return {errno == EAGAIN || errno == EINTR ? State::Again : State::Failed};
}

WireConnection::Moved WireConnection::send(std::string_view bytes) {
  if (easy_) {
    if (lost_) return {State::Failed};
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
void WireConnection::end_sending() {
  if (fd_ >= 0) shutdown(fd_, SHUT_WR);
}

bool WireConnection::drained() const {
  char byte = 0;
  return recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void WireConnection::acknowledge() {
  const int on = 1;
  if (fd_ >= 0) setsockopt(fd_, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

const char* cut_text(WireConnection::State how) {
  switch (how) {
    case WireConnection::State::End:
      return "the answer ended too soon";
    case WireConnection::State::Cut:
      return "the answer ended without TLS's closing alert";
    default:
      return "the connection broke";
  }
}

}  // namespace weir::upstream
