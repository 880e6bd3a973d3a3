// A client's connection whose other end is the test: it sends, takes, half-closes and resets as it
// is told, and nothing of it passes through a socket. One thread.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/net/connection.h"

namespace weir::test {

// The test's end; the Connection is the program's. Outlives it.
class ScriptedClient {
 public:
  // Once.
  std::unique_ptr<Connection> connection() { return std::make_unique<End>(*this); }

  // ---- what the client does; the program hears of it in deliver() ----
  void sends(std::string_view bytes) { unread_ += bytes; }
  void half_closes() { half_closed_ = true; }  // it still reads
  void resets() { reset_ = true; }
  // From now on its system takes so many more bytes.
  void takes(std::size_t bytes) { room_ = bytes; }
  void takes_all() { room_ = SIZE_MAX; }

  // Tells the program what it waits for, again and again until nothing is left to tell: readiness
  // is level-triggered. False when that never ends.
  bool deliver() {
    for (int i = 0; i < 1000; ++i) {
      const bool read = want_read_ && (!unread_.empty() || half_closed_ || reset_);
      const bool write = want_write_ && (room_ > 0 || reset_);
      if (!handler_ || (!read && !write)) return true;
      handler_->on_ready(read, write);
    }
    return false;
  }

  // ---- what it sees ----
  // All that was received since the last call.
  std::string received() { return std::exchange(received_, {}); }
  std::size_t received_bytes() const { return received_.size(); }
  // The program will send no more.
  bool sees_end() const { return shut_ || gone(); }
  // The program has dropped the connection.
  bool gone() const { return gone_; }
  // … so that what was received cannot be taken for a whole message.
  bool was_reset() const { return gone_ && resets_on_close_; }

  // ---- what the program does ----
  std::size_t unread_bytes() const { return unread_.size(); }
  bool is_read() const { return want_read_; }
  int reads() const { return reads_; }
  int writes() const { return writes_; }

 private:
  class End final : public Connection {
   public:
    explicit End(ScriptedClient& client) : client_(client) {}
    ~End() override {
      client_.handler_ = nullptr;
      client_.gone_ = true;
    }
    void set_handler(ConnectionHandler& handler) override { client_.handler_ = &handler; }
    void want(bool read, bool write) override {
      client_.want_read_ = read;
      client_.want_write_ = write;
    }
    PeerState peer_state() const override {
      if (client_.reset_) return PeerState::Gone;
      return client_.half_closed_ ? PeerState::Ended : PeerState::Open;
    }
    IoResult read(std::span<char> into) override { return client_.give(into); }
    IoResult write(std::span<const iovec> parts) override { return client_.take(parts); }
    std::string fault() const override { return "scripted"; }
    void shutdown_write() override { client_.shut_ = true; }
    void reset_on_close() override { client_.resets_on_close_ = true; }

   private:
    ScriptedClient& client_;
  };

  IoResult give(std::span<char> into) {
    ++reads_;
    if (reset_) return {IoStatus::Failed};
    const std::size_t bytes = std::min(into.size(), unread_.size());
    if (bytes == 0) return {half_closed_ ? IoStatus::Closed : IoStatus::WouldBlock};
    std::copy_n(unread_.data(), bytes, into.data());
    unread_.erase(0, bytes);
    return {IoStatus::Ok, bytes};
  }
  IoResult take(std::span<const iovec> parts) {
    ++writes_;
    if (reset_) return {IoStatus::Closed};
    std::size_t taken = 0;
    for (const iovec& part : parts) {
      const std::size_t bytes = std::min(room_ - taken, part.iov_len);
      received_.append(static_cast<const char*>(part.iov_base), bytes);
      taken += bytes;
    }
    if (room_ != SIZE_MAX) room_ -= taken;
    if (taken == 0) return {IoStatus::WouldBlock};
    return {IoStatus::Ok, taken};
  }

  ConnectionHandler* handler_ = nullptr;
  std::string unread_;  // sent, and not read by the program
  std::string received_;
  std::size_t room_ = SIZE_MAX;
  bool half_closed_ = false;
  bool reset_ = false;
  bool want_read_ = false;
  bool want_write_ = false;
  bool shut_ = false;
  bool gone_ = false;
  bool resets_on_close_ = false;
  int reads_ = 0;
  int writes_ = 0;
};

}  // namespace weir::test
