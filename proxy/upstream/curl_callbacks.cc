// What libcurl calls of a fetch. Nothing here calls curl, but for options that are read later; what
// needs more is left to the next turn.

#include <openssl/ssl.h>

#include <utility>

#include "proxy/upstream/curl_fetch.h"
#include "proxy/upstream/easy_options.h"

namespace weir::upstream {
namespace {

template <class T>
T& self_of(void* data) {
  return *static_cast<T*>(data);
}

// Bytes that the TLS library has read from the socket and nobody has asked it for.
bool tls_holds_bytes(CURL* easy) {
  curl_tlssessioninfo* info = nullptr;
  if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || !info) return true;
  if (info->backend != CURLSSLBACKEND_OPENSSL || !info->internals) return true;
  return SSL_has_pending(static_cast<const SSL*>(info->internals)) != 0;
}

}  // namespace

void CurlFetch::set_callbacks() {
  using Bytes = std::size_t (*)(char*, std::size_t, std::size_t, void*);
  const Bytes header = [](char* data, std::size_t size, std::size_t count, void* self) {
    return self_of<CurlFetch>(self).on_header({data, size * count});
  };
  const Bytes body = [](char* data, std::size_t size, std::size_t count, void* self) {
    return self_of<CurlFetch>(self).on_body({data, size * count});
  };
  const Bytes read = [](char* buffer, std::size_t size, std::size_t count, void* self) {
    return self_of<CurlFetch>(self).on_read(buffer, size * count);
  };
  using Send = int (*)(void*, char*, char*, int, int);
  const Send send = [](void* self, char*, char*, int remote_port, int local_port) {
    return self_of<CurlFetch>(self).on_send(local_port, remote_port);
  };
  CURL* easy = easy_.handle;
  curl_.attach(easy, *this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, read);
  curl_easy_setopt(easy, CURLOPT_READDATA, this);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, send);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, curl_error_);
}

void CurlFetch::stop(FetchResult result, std::string message) {
  verdict_ = FetchEnd{result, std::move(message), answer_.any_line()};
  curl_.schedule(*this);
}

// Called when a connection is there and before anything is sent on it, each time curl sends.
int CurlFetch::on_send(int local_port, int remote_port) {
  if (!sink_) return CURL_PREREQFUNC_ABORT;
  if (++sends_ > 1) {
    // A kept connection died, and curl goes on with another to the same address: that is one of our
    // retries, unless there is none left or the next one should ask elsewhere.
    if (!may_repeat() || pool_.size() > 1) {
      veto_ = Veto::Resend;
      return CURL_PREREQFUNC_ABORT;
    }
    ++retries_;
  }
  if (!fresh_ && !connection_is_clean(local_port, remote_port)) {
    veto_ = Veto::Stale;
    return CURL_PREREQFUNC_ABORT;
  }
  connected_ = true;
  connect_by_ms_ = kNever;
  pool_.connected(url_);
  if (receive_paused_) curl_.schedule(*this);
  return CURL_PREREQFUNC_OK;
}

bool CurlFetch::connection_is_clean(int local_port, int remote_port) {
  using Kind = conf::UpstreamUrl::Kind;
  const Kind kind = pool_.url(url_).kind;
  if (kind == Kind::Https && tls_holds_bytes(easy_.handle)) return false;
  return curl_.idle_connection_is_clean(
      kind == Kind::Unix ? CurlLoop::kUnixKey : CurlLoop::connection_key(local_port, remote_port));
}

// Returning less than was given makes curl give up the transfer and its connection.
std::size_t CurlFetch::on_header(std::string_view line) {
  if (!sink_ || verdict_) return 0;
  switch (answer_.feed_line(line)) {
    case AnswerReader::Event::None:
      break;
    case AnswerReader::Event::Garbage:
      stop(FetchResult::Garbage, answer_.error());
      return 0;
    case AnswerReader::Event::Informational:
      sink_->on_informational(answer_.take_head());
      break;
    case AnswerReader::Event::Head:
      on_final_head();
      break;
  }
  return sink_ ? line.size() : 0;
}

void CurlFetch::on_final_head() {
  if (!answer_.reusable() && !std::exchange(easy_.forbid, true)) {
    set_option(easy_.handle, CURLOPT_FORBID_REUSE, 1);
  }
  const bool timed = !answer_.event_stream() && !receive_paused_;
  answer_by_ms_ = timed ? curl_.loop().now_ms() + pool_.config().idle_timeout_ms : kNever;
  arm_deadline();
  if (answer_.complete() && has_body()) curl_.schedule(*this);
  sink_->on_head(answer_.take_head());
}

std::size_t CurlFetch::on_body(std::string_view raw) {
  if (!sink_ || verdict_) return 0;
  nudge_at_ms_ = kNever;
  if (receive_paused_) {
    paused_ = true;
    curl_pauses_ |= CURLPAUSE_RECV;
    return CURL_WRITEFUNC_PAUSE;
  }
  if (!answer_.event_stream()) {
    answer_by_ms_ = curl_.loop().now_ms() + pool_.config().idle_timeout_ms;
  }
  const std::size_t size = raw.size();
  while (!raw.empty()) {
    std::string_view data;
    if (!answer_.feed_body(raw, data)) {
      stop(FetchResult::Garbage, answer_.error());
      return 0;
    }
    if (data.empty()) continue;
    sink_->on_body(data);
    if (!sink_) return 0;
  }
  if (answer_.complete() && has_body()) curl_.schedule(*this);
  return size;
}

std::size_t CurlFetch::on_read(char* buffer, std::size_t capacity) {
  if (!sink_ || verdict_ || !request_.body) return CURL_READFUNC_ABORT;
  nudge_at_ms_ = kNever;
  const bool counted = request_.framing == http::Framing::Length;
  const RequestBody::Read got = request_.body->read(buffer, capacity);
  // Time for an answer does not run while the client sends: its slowness is somebody else's to
  // judge.
  const bool waits = got.status == RequestBody::Status::Pending;
  if (!answer_.has_head()) {
    answer_by_ms_ = waits ? kNever : curl_.loop().now_ms() + pool_.config().first_byte_timeout_ms;
    arm_deadline();
  }
  switch (got.status) {
    case RequestBody::Status::Pending:
      send_paused_ = paused_ = true;
      curl_pauses_ |= CURLPAUSE_SEND;
      return CURL_READFUNC_PAUSE;
    case RequestBody::Status::Data:
      body_read_ += got.bytes;
      if (counted && body_read_ == request_.content_length) body_done_ = true;
      if (!counted || body_read_ <= request_.content_length) return got.bytes;
      break;
    case RequestBody::Status::End:
      if (counted && body_read_ < request_.content_length) break;
      body_done_ = true;
      return 0;
    case RequestBody::Status::Failed:
      break;
  }
  // The app must see a cut message, never a shorter one that looks whole.
  stop(FetchResult::BodyFailed, "the request's body failed");
  return CURL_READFUNC_ABORT;
}

}  // namespace weir::upstream
