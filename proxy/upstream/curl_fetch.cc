#include "proxy/upstream/curl_fetch.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "proxy/upstream/curl_fetcher.h"
#include "proxy/upstream/easy_options.h"
#include "proxy/upstream/end_of_transfer.h"

namespace weir::upstream {
namespace {

// A resumed transfer that has not moved for so long is resumed once more: libcurl has had bugs in
// which it forgot them.
constexpr std::int64_t kNudgeAfter_ms = 500;
constexpr int kNudges = 4;

// A login that belongs to the connection (NTLM, Negotiate).
bool authenticates_connection(const FetchRequest& request) {
  const std::string_view value = request.fields.value(http::FieldId::Authorization);
  return starts_with_ignore_case(value, "NTLM") || starts_with_ignore_case(value, "Negotiate");
}

}  // namespace

class CurlFetch::Handle final : public Fetch {
 public:
  explicit Handle(CurlFetch& fetch) : fetch_(&fetch) {}
  ~Handle() override {
    if (fetch_) fetch_->cancel();
  }
  void detach() { fetch_ = nullptr; }

  void pause() override {
    if (!fetch_ || std::exchange(fetch_->receive_paused_, true)) return;
    fetch_->curl_.schedule(*fetch_);
  }
  void resume() override {
    if (!fetch_ || !std::exchange(fetch_->receive_paused_, false)) return;
    fetch_->curl_.schedule(*fetch_);
  }
  void body_ready() override {
    if (!fetch_ || !std::exchange(fetch_->send_paused_, false)) return;
    fetch_->curl_.schedule(*fetch_);
  }
  std::size_t tunnel_send(std::string_view) override { return 0; }
  void set_tunnel_writable(std::move_only_function<void()>) override {}
  void tunnel_shutdown() override {}

 private:
  CurlFetch* fetch_;
};

CurlFetch::CurlFetch(CurlFetcher& fetcher, CurlLoop& curl, UpstreamPool& pool)
    : Transfer(curl),
      fetcher_(fetcher),
      pool_(pool),
      deadline_(curl.loop(), [this] { on_deadline(); }) {}

CurlFetch::~CurlFetch() {
  if (handle_) handle_->detach();
  if (phase_ == Phase::Running) end_attempt();
  if (has_easy()) curl_easy_cleanup(easy_.handle);
}

std::unique_ptr<Fetch> CurlFetch::begin(FetchRequest request, FetchSink& sink,
                                        std::optional<std::size_t> only_url) {
  WEIR_CHECK(phase_ == Phase::Idle);
  request_ = std::move(request);
  if (request_.framing == http::Framing::None ||
      (request_.framing == http::Framing::Length && request_.content_length == 0)) {
    request_.body = nullptr;
  }
  sink_ = &sink;
  only_url_ = only_url;
  verdict_.reset();
  avoid_url_.reset();
  body_read_ = 0;
  retries_ = 0;
  failovers_ = 0;
  body_done_ = !has_body();
  receive_paused_ = send_paused_ = need_fresh_ = false;
  phase_ = Phase::Waiting;
  answer_by_ms_ = curl_.loop().now_ms() + pool_.config().first_byte_timeout_ms;
  arm_deadline();
  if (!is_sendable(request_, pool_.host(0, request_.host))) {
    stop(FetchResult::Refused, "the request cannot be sent: a control byte in its head");
  }
  auto handle = std::make_unique<Handle>(*this);
  handle_ = handle.get();
  return handle;
}

void CurlFetch::admit() {
  phase_ = Phase::Admitted;
  curl_.schedule(*this);
}

void CurlFetch::cancel() {
  handle_ = nullptr;
  sink_ = nullptr;
  request_.body = nullptr;  // its owner may go at once
  if (curl_.in_curl()) {
    curl_.schedule(*this);
  } else {
    abandon();
  }
}

void CurlFetch::abandon() {
  if (phase_ == Phase::Running) end_attempt();
  fetcher_.leave(*this, std::exchange(phase_, Phase::Idle) == Phase::Waiting);
}

void CurlFetch::on_turn() {
  if (phase_ == Phase::Idle) return;
  if (!sink_) return abandon();
  if (verdict_) return finish(std::move(*verdict_));
  if (phase_ == Phase::Admitted) return start_attempt();
  if (phase_ != Phase::Running) return;
  if (answer_.complete() && has_body()) {
    // Had curl got rid of the whole body, it would have said so before this turn: an early answer.
    // The app does not wait for the rest, nor do we. The connection goes with the handle.
    return finish({FetchResult::Complete, {}, true});
  }
  reconcile_pause();
}

void CurlFetch::start_attempt() {
  url_ = only_url_ ? *only_url_ : pool_.pick(curl_.loop().now_ms(), avoid_url_);
  pool_.begin(url_);
  answer_.reset(request_.method == http::Method::Head, false);
  sends_ = curl_pauses_ = 0;
  veto_ = Veto::None;
  connected_ = connect_timed_out_ = fresh_ = false;
  connect_by_ms_ = nudge_at_ms_ = kNever;
  curl_error_[0] = '\0';
  configure();
  phase_ = Phase::Running;
  curl_.add(easy_.handle);
}

void CurlFetch::make_easy() {
  if (has_easy()) return;
  easy_.handle = curl_easy_init();
  WEIR_CHECK(easy_.handle != nullptr);
  set_fixed_options(easy_.handle, pool_.config());
  set_callbacks();
}

void CurlFetch::inherit(CurlFetch& other) {
  if (has_easy()) return;
  easy_ = std::exchange(other.easy_, {});
  if (has_easy()) set_callbacks();
}

void CurlFetch::configure() {
  make_easy();
  CURL* easy = easy_.handle;
  if (easy_.url != url_) {
    set_address(easy, pool_.url(url_));
    easy_.url = url_;
  }
  configure_method();
  curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, request_.target.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
                   lines_.build(request_, pool_.host(url_, request_.host)));
  // libcurl sends any request again when a kept connection turns out to be dead. on_send() forbids
  // it; a fresh connection spares those that may not be repeated the failure.
  const bool fresh = need_fresh_ || has_body() || !http::is_idempotent(request_.method);
  if (std::exchange(easy_.fresh, fresh) != fresh) set_option(easy, CURLOPT_FRESH_CONNECT, fresh);
  const bool forbid = authenticates_connection(request_);
  if (std::exchange(easy_.forbid, forbid) != forbid) set_option(easy, CURLOPT_FORBID_REUSE, forbid);
}

