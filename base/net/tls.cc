#include "base/net/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/life.h"
#include "base/net/timer.h"
#include "base/net/tls_fault.h"
#include "base/net/tls_wire.h"

namespace weir {
namespace {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, FreeSsl>;

// Bytes that lie in several parts, from the first to the last.
class Cursor {
 public:
  explicit Cursor(std::span<const iovec> parts) : parts_(parts) { skip(0); }

  bool at_end() const { return parts_.empty(); }
  // The next bytes, at most one record of them, in one piece: those of small parts are joined.
  // Until the next call.
  std::span<const char> record(std::size_t most) const {
    const std::size_t first = std::min(parts_.front().iov_len - at_, most);
    const char* const bytes = static_cast<const char*>(parts_.front().iov_base) + at_;
    if (first == most || parts_.size() == 1) return {bytes, first};
    static thread_local std::array<char, kRecordBytes> joined;
    std::memcpy(joined.data(), bytes, first);
    std::size_t filled = first;
    for (const iovec& part : parts_.subspan(1)) {
      const std::size_t more = std::min(part.iov_len, most - filled);
      if (more > 0) std::memcpy(joined.data() + filled, part.iov_base, more);
      filled += more;
    }
    return {joined.data(), filled};
  }
  void skip(std::size_t bytes) {
    at_ += bytes;
    while (!parts_.empty() && at_ >= parts_.front().iov_len) {
      at_ -= parts_.front().iov_len;
      parts_ = parts_.subspan(1);
    }
  }

  static constexpr std::size_t kRecordBytes = SSL3_RT_MAX_PLAIN_LENGTH;

 private:
  std::span<const iovec> parts_;
  std::size_t at_ = 0;  // in the first of them
};

// OpenSSL is asked for one thing at a time, and answers what the socket must be ready for before it
// can go on: reading may need to write, and writing to read.
class TlsConnection final : public Connection, ConnectionHandler {
 public:
  TlsConnection(EventLoop& loop, std::unique_ptr<Connection> socket, Ssl ssl, std::string name)
      : name_(std::move(name)),
        wire_{.socket = std::move(socket)},
        ssl_(std::move(ssl)),
        again_(loop, [this] { tell(failed_ || has_unread(), failed_); }) {
    BIO* const bio = make_wire_bio(wire_);
    WEIR_CHECK(bio != nullptr);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_connect_state(ssl_.get());
    wire_.socket->set_handler(*this);
  }
  // In order, so that the peer does not take it for a cut.
  ~TlsConnection() override {
    if (!resets_ && !ends_) send_end();
  }

  void set_handler(ConnectionHandler& handler) override { handler_ = &handler; }
  void want(bool read, bool write) override {
    WEIR_CHECK(handler_ != nullptr);
    want_read_ = read;
    want_write_ = write;
    wait();
  }
  PeerState peer_state() const override { return wire_.socket->peer_state(); }
  IoResult read(std::span<char> into) override;
  IoResult write(std::span<const iovec> parts) override;
  std::string fault() const override { return fault_; }
  void shutdown_write() override {
    if (std::exchange(ends_, true)) return;
    send_end();
    wait();
  }
  void reset_on_close() override {
    resets_ = true;
    wire_.socket->reset_on_close();
  }

 private:
  enum class Outcome : std::uint8_t { Done, NeedsRead, NeedsWrite, Closed, SocketFailed, Failed };
  enum class Need : std::uint8_t { Read, Write };

