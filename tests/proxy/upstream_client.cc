#include "tests/proxy/upstream_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include "proxy/upstream/curl_global.h"

namespace weir::upstream::test {
namespace {

constexpr std::chrono::seconds kPatience{20};

}  // namespace

RequestBody::Read PiecedBody::read(char* buffer, std::size_t capacity) {
  if (on_read) on_read();
  if (failed) return {Status::Failed};
  if (refill > 0) {
    const std::size_t bytes = std::min(refill, capacity);
    std::memset(buffer, 'x', bytes);
    refill -= bytes;
    taken += bytes;
    return {Status::Data, bytes};
  }
  if (!waiting.empty()) {
    const std::size_t bytes = waiting.copy(buffer, capacity);
    waiting.erase(0, bytes);
    taken += bytes;
    return {Status::Data, bytes};
  }
  return {ended ? Status::End : Status::Pending};
}

void Recorder::told() {
  const std::lock_guard lock(mutex_);
  ++calls_;
  changed_.notify_all();
}

void Recorder::on_informational(http::ResponseHead&& interim) {
  {
    const std::lock_guard lock(mutex_);
    informational.push_back(interim.status);
  }
  if (informational_hook) informational_hook();
  told();
}

void Recorder::on_head(http::ResponseHead&& final_head) {
  {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(head.has_value());
    head = std::move(final_head);
  }
  if (head_hook) head_hook();
  told();
}

void Recorder::on_body(std::string_view bytes) {
  {
    const std::lock_guard lock(mutex_);
    EXPECT_TRUE(head.has_value());
    body_bytes += bytes.size();
    if (keep_body) body.append(bytes);
  }
  if (body_hook) body_hook(bytes);
  told();
}

void Recorder::on_end(FetchEnd&& end) {
  if (end_hook) end_hook();
  const std::lock_guard lock(mutex_);
  EXPECT_FALSE(end_.has_value());
  end_ = std::move(end);
  ++calls_;
  changed_.notify_all();
}

const FetchEnd& Recorder::await_end() {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [this] { return end_.has_value(); })) {
    ADD_FAILURE() << "the fetch does not end";
    throw std::runtime_error("no end");
  }
  return *end_;
}

void Recorder::await(const std::function<bool()>& condition) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, condition)) {
    ADD_FAILURE() << "it does not happen";
    throw std::runtime_error("it does not happen");
  }
}

Client::Client(conf::Upstream config) : Client(std::make_shared<UpstreamPool>(std::move(config))) {}

Client::Client(std::shared_ptr<UpstreamPool> pool) : pool_(std::move(pool)) {
  init_curl();
  fetcher_ = std::make_unique<WireFetcher>(loop_, pool_, pool_->connections());
  thread_ = std::thread([this] { loop_.run(); });
}

Client::~Client() {
  on_loop([this] { fetcher_.reset(); });
  loop_.stop();
  thread_.join();
}

void Client::on_loop(const std::function<void()>& action) {
  std::promise<void> done;
  loop_.post([&] {
    action();
    done.set_value();
  });
  done.get_future().wait();
}

void Client::start(Recorder& recorder, FetchRequest request) {
  on_loop([&] {
    recorder.fetch = fetcher_->start(std::move(request), recorder);
    EXPECT_FALSE(recorder.head.has_value());  // never told before start() returns
  });
}

const FetchEnd& Client::fetch(Recorder& recorder, FetchRequest request) {
  start(recorder, std::move(request));
  const FetchEnd& end = recorder.await_end();
  on_loop([&] { recorder.fetch.reset(); });
  return end;
}

std::uint64_t Client::wakeups() {
  std::uint64_t count = 0;
  on_loop([&] { count = fetcher_->wakeups(); });
  return count;
}

conf::Upstream upstream_of(std::vector<conf::UpstreamUrl> urls) {
  conf::Upstream config;
  config.urls = std::move(urls);
  config.verify_tls = false;
  return config;
}

FetchRequest request_of(std::string method, std::string target) {
  FetchRequest request;
  request.method = http::parse_method(method);
  request.method_text = std::move(method);
  request.target = std::move(target);
  request.host = "app.test";
  return request;
}

FetchRequest get(std::string target) {
  return request_of("GET", std::move(target));
}

FetchRequest websocket() {
  FetchRequest request = get("/chat?room=1");
  request.upgrade = true;
  request.fields.add("Sec-WebSocket-Key", "x");
  request.fields.add("Upgrade", "websocket");
  return request;
}

FetchRequest post(RequestBody& body, std::optional<std::uint64_t> length) {
  FetchRequest request = request_of("POST");
  request.body = &body;
  request.framing = length ? http::Framing::Length : http::Framing::Chunked;
  request.content_length = length.value_or(0);
  return request;
}

}  // namespace weir::upstream::test