void CurlFetch::configure_method() {
  CURL* easy = easy_.handle;
  const bool upload = has_body();
  const bool head = request_.method == http::Method::Head && !upload;
  if ((easy_.nobody && !head) || (easy_.upload && !upload)) set_option(easy, CURLOPT_HTTPGET, 1);
  if (head && !easy_.nobody) set_option(easy, CURLOPT_NOBODY, 1);
  if (upload) {
    const bool known = request_.framing == http::Framing::Length;
    set_option(easy, CURLOPT_UPLOAD, 1);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                     known ? static_cast<curl_off_t>(request_.content_length) : curl_off_t{-1});
  }
  easy_.nobody = head;
  easy_.upload = upload;
  const bool plain = head || (request_.method == http::Method::Get && !upload);
  const std::string_view method = plain ? std::string_view{} : request_.method_text;
  if (easy_.method == method) return;
  easy_.method = method;
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, plain ? nullptr : easy_.method.c_str());
}

void CurlFetch::end_attempt() {
  curl_.remove(easy_.handle, *this);
  pool_.end(url_);
  connect_by_ms_ = nudge_at_ms_ = kNever;
  phase_ = Phase::Admitted;
}

void CurlFetch::on_done(CURLcode code) {
  FetchEnd end = judge(code);
  end_attempt();
  if (!sink_) return abandon();
  if (try_again(end, code)) return start_attempt();
  finish(std::move(end));
}

FetchEnd CurlFetch::judge(CURLcode code) {
  if (verdict_) return std::move(*verdict_);
  const bool answered = answer_.any_line();
  if (veto_ == Veto::Resend) {
    return {FetchResult::Broken, "the kept connection died before the answer", false};
  }
  if (code == CURLE_OK) {
    const FetchResult result = answer_.result_at_end();
    const char* why = result == FetchResult::Broken ? "the answer ended too soon" : "";
    return {result, why, answered};
  }
  const char* why = curl_error_[0] != '\0' ? curl_error_ : curl_easy_strerror(code);
  const FetchResult result = result_of(code, connected_);
  return {result, why, answered || result == FetchResult::Garbage};
}

