// One fetch over libcurl, from its first attempt to its end. Pooled by CurlFetcher: the easy handle
// and every buffer are reused, so that a request sets only what differs from the one before.
// Loop thread only.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/net/timer.h"
#include "proxy/upstream/answer_reader.h"
#include "proxy/upstream/curl_loop.h"
#include "proxy/upstream/fetcher.h"
#include "proxy/upstream/request_lines.h"
#include "proxy/upstream/upstream_pool.h"

namespace weir::upstream {

class CurlFetcher;

class CurlFetch final : public CurlLoop::Transfer {
 public:
  CurlFetch(CurlFetcher& fetcher, CurlLoop& curl, UpstreamPool& pool);
  ~CurlFetch() override;

  // `only_url`: ask this address and no other.
  std::unique_ptr<Fetch> begin(FetchRequest request, FetchSink& sink,
                               std::optional<std::size_t> only_url);
  // There is a connection for it now.
  void admit();
  // Takes the easy handle of one that has ended, so that there are never more than connections.
  void inherit(CurlFetch& other);
  bool has_easy() const { return easy_.handle != nullptr; }

 private:
  // An easy handle and what it is set to.
  struct Easy {
    CURL* handle = nullptr;
    std::optional<std::size_t> url;
    std::string method;
    bool upload = false;
    bool nobody = false;
    bool fresh = false;
    bool forbid = false;
  };
  class Handle;
  enum class Phase : std::uint8_t {
    Idle,      // in the fetcher's pool
    Waiting,   // for a connection
    Admitted,  // about to start an attempt
    Running,   // in the multi handle
  };
  // Why the last look before a request is sent said no.
  enum class Veto : std::uint8_t {
    None,
    Resend,  // curl was about to send the request a second time
    Stale,   // the kept connection had ended or spoken; nothing was sent
  };

  // ---- life (curl_fetch.cc) ----
  void on_turn() override;
  void on_done(CURLcode code) override;
  void on_connecting() override;
  void cancel();
  void abandon();
  void start_attempt();
  void make_easy();
  void configure();
  void configure_method();
  void end_attempt();
  FetchEnd judge(CURLcode code);
  // Whether another attempt follows; prepares it.
  bool try_again(FetchEnd& end, CURLcode code);
  void finish(FetchEnd end);
  void reconcile_pause();
  void on_deadline();
  void arm_deadline();
  void nudge_later();
  bool body_untouched() const { return !has_body() || (body_read_ == 0 && !body_done_); }
  // Whether a request that may have reached the app may be sent once more.
  bool may_repeat() const;
  bool has_body() const { return request_.body != nullptr; }

  // ---- what curl calls (curl_callbacks.cc) ----
  void set_callbacks();
  std::size_t on_header(std::string_view line);
  std::size_t on_body(std::string_view raw);
  std::size_t on_read(char* buffer, std::size_t capacity);
  int on_send(int local_port, int remote_port);
  bool connection_is_clean(int local_port, int remote_port);
  void on_final_head();
  void stop(FetchResult result, std::string message);

  CurlFetcher& fetcher_;
  UpstreamPool& pool_;
  RequestLines lines_;
  AnswerReader answer_;
  Deadline deadline_;
  char curl_error_[CURL_ERROR_SIZE] = {};

  Easy easy_;

  // The fetch.
  FetchRequest request_;
  FetchSink* sink_ = nullptr;  // null: cancelled
  Handle* handle_ = nullptr;
  std::optional<std::size_t> only_url_;
  std::optional<FetchEnd> verdict_;  // found by us; overrides what curl says
  Phase phase_ = Phase::Idle;
  std::uint64_t body_read_ = 0;
  std::uint32_t retries_ = 0;
  std::size_t failovers_ = 0;
  bool body_done_ = false;
  bool receive_paused_ = false;  // the sink wants no more
  bool send_paused_ = false;     // the body has nothing at present

  // The attempt.
  std::size_t url_ = 0;
  std::optional<std::size_t> avoid_url_;
  int sends_ = 0;
  int curl_pauses_ = 0;  // the mask that curl was told
  int nudges_left_ = 0;
  Veto veto_ = Veto::None;
  bool need_fresh_ = false;
  bool connected_ = false;
  bool connect_timed_out_ = false;
  std::int64_t connect_by_ms_ = kNever;
  std::int64_t answer_by_ms_ = kNever;
  std::int64_t nudge_at_ms_ = kNever;

  static constexpr std::int64_t kNever = INT64_MAX;
};

}  // namespace weir::upstream
