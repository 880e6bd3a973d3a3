#include "proxy/upstream/tunnel.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/life.h"
#include "base/net/timer.h"
#include "proxy/upstream/answer_reader.h"
#include "proxy/upstream/request_writer.h"
#include "proxy/upstream/wire_connection.h"

namespace weir::upstream {
namespace {

constexpr std::size_t kReadSize = 16 * 1024;
// Reads in one turn before the loop's other events get theirs.
constexpr int kReads = 8;

class TunnelFetch final : public Fetch,
                          public Tunnel,
                          public WireConnection::Owner,
                          public ConnectionPlaces::Guest {
 public:
  TunnelFetch(WirePool& wires, UpstreamPool& pool, FetchRequest request, FetchSink& sink);
  ~TunnelFetch() override;

  bool waiting() const override { return waits_for_place(); }
  std::int64_t sent_ms() const override { return sent_ms_; }
  void pause() override;
  void resume() override;
  void body_ready() override {}
  void hurry() override { pool_.places().hurry(*this); }
  Tunnel* tunnel() override { return answer_.tunnel() ? this : nullptr; }

  std::size_t send(std::string_view bytes) override;
  void set_writable(std::move_only_function<void()> callback) override {
    writable_ = std::move(callback);
  }
  void shutdown() override;

 private:
  void on_place() override { connect(); }
  void on_connected() override;
  void on_unreachable(std::string message) override;
  void on_ready(WireConnection& connection, bool readable, bool writable) override;

  std::int64_t now_ms() { return wires_.loop().now_ms(); }
  void connect();
  void disconnect();
  void try_next(FetchResult result, std::string message);
  void write_head();
  void read_some();
  void on_stream_end(WireConnection::State how);
  bool feed(std::string_view bytes);
  bool feed_head(std::string_view& bytes);
  bool feed_body(std::string_view bytes);
  void leave_place();
  void time_app();
  void on_deadline();
  void finish(FetchResult result, std::string message);
  void update_interest();

  WirePool& wires_;
  UpstreamPool& pool_;
  const FetchRequest request_;
  FetchSink* sink_;
  std::unique_ptr<WireConnection> socket_;  // null before it has a place and once it has ended
  AnswerReader answer_;
  Deadline deadline_;
  std::move_only_function<void()> writable_;
  std::string unsent_;  // what is left of our head
  std::optional<std::size_t> avoid_url_;
  std::size_t url_ = 0;
  std::size_t failovers_ = 0;
  std::int64_t answer_by_ms_;
  std::int64_t sent_ms_ = 0;
  bool counted_ = false;  // the socket is the pool's as well as ours
  bool connected_ = false;
  bool paused_ = false;
  bool blocked_ = false;           // the client's bytes wait for the app
  bool ending_ = false;            // the client sends no more
  Life<TunnelFetch> life_{*this};  // whoever calls the sink looks here before going on
};

TunnelFetch::TunnelFetch(WirePool& wires, UpstreamPool& pool, FetchRequest request, FetchSink& sink)
    : Guest(wires.loop()),
      wires_(wires),
      pool_(pool),
      request_(std::move(request)),
      sink_(&sink),
      answer_(pool.response_headers()),
      deadline_(wires.loop(), [this] { on_deadline(); }),
      answer_by_ms_(now_ms() + pool.config().first_byte_timeout_ms) {
  answer_.reset(request_.method == http::Method::Head, true);
  deadline_.set(answer_by_ms_);
  pool_.places().enter(*this, PlaceKind::Visit);
}

TunnelFetch::~TunnelFetch() {
  disconnect();
  pool_.places().leave(*this);
}

void TunnelFetch::connect() {
  url_ = pool_.pick(now_ms(), avoid_url_);
  pool_.begin(url_);
  socket_ = wires_.open(url_, *this);
  counted_ = true;
  deadline_.set(std::min(answer_by_ms_, now_ms() + pool_.config().connect_timeout_ms));
}

void TunnelFetch::disconnect() {
  if (!socket_) return;
  pool_.end(url_);
  if (std::exchange(counted_, false)) return wires_.close(std::move(socket_));
  socket_.reset();
}

// The connection is a tunnel now, and the next may have the place.
void TunnelFetch::leave_place() {
  if (std::exchange(counted_, false)) wires_.part_with();
  pool_.places().leave(*this);
}

void TunnelFetch::on_connected() {
  connected_ = true;
  pool_.connected(url_);
  const std::string_view host = pool_.host(url_, request_.host);
  if (!append_request_head(unsent_, request_, host)) {
    return finish(FetchResult::Refused, "the request cannot be sent: a control byte in its head");
  }
  deadline_.set(answer_by_ms_);
  sent_ms_ = now_ms();
  write_head();
}

void TunnelFetch::on_unreachable(std::string message) {
  try_next(FetchResult::Refused, std::move(message));
}

void TunnelFetch::try_next(FetchResult result, std::string message) {
  pool_.failed(url_, now_ms());
  if (++failovers_ >= pool_.size()) return finish(result, std::move(message));
  disconnect();
  avoid_url_ = url_;
  connect();
}

void TunnelFetch::on_deadline() {
  if (socket_ && !connected_ && now_ms() < answer_by_ms_) {
    return try_next(FetchResult::Timeout, "no connection in time");
  }
  const char* why = answer_.has_head() ? "the answer's body stopped coming"
                    : socket_          ? "no answer in time"
                                       : "no free connection in time";
  finish(FetchResult::Timeout, why);
}

void TunnelFetch::write_head() {
  const WireConnection::Moved moved = socket_->send(unsent_);
  if (moved.state == WireConnection::State::Failed) {
    return finish(FetchResult::Broken, "the connection died before the answer");
  }
  unsent_.erase(0, moved.bytes);
  update_interest();
}

void TunnelFetch::update_interest() {
  if (socket_) socket_->want(!paused_ && unsent_.empty(), blocked_ || !unsent_.empty());
}

void TunnelFetch::on_ready(WireConnection&, bool readable, bool writable) {
  if (writable && !unsent_.empty()) return write_head();
  const Weak<TunnelFetch> self = life_.watch();
  if (writable && blocked_) {
    blocked_ = false;
    time_app();
    update_interest();
    if (writable_) {
      // Its own object for the call: it may be replaced, or go with the tunnel.
      auto call = std::move(writable_);
      call();
      if (!self) return;
      if (!writable_) writable_ = std::move(call);
    }
  }
  if (readable && socket_ && !paused_) read_some();
}

void TunnelFetch::read_some() {
  const Weak<TunnelFetch> self = life_.watch();
  char buffer[kReadSize];
  for (int i = 0; i < kReads; ++i) {
    const WireConnection::Moved moved = socket_->receive(buffer);
    if (moved.state == WireConnection::State::Again) return;
    if (moved.state != WireConnection::State::Bytes) return on_stream_end(moved.state);
    const bool more = feed({buffer, moved.bytes});
    if (!self || !more || paused_) return;
  }
  socket_->read_soon();
}

// A tunnel's protocol tells its own ends, and many apps end TLS without an alert.
void TunnelFetch::on_stream_end(WireConnection::State how) {
  const bool orderly =
      how == WireConnection::State::End || (how == WireConnection::State::Cut && answer_.tunnel());
  const FetchResult result = orderly ? answer_.result_at_end() : FetchResult::Broken;
  finish(result, result == FetchResult::Broken ? cut_text(how) : "");
}

// False when the fetch has ended or gone.
bool TunnelFetch::feed(std::string_view bytes) {
  while (!answer_.has_head() && !bytes.empty()) {
    if (!feed_head(bytes)) return false;
  }
  return feed_body(bytes);
}

bool TunnelFetch::feed_head(std::string_view& bytes) {
  const Weak<TunnelFetch> self = life_.watch();
  const AnswerReader::Event event = pass_head(answer_, bytes, *sink_);
  if (!self) return false;
  if (event == AnswerReader::Event::Garbage) {
    finish(FetchResult::Garbage, answer_.error());
    return false;
  }
  if (event != AnswerReader::Event::Head) return true;
  if (answer_.tunnel()) leave_place();
  time_app();
  if (!answer_.complete()) return true;
  finish(FetchResult::Complete, {});
  return false;
}

bool TunnelFetch::feed_body(std::string_view bytes) {
  const Weak<TunnelFetch> self = life_.watch();
  if (answer_.has_head()) time_app();
  while (!bytes.empty() && (!answer_.complete() || answer_.chunked())) {
    std::string_view data;
    if (!answer_.feed_body(bytes, data)) {
      finish(FetchResult::Garbage, answer_.error());
      return false;
    }
    if (!data.empty()) sink_->on_body(data);
    if (!self) return false;
  }
  if (!answer_.complete()) return true;
  finish(FetchResult::Complete, {});
  return false;
}

void TunnelFetch::finish(FetchResult result, std::string message) {
  if (socket_ && !message.empty()) message = fmt::format("{}: {}", pool_.url(url_).text, message);
  deadline_.clear();
  disconnect();
  pool_.places().leave(*this);
  // Last: the sink may destroy this object.
  sink_->on_end({result, std::move(message), answer_.any_byte()});
}

// After the head. The app's silence is counted in an ordinary answer; in a tunnel, which may be
// silent for as long as it likes, only when its client has ended, or when it takes nothing more.
void TunnelFetch::time_app() {
  const bool in_answer = !answer_.tunnel() && !answer_.event_stream();
  const bool in_tunnel = answer_.tunnel() && (ending_ || blocked_);
  if (paused_ || !(in_answer || in_tunnel)) return deadline_.clear();
  deadline_.set(now_ms() + pool_.config().idle_timeout_ms);
}

void TunnelFetch::pause() {
  if (std::exchange(paused_, true) || !socket_) return;
  if (answer_.has_head()) time_app();
  update_interest();
}

void TunnelFetch::resume() {
  if (!std::exchange(paused_, false) || !socket_) return;
  if (answer_.has_head()) time_app();
  update_interest();
  if (connected_) socket_->read_soon();
}

std::size_t TunnelFetch::send(std::string_view bytes) {
  if (!socket_ || ending_ || blocked_) return 0;
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const WireConnection::Moved moved = socket_->send(bytes.substr(taken));
    if (moved.state == WireConnection::State::Failed)
      return bytes.size();  // reading tells of the end
    taken += moved.bytes;
    if (moved.state == WireConnection::State::Again || moved.bytes == 0) break;
  }
  blocked_ = taken < bytes.size();
  time_app();
  update_interest();
  return taken;
}

void TunnelFetch::shutdown() {
  if (!socket_ || std::exchange(ending_, true)) return;
  socket_->end_sending();
  time_app();
}

}  // namespace

std::unique_ptr<Fetch> make_tunnel(WirePool& wires, UpstreamPool& pool, FetchRequest request,
                                   FetchSink& sink) {
  return std::make_unique<TunnelFetch>(wires, pool, std::move(request), sink);
}

}  // namespace weir::upstream
