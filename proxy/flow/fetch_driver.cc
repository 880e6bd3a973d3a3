#include "proxy/flow/fetch_driver.h"

#include <algorithm>

#include "base/http/date.h"
#include "base/http/h1_writer.h"
#include "base/http/hop_by_hop.h"
#include "cachekeys/key_builder.h"
#include "cachekeys/sent_request.h"

namespace weir::flow {
namespace {

using policy::Reason;
using upstream::FetchResult;

// Is this refusal one that the next request would meet as well? An app's failure is not: it may
// pass at any moment.
bool worth_remembering(const policy::Refusal& refusal, int status) {
  return refusal.reason != Reason::None && status < 500;
}

// RFC 9110 7.6.3: the version of the message that was received.
std::string_view received_by(const http::ResponseHead& head) {
  return head.minor_version == 0 ? "1.0 weir" : "1.1 weir";
}

// The head as it leaves Weir: nothing that belongs to the app's connection, and what a proxy adds.
void to_client_form(http::ResponseHead& head, bool to_head_request, std::int64_t wall_s) {
  const std::string length(head.fields.value(http::FieldId::ContentLength));
  const std::string upgrade(head.fields.value(http::FieldId::Upgrade));
  http::remove_hop_by_hop(head.fields);
  // Of a body that does not follow, the length is news to the client all the same.
  const bool may_tell = head.status >= 200 && head.status != 204;  // RFC 9110 8.6
  if (!length.empty() && may_tell && (to_head_request || head.status == 304)) {
    head.fields.set(http::FieldId::ContentLength, length);
  }
  if (head.status == 101) head.fields.set(http::FieldId::Upgrade, upgrade);
  if (!head.fields.has(http::FieldId::Date)) {
    head.fields.add(http::FieldId::Date, http::format_date(wall_s));
  }
  head.fields.add(http::FieldId::Via, received_by(head));
}

int error_status(FetchResult result) {
  if (result == FetchResult::Timeout) return 504;
  return result == FetchResult::BodyFailed ? 400 : 502;
}

Reason error_reason(FetchResult result) {
  if (result == FetchResult::Timeout) return Reason::UpstreamTimeout;
  return result == FetchResult::BodyFailed ? Reason::Body : Reason::UpstreamError;
}

}  // namespace

// ---- OwnedHead ----

OwnedHead::OwnedHead(const http::RequestHead& head) : head_(head) {
  const char* begin = head.method_text.data();
  const char* end = head.target.data() + head.target.size();
  for (const http::FieldView& field : head.fields) {
    end = std::max(end, field.value.data() + field.value.size());
  }
  bytes_.assign(begin, end);
  head_.rebase(begin, bytes_.data());
}

// ---- Drivers ----

Drivers::~Drivers() = default;

void Drivers::start(Ref<Flight> flight, FetchPlan plan) {
  loop_.check_in_loop();
  auto driver = std::make_unique<FetchDriver>(*this, std::move(flight), std::move(plan));
  FetchDriver* raw = driver.get();
  drivers_.emplace(raw, std::move(driver));
  raw->start();
}

void Drivers::remove(FetchDriver* driver) {
  drivers_.erase(driver);
}

// ---- FetchDriver ----

FetchDriver::FetchDriver(Drivers& drivers, Ref<Flight> flight, FetchPlan plan)
    : drivers_(drivers),
      flight_(std::move(flight)),
      plan_(std::move(plan)),
      began_ms_(drivers.loop().now_ms()),
      in_table_(plan_.shared) {}

FetchDriver::~FetchDriver() {
  if (plan_.pipe) plan_.pipe->set_fetch(nullptr);
  leave_table();
  flight_->abandon();
}

void FetchDriver::start() {
  flight_->set_producer({drivers_.loop(), life_.watch()});
  plan_.request.body = plan_.request.framing == http::Framing::None ? nullptr : plan_.pipe.get();
  fetch_ = drivers_.fetcher().start(std::move(plan_.request), *this);
  if (plan_.pipe) plan_.pipe->set_fetch(fetch_.get());
  const conf::Upstream& app = plan_.site->site->config->upstream;
  if (plan_.keep_on) bound_unread_life(app.first_byte_timeout_ms + app.idle_timeout_ms);
}

void FetchDriver::on_informational(http::ResponseHead&& head) {
  if (!plan_.pipe) return;
  http::remove_hop_by_hop(head.fields);
  head.fields.add(http::FieldId::Via, received_by(head));
  plan_.pipe->informational(head);
}

// The moment of decision: who may have this answer, and is it kept?
void FetchDriver::on_head(http::ResponseHead&& head) {
  judge(head);
  if (discard_for_cookies(head)) return;
  check_memory(head);
  storing_ = verdict_.refusal.reason == Reason::None;
  std::shared_ptr<FlightHead> shown = make_head(std::move(head));
  if (storing_) choose_variant(*shown);
  publish(std::move(shown));
  finish_if_unwanted();
}

void FetchDriver::judge(const http::ResponseHead& head) {
  verdict_ = {};
  if (!plan_.may_store) {
    verdict_.refusal = plan_.refusal;
    return;
  }
  const EventLoop& loop = drivers_.loop();
  const http::RequestHead& client = plan_.client.get();
  verdict_ =
      policy::judge_response(head, {.rule = plan_.route->rule,
                                    .default_expire_s = plan_.route->backend->default_expire_s(),
                                    .max_object_size = plan_.route->backend->max_object_size(),
                                    .request_class = plan_.request_class,
                                    .method = client.method,
                                    .path = client.path,
                                    .now_ms = loop.now_ms(),
                                    .wall_s = loop.clock().wall_s(),
                                    .request_ms = began_ms_,
                                    .seq = flight_->seq(),
                                    .personal = plan_.refusal});
}

// The app wants to change a cookie that it was not shown: whatever it answered, it answered without
// knowing its visitor. It is asked again with the request as it came, by each reader for itself.
bool FetchDriver::discard_for_cookies(const http::ResponseHead& head) {
  if (plan_.removed_cookies.empty()) return false;
  std::optional<std::string> name =
      policy::sets_one_of(head.fields, verdict_, plan_.removed_cookies);
  if (!name) return false;
  drivers_.shared().uncacheable.remember(
      plan_.base_key.view(), {Reason::SetCookie, std::move(*name)}, drivers_.loop().now_ms());
  leave_table();
  flight_->release(Flight::Release::AskAgain, nullptr, false);
  finish();
  return true;
}

// limits.fill_memory binds what is retained; a window is small.
void FetchDriver::check_memory(const http::ResponseHead& head) {
  if (verdict_.refusal.reason != Reason::None || head.framing != http::Framing::Length) return;
  if (flight_->reserve(head.content_length)) return;
  verdict_.refusal = {Reason::TooLarge, "fill_memory"};
}

std::shared_ptr<FlightHead> FetchDriver::make_head(http::ResponseHead&& head) {
  auto shown = std::make_shared<FlightHead>();
  const EventLoop& loop = drivers_.loop();
  const bool cached_route = plan_.route && plan_.route->rule;
  if (head.fields.has(http::FieldId::Age)) {
    shown->age_s = storing_ ? verdict_.meta.initial_age_s : -1;
    if (storing_) head.fields.remove(http::FieldId::Age);
  }
  if (storing_) policy::strip_set_cookies(head.fields, verdict_);
  if (cached_route && plan_.request_class != policy::RequestClass::Bypass) {
    const std::string vary =
        keys::response_vary(head.fields.joined(http::FieldId::Vary), plan_.route->recipe);
    if (!vary.empty()) head.fields.set(http::FieldId::Vary, vary);
  }
  to_client_form(head, plan_.client.get().method == http::Method::Head, loop.clock().wall_s());
  shown->response = std::move(head);
  shown->refusal = verdict_.refusal;
  shown->shareable = storing_ && verdict_.shareable;
  shown->ttl_s = verdict_.ttl_s;
  shown->upstream_ms = loop.now_ms() - began_ms_;
  return shown;
}

// With a Vary the answer belongs to the variant that this request asked for: the flight and the
// entry take that variant's name, and the URL's marker tells later requests to look there.
void FetchDriver::choose_variant(FlightHead& head) {
  store_key_ = plan_.base_key;
  if (verdict_.vary.empty()) return;
  keys::KeyBuffer buffer;
  keys::build_variant_key(plan_.base_key.view(), verdict_.vary, plan_.client.get(),
                          plan_.route->recipe, plan_.authority, buffer);
  store_key_ = OwnedKey(buffer.view());
  head.vary = verdict_.vary;
  head.variant_key = store_key_.bytes;
  head.variants_full =
      drivers_.shared().variants.admit(backend_store(), plan_.base_key.view(), verdict_.vary,
                                       store_key_.bytes, plan_.route->rule->max_variants);
  if (in_table_ && !(plan_.table_key.view() == store_key_.view())) {
    drivers_.shared().flights.rename(plan_.table_key.view(), store_key_.view(), flight_);
    plan_.table_key = store_key_;
  }
}

void FetchDriver::publish(std::shared_ptr<FlightHead> head) {
  head_ = head;
  const int status = head->response.status;
  if (head->shareable || !plan_.shared) {
    flight_->publish_head(std::move(head), storing_);
    return;
  }
  // Readers but the leader go their own ways, and so will those who come in the next seconds.
  if (worth_remembering(verdict_.refusal, status)) {
    drivers_.shared().uncacheable.remember(plan_.base_key.view(), verdict_.refusal,
                                           drivers_.loop().now_ms());
  }
  leave_table();
  flight_->release(status >= 500 ? Flight::Release::AppError : Flight::Release::Refused,
                   std::move(head), storing_);
}

void FetchDriver::on_body(std::string_view bytes) {
  const bool outgrown = storing_ && !has_room(bytes.size());
  if (outgrown) {
    storing_ = false;
    leave_table();
  }
  // The last bytes are shown when the object is in the store, so that whoever has seen its end will
  // be served from there.
  const http::ResponseHead& head = head_->response;
  const bool last = storing_ && head.framing == http::Framing::Length &&
                    flight_->appended() + bytes.size() >= head.content_length;
  flight_->append(bytes, !last);
  if (outgrown) {
    flight_->stop_retaining();
    if (finish_if_unwanted()) return;
  }
  if (storing_ || paused_ || !flight_->window_full()) return;
  paused_ = true;
  fetch_->pause();
}

// Whether what is being stored may grow by this. Of a known length the budget was asked at the
// head.
bool FetchDriver::has_room(std::size_t bytes) const {
  const std::uint64_t most = plan_.route->backend->max_object_size();
  if (most != 0 && flight_->appended() + bytes > most) return false;
  return head_->response.framing == http::Framing::Length ||
         drivers_.shared().budget.has_room(bytes);
}

void FetchDriver::on_end(upstream::FetchEnd&& end) {
  const bool whole =
      end.result == FetchResult::Complete || end.result == FetchResult::CompleteByClose;
  // A body that fails is the client's doing.
  if (!whole && end.result != FetchResult::BodyFailed) {
    drivers_.shared().failures.say(end.message, drivers_.loop().now_ms());
  }
  if (end.result == FetchResult::Complete && storing_) store();
  leave_table();
  if (plan_.keep_on && !(whole && storing_)) remember_failed_refresh();
  if (head_) {
    flight_->end(whole);
  } else {
    flight_->fail(error_status(end.result), {error_reason(end.result), {}});
  }
  finish();
}

void FetchDriver::store() {
  if (!head_->vary.empty()) {
    // Once more: the marker may have been lost since the head, or this variant dropped from it as
    // one that the store does not have.
    drivers_.shared().variants.admit(backend_store(), plan_.base_key.view(), head_->vary,
                                     store_key_.bytes, plan_.route->rule->max_variants);
  }
  backends::Entry::Parts parts;
  parts.key = store_key_.bytes;
  parts.hash = store_key_.hash;
  parts.meta = verdict_.meta;
  parts.fields = head_->response.fields;
  parts.body = flight_->take_body();
  http::append_status_line(parts.h1_head, head_->response.status, head_->response.reason);
  http::append_fields(parts.h1_head, parts.fields);
  if (head_->response.status != 204) {
    http::append_field(parts.h1_head, "Content-Length", std::to_string(parts.body.size()));
  }
  parts.h1_head.shrink_to_fit();
  const backends::EntryRef entry = make_ref<const backends::Entry>(std::move(parts));
  entry->touch(drivers_.loop().now_ms());
  backends::store_unheard(backend_store(), entry);
}

void FetchDriver::leave_table() {
  if (!std::exchange(in_table_, false)) return;
  drivers_.shared().flights.remove(plan_.table_key.view(), flight_);
}

// The fetch belongs to the cache: without readers it goes on while it may still be shared, once it
// has a connection (those who have left must not fill the queue for one), and then if it is to be
// stored and its end is known.
bool FetchDriver::wanted() const {
  if (flight_->reader_count() > 0) return true;
  const bool kept_on = plan_.keep_on || flight_->kept_on();
  if (!head_) return kept_on || (plan_.shared && !fetch_->waiting());
  return storing_ && (kept_on || head_->response.framing == http::Framing::Length);
}

bool FetchDriver::finish_if_unwanted() {
  return !wanted() && finish_if_unread();
}

bool FetchDriver::finish_if_unread() {
  if (!flight_->close_if_unread()) return false;
  if (plan_.keep_on) remember_failed_refresh();  // it was to be stored, and will not be
  finish();
  return true;
}

void FetchDriver::remember_failed_refresh() {
  drivers_.shared().failed_refreshes.remember(plan_.base_key.view(), {Reason::UpstreamError, {}},
                                              drivers_.loop().now_ms());
}

// An app that drips its answer must not hold memory and a connection for nobody, for ever.
void FetchDriver::bound_unread_life(std::int64_t at_most_ms) {
  if (flight_->reader_count() > 0) return;
  if (!unread_timer_) {
    unread_timer_ = std::make_unique<Timer>(drivers_.loop(), [this] { finish_if_unread(); });
  }
  unread_timer_->start(at_most_ms);
}

void FetchDriver::wake() {
  if (finish_if_unwanted()) return;
  bound_unread_life(plan_.site->site->config->upstream.idle_timeout_ms);
  if (paused_ && !flight_->window_full()) {
    paused_ = false;
    fetch_->resume();
  }
}

void FetchDriver::finish() {
  drivers_.remove(this);
}

}  // namespace weir::flow