  static Need need_of(Outcome outcome, Need otherwise) {
    if (outcome == Outcome::NeedsRead) return Need::Read;
    return outcome == Outcome::NeedsWrite ? Need::Write : otherwise;
  }
  // Bytes, or the end, that have come already: the socket will not tell of them.
  bool has_unread() const {
    if ((SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0) return true;
    return stands_ && !drained_ && SSL_has_pending(ssl_.get()) == 1;
  }

  Outcome outcome_of(int result);
  void shake_hands();
  void write_failed(Outcome outcome);
  void send_end();
  void on_ready(bool readable, bool writable) override;
  void tell(bool readable, bool writable);
  void wait();

  const std::string name_;
  TlsWire wire_;
  const Ssl ssl_;
  ConnectionHandler* handler_ = nullptr;
  bool want_read_ = false;
  bool want_write_ = false;

  bool stands_ = false;                // the handshake is done
  bool failed_ = false;                // nothing can be read or written any more
  std::optional<IoResult> write_end_;  // what every write is told from now on
  std::string fault_;
  // What the socket must be ready for before the next step of each.
  Need handshake_need_ = Need::Write;  // until it is connected
  Need read_need_ = Need::Read;
  Need write_need_ = Need::Write;
  bool drained_ = false;      // the last read has left no bytes but those of an unfinished record
  std::size_t withheld_ = 0;  // bytes of a record that is made but not sent: to be offered again
  bool ends_ = false;         // our end is sent, or shall be
  bool end_waits_ = false;    // it is made, and the socket did not take all of it
  bool resets_ = false;
  Timer again_;  // to tell in the next turn what the socket does not tell
  Life<TlsConnection> life_{*this};
};

TlsConnection::Outcome TlsConnection::outcome_of(int result) {
  if (result > 0) return Outcome::Done;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Outcome::NeedsRead;
    case SSL_ERROR_WANT_WRITE:
      return Outcome::NeedsWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Outcome::Closed;
    case SSL_ERROR_SYSCALL:
      fault_ = wire_.socket->fault();
      return Outcome::SocketFailed;
    default:
      fault_ = tls_fault(ssl_.get(), name_);
      return Outcome::Failed;
  }
}

void TlsConnection::shake_hands() {
  ERR_clear_error();
  const Outcome outcome = outcome_of(SSL_do_handshake(ssl_.get()));
  handshake_need_ = need_of(outcome, handshake_need_);
  if (outcome == Outcome::NeedsRead || outcome == Outcome::NeedsWrite) return;
  stands_ = outcome == Outcome::Done;
  failed_ = !stands_;
  if (outcome == Outcome::Closed) fault_ = "it has closed the connection within the handshake";
  if (ends_) send_end();
}

IoResult TlsConnection::read(std::span<char> into) {
  if (failed_) return {IoStatus::Failed};
  if (!stands_) return {IoStatus::WouldBlock};
  std::size_t filled = 0;
  Outcome outcome = Outcome::Done;
  while (filled < into.size() && outcome == Outcome::Done) {
    std::size_t got = 0;
    ERR_clear_error();
    outcome = outcome_of(SSL_read_ex(ssl_.get(), into.data() + filled, into.size() - filled, &got));
    filled += got;
  }
  drained_ = outcome != Outcome::Done;
  read_need_ = need_of(outcome, Need::Read);
  failed_ = outcome == Outcome::Failed || outcome == Outcome::SocketFailed;
  wait();
  // What has ended it, if anything, is told at the next call.
  if (filled > 0) return {IoStatus::Ok, filled};
  if (failed_) return {IoStatus::Failed};
  return {outcome == Outcome::Closed ? IoStatus::Closed : IoStatus::WouldBlock};
}

// One record at a time. One that the socket did not take whole stays with OpenSSL, which wants to
// be called with just the same bytes again, and tells of them only when they are sent.
IoResult TlsConnection::write(std::span<const iovec> parts) {
  if (failed_) return {IoStatus::Failed};
  if (write_end_) return *write_end_;
  if (ends_) return {IoStatus::Closed};
  if (!stands_) return {IoStatus::WouldBlock};
  std::size_t taken = 0;
  Cursor cursor(parts);
  while (!cursor.at_end()) {
    const auto record = cursor.record(withheld_ > 0 ? withheld_ : Cursor::kRecordBytes);
    if (record.size() < withheld_) {
      fault_ = "what was begun to be sent is not there any more";
      write_end_ = IoResult{IoStatus::Failed};
      break;
    }
    std::size_t sent = 0;
    ERR_clear_error();
    const Outcome outcome =
        outcome_of(SSL_write_ex(ssl_.get(), record.data(), record.size(), &sent));
    write_need_ = need_of(outcome, Need::Write);
    if (outcome == Outcome::NeedsRead || outcome == Outcome::NeedsWrite) {
      withheld_ = record.size();
      break;
    }
    if (outcome != Outcome::Done) {
      write_failed(outcome);
      break;
    }
    withheld_ = 0;
    taken += sent;
    cursor.skip(sent);
  }
  wait();
  if (taken > 0) return {IoStatus::Ok, taken};
  if (failed_) return {IoStatus::Failed};
  return write_end_.value_or(IoResult{IoStatus::WouldBlock});
}

// A peer that goes may have said why, and may have sent more than that: its bytes can still be
// read where only the socket has failed.
void TlsConnection::write_failed(Outcome outcome) {
  write_end_ = IoResult{IoStatus::Failed};
  failed_ = outcome != Outcome::SocketFailed;
  if (failed_) return;
  if (wire_.last_write == IoStatus::Closed) write_end_ = IoResult{IoStatus::Closed};
  char byte = 0;
  std::size_t got = 0;
  ERR_clear_error();
  const int result = SSL_peek_ex(ssl_.get(), &byte, 1, &got);
  drained_ = result <= 0;
  if (result > 0 || SSL_get_error(ssl_.get(), result) != SSL_ERROR_SSL) return;
  failed_ = true;
  if (tls_peer_told_why()) fault_ = tls_fault(ssl_.get(), name_);
}

// Not behind half a record: the peer shall see that it was cut.
void TlsConnection::send_end() {
  if (!stands_ || failed_ || write_end_ || withheld_ > 0) return;
  ERR_clear_error();
  const int result = SSL_shutdown(ssl_.get());
  end_waits_ = result < 0 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_WRITE;
}

void TlsConnection::on_ready(bool readable, bool writable) {
  if (!stands_) {
    shake_hands();
    return wait();
  }
  if (end_waits_ && writable) send_end();
  tell(read_need_ == Need::Read ? readable : writable,
       write_need_ == Need::Write ? writable : readable);
}

void TlsConnection::tell(bool readable, bool writable) {
  readable = readable && want_read_;
  writable = writable && want_write_;
  const Weak<TlsConnection> weak = life_.watch();
  if (readable || writable) handler_->on_ready(readable, writable);
  if (weak) wait();
}

// For what is wanted: of the socket, or by the timer where that has nothing to tell. By the timer
// and not by a posted task, since that would run in the same turn, as would all that follow it: one
// who leaves bytes for the next turn, so that others get theirs, would not be let go.
void TlsConnection::wait() {
  const bool wants = want_read_ || want_write_;
  const bool by_timer = failed_ ? wants : want_read_ && has_unread();
  if (!by_timer) again_.stop();
  // A start anew in each turn would put it off for ever.
  if (by_timer && !again_.active()) again_.start(0);

  bool read = false;
  bool write = false;
  if (!failed_ && !stands_) {
    (handshake_need_ == Need::Read ? read : write) = wants;
  } else if (!failed_) {
    if (want_read_ && !by_timer) (read_need_ == Need::Read ? read : write) = true;
    if (want_write_) (write_need_ == Need::Write ? write : read) = true;
    write = write || end_waits_;
  }
  wire_.socket->want(read, write);
}

Result<Ssl> make_session(const TlsContext& context, const std::string& name) {
  ERR_clear_error();
  Ssl ssl(SSL_new(context.get()));
  if (!ssl) return fail(ErrorCode::System, "cannot set up TLS: " + tls_reason());
  // No name would be any name for OpenSSL, and one with a dot in front any name below it.
  const std::string host = name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
  X509_VERIFY_PARAM* const verify = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  bool taken = !host.empty() && !host.starts_with('.');
  if (taken && SocketAddress::tcp(host, 0)) {
    taken = X509_VERIFY_PARAM_set1_ip_asc(verify, host.c_str()) == 1;
  } else if (taken) {
    taken = X509_VERIFY_PARAM_set1_host(verify, host.data(), host.size()) == 1 &&
            SSL_set_tlsext_host_name(ssl.get(), host.c_str()) == 1;
  }
  if (!taken) return fail(ErrorCode::Invalid, fmt::format("\"{}\" is no name of a server", name));
  return ssl;
}

}  // namespace

Result<std::unique_ptr<Connection>> make_tls_connection(
    EventLoop& loop, std::unique_ptr<Connection> socket,
    const std::shared_ptr<const TlsContext>& context, const std::string& name) {
  Result<Ssl> ssl = make_session(*context, name);
  if (!ssl) return std::unexpected(ssl.error());
  return std::make_unique<TlsConnection>(loop, std::move(socket), std::move(*ssl), name);
}

Result<std::unique_ptr<Connection>> connect_tls(EventLoop& loop, const SocketAddress& address,
                                                const std::shared_ptr<const TlsContext>& context,
                                                const std::string& name) {
  Result<std::unique_ptr<Connection>> socket = connect_to(loop, address);
  if (!socket) return socket;
  return make_tls_connection(loop, std::move(*socket), context, name);
}

}  // namespace weir