bool CurlFetch::may_repeat() const {
  return http::is_idempotent(request_.method) && body_untouched() && !only_url_ &&
         retries_ < pool_.config().retries;
}

bool CurlFetch::try_again(FetchEnd& end, CURLcode code) {
  if (veto_ == Veto::Stale && code == CURLE_ABORTED_BY_CALLBACK) {
    need_fresh_ = true;
    return true;
  }
  const bool unreachable = end.result == FetchResult::Refused || connect_timed_out_;
  if (unreachable) {
    pool_.failed(url_, curl_.loop().now_ms());
    // Nothing was sent: another address may serve any method.
    const bool other = !only_url_ && body_untouched() && ++failovers_ < pool_.size();
    if (!other) return false;
  } else {
    if (end.result != FetchResult::Broken || end.app_sent_bytes || !may_repeat()) return false;
    ++retries_;
    need_fresh_ = true;
  }
  avoid_url_ = url_;
  verdict_.reset();
  return true;
}

void CurlFetch::finish(FetchEnd end) {
  if (phase_ == Phase::Running) end_attempt();
  FetchSink* sink = std::exchange(sink_, nullptr);
  if (handle_) std::exchange(handle_, nullptr)->detach();
  request_.body = nullptr;
  // Last: the sink may start a fetch that gets this very object.
  fetcher_.leave(*this, std::exchange(phase_, Phase::Idle) == Phase::Waiting);
  sink->on_end(std::move(end));
}

// ---- pausing and time ----

void CurlFetch::reconcile_pause() {
  if (!connected_) return;  // curl takes no pause yet; on_body() will refuse what comes
  for (int i = 0; i < 4; ++i) {
    const int wanted = (receive_paused_ ? CURLPAUSE_RECV : 0) | (send_paused_ ? CURLPAUSE_SEND : 0);
    if (wanted == curl_pauses_) break;
    const bool resumed = (curl_pauses_ & ~wanted) != 0;
    paused_ = wanted != 0;
    curl_pauses_ = wanted;
    if (resumed) nudge_later();
    // Bytes that curl has kept are delivered inside this call.
    if (curl_.pause(easy_.handle, wanted) != CURLE_OK) return curl_.schedule(*this);
    if (!sink_ || verdict_) return curl_.schedule(*this);
  }
  if (!answer_.has_head()) return;
  const bool timed = !receive_paused_ && !answer_.event_stream();
  answer_by_ms_ = timed ? curl_.loop().now_ms() + pool_.config().idle_timeout_ms : kNever;
  arm_deadline();
}

void CurlFetch::nudge_later() {
  nudges_left_ = kNudges;
  nudge_at_ms_ = curl_.loop().now_ms() + kNudgeAfter_ms;
  arm_deadline();
}

void CurlFetch::arm_deadline() {
  const std::int64_t at = std::min({connect_by_ms_, answer_by_ms_, nudge_at_ms_});
  if (at != kNever) deadline_.set(at);
}

void CurlFetch::on_connecting() {
  if (connect_by_ms_ != kNever) return;
  connect_by_ms_ = curl_.loop().now_ms() + pool_.config().connect_timeout_ms;
  arm_deadline();
}

// Deadlines only move later without telling the timer, which looks here when it fires.
void CurlFetch::on_deadline() {
  if (phase_ == Phase::Idle || !sink_) return;
  const std::int64_t now = curl_.loop().now_ms();
  if (now >= connect_by_ms_) {
    connect_timed_out_ = true;
    FetchEnd end{FetchResult::Timeout, "no connection in time", false};
    end_attempt();
    if (try_again(end, CURLE_OPERATION_TIMEDOUT)) {
      arm_deadline();
      return curl_.schedule(*this);  // Admitted: the next turn starts it
    }
    return finish(std::move(end));
  }
  if (now >= answer_by_ms_) {
    const char* why = answer_.has_head()         ? "the answer's body stopped coming"
                      : phase_ == Phase::Running ? "no answer in time"
                                                 : "no free connection in time";
    return finish({FetchResult::Timeout, why, phase_ == Phase::Running && answer_.any_line()});
  }
  if (now >= nudge_at_ms_ && phase_ == Phase::Running) {
    nudge_at_ms_ = --nudges_left_ > 0 ? now + kNudgeAfter_ms : kNever;
    curl_.pause(easy_.handle, curl_pauses_);
  }
  arm_deadline();
}

}  // namespace weir::upstream
