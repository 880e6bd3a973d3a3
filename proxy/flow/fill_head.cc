// The moment of decision in a fill: the app's head is there. Who may have this answer, and is it
// kept?
#include <algorithm>

#include "base/http/date.h"
#include "base/http/hop_by_hop.h"
#include "base/http/status.h"
#include "cachekeys/key_builder.h"
#include "cachekeys/sent_request.h"
#include "cachekeys/tags.h"
#include "proxy/flow/fill.h"
#include "proxy/flow/invalidation.h"
#include "proxy/flow/purge_judge.h"
#include "proxy/policy/freshness.h"

namespace weir::flow {
namespace {

using policy::Reason;

// Is this refusal one that the next request would meet as well? An app's failure is not: it may
// pass at any moment.
bool worth_remembering(const policy::Refusal& refusal, int status) {
  return refusal && status < 500;
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

// That there is no room now may be otherwise at the next request.
policy::Refusal not_admitted(backends::StoreResult why) {
  const bool too_large = why == backends::StoreResult::TooLarge;
  const bool failing = why == backends::StoreResult::Failed;
  const char* const what = too_large ? "max_object_size"
                           : failing ? "the backend cannot store now"
                                     : "no room";
  return {Reason::TooLarge, what, !too_large};
}

// How many bytes of body are announced; empty when nobody knows.
std::optional<std::uint64_t> known_length(const http::ResponseHead& head) {
  if (head.framing == http::Framing::Length) return head.content_length;
  if (head.framing == http::Framing::None) return 0;
  return std::nullopt;
}

}  // namespace

void Fill::on_informational(http::ResponseHead&& head) {
  if (!order_.pipe) return;
  http::remove_hop_by_hop(head.fields);
  head.fields.add(http::FieldId::Via, received_by(head));
  order_.pipe->informational(head);
}

void Fill::on_head(http::ResponseHead&& head) {
  run(head_arrived(std::move(head)));
}

Fill::Step Fill::head_arrived(http::ResponseHead&& head) {
  if (!answers(head.status >= 500)) return lose();
  invalidate(head);
  if (order_.cacheable) {
    verdict_ = judge(head, order_.client.get().method);
  } else {
    verdict_.refusal = order_.refusal;
  }
  review_memory(head);
  if (discard_for_cookies(head)) return Step::Done;
  admit(head);
  drop_older(head);
  storing_ = !verdict_.refusal && order_.cacheable;
  std::shared_ptr<FlightHead> shown = make_head(std::move(head));
  if (storing_) choose_variant(*shown);
  publish(std::move(shown));
  step_ = Step::AwaitBody;
  return wanted() ? step_ : give_up_if_unread();
}

// Before anybody sees the answer: who asks for the page after it must not get the old one.
void Fill::invalidate(const http::ResponseHead& head) const {
  const http::RequestHead& client = order_.client.get();
  if (client.method == http::Method::Get || client.method == http::Method::Head) return;
  const policy::TargetUri target{.scheme = order_.scheme,
                                 .authority = order_.destination,
                                 .path = client.path,
                                 .query = client.query,
                                 .has_query = client.has_query};
  flow::invalidate(*order_.site->site, client.method, target, head, tables().purges);
}

policy::StoreVerdict Fill::judge(const http::ResponseHead& head, http::Method method) const {
  const http::RequestHead& client = order_.client.get();
  const backends::Backend& backend = *order_.route->backend;
  return policy::judge_response(head, {.rule = &rule(),
                                       .default_expire_s = backend.default_expire_s(),
                                       .max_object_size = backend.max_object_size(),
                                       .request_class = order_.request_class,
                                       .method = method,
                                       .path = client.path,
                                       .now_ms = loop().now_ms(),
                                       .wall_s = loop().clock().wall_s(),
                                       .request_ms = fetch_->sent_ms(),
                                       .seq = flight_->seq(),
                                       .personal = order_.refusal,
                                       .shown = policy::shown_by(client, recipe())});
}

// The key is remembered as uncacheable: an answer that is refused again confirms it, one that may
// be stored ends it. Where too many bytes were the reason and this one does not say how many it
// has, only its end tells; until then it is not held in memory once more.
void Fill::review_memory(const http::ResponseHead& head) {
  if (!order_.remembered) return;
  if (!order_.cacheable) {
    // What answers a condition or a Range says nothing of the whole.
    if (http::speaks_of_one_exchange(head.status)) return;
    const policy::Refusal refusal = judge(head, http::Method::Get).refusal;
    if (worth_remembering(refusal, head.status)) remember(refusal);
    return;
  }
  if (verdict_.refusal) {
    if (worth_remembering(verdict_.refusal, head.status)) remember(verdict_.refusal);
  } else if (order_.remembered.reason == Reason::TooLarge && !known_length(head)) {
    measured_ = true;
    verdict_.refusal = order_.remembered;
  } else {
    tables().uncacheable.forget(order_.base_key.view());
  }
}

void Fill::review_memory_at_end(bool whole) {
  if (!measured_) return;
  const std::uint64_t most = order_.route->backend->max_object_size();
  if (most != 0 && flight_->appended() > most) {
    remember(order_.remembered);
  } else if (whole) {
    tables().uncacheable.forget(order_.base_key.view());
  }
}

// What the app was not shown matters to it: it wants to change such a cookie, or gives nothing that
// all may have (the way to a log-in, a refusal) while a cookie was withheld that may say who the
// visitor is. It is asked again with the request as it came, by each reader for itself.
bool Fill::discard_for_cookies(const http::ResponseHead& head) {
  if (order_.removed_cookies.empty()) return false;
  const bool is_head = order_.client.get().method == http::Method::Head;
  const policy::Refusal refusal =
      is_head ? judge(head, http::Method::Get).refusal : verdict_.refusal;
  policy::Refusal why;
  if (auto name = policy::sets_one_of(head.fields, verdict_, order_.removed_cookies)) {
    why = {Reason::SetCookie, std::move(*name)};
  } else if (order_.removed_unknown_cookie && worth_remembering(refusal, head.status)) {
    why = refusal;
  }
  if (!why) return false;
  remember(why);
  settle_claim(true);
  leave_table();
  flight_->release(Flight::Release::AskAgain, nullptr, false);
  return true;
}

// Whether there is room for it, while it arrives (limits.fill_memory binds what is retained; a
// window is small) and in the stores: so that `stored` is true when it is said.
void Fill::admit(const http::ResponseHead& head) {
  if (verdict_.refusal || !order_.cacheable) return;
  tags_ = keys::response_tags(head.fields, order_.scheme, order_.destination, rule().tags);
  if (tags_.size() > backends::Entry::kMostTags) {
    verdict_.refusal = {Reason::TooLarge, "tags"};
    return;
  }
  if (tables().budget.exhausted()) {
    verdict_.refusal = {Reason::TooLarge, "fill_memory", true};
    return;
  }
  const std::optional<std::uint64_t> length = known_length(head);
  if (length.value_or(0) > store().most_whole()) return admit_inflow(length);
  auto admitted = store().admit(length);
  if (!admitted) {
    verdict_.refusal = not_admitted(admitted.error());
  } else if (length && !flight_->reserve(*length)) {
    verdict_.refusal = {Reason::TooLarge, "fill_memory", true};
  } else {
    reservation_ = std::move(*admitted);
  }
}

// One that no store keeps as a whole.
void Fill::admit_inflow(std::optional<std::uint64_t> length) {
  auto flow = store().open_inflow(length);
  if (flow) {
    take_inflow(std::move(*flow));
  } else {
    verdict_.refusal = not_admitted(flow.error());
  }
}

// A newer answer that is not stored: what stands under its name is older, and must not be a hit any
// more. An answer about one exchange or one visitor, or of an app that fails, says nothing of the
// object.
void Fill::drop_older(const http::ResponseHead& head) {
  const bool is_head = order_.client.get().method == http::Method::Head;
  if (!verdict_.refusal || !order_.cacheable || order_.refusal || is_head) return;
  if (head.status >= 500 || http::speaks_of_one_exchange(head.status)) return;
  name_answer(tables().variants.names_for(store(), order_.base_key.view(), marker_, {},
                                          [](const backends::Entry&) { return true; }));
  erase_older(verdict_.refusal);
}

// Where there is merely no room now, a copy
// that is not fresh stays: it is good in place of an answer that does not come.
void Fill::erase_older(const policy::Refusal& why) {
  outdate_older();
  const auto stored = store().lookup_now(store_key_.view(), backends::Purpose::Probe);
  if (stored && stored->kind() != backends::Entry::Kind::Response) return;
  if (stored && why.momentary && ttl_s(stored->meta()) <= 0) return;
  store().erase(store_key_.view());
}

// A flight that began before this one, and has the name of its answer: by the URL alone as long as
// it has no head.
void Fill::outdate_older() const {
  const auto outdate = [this](keys::KeyView name) {
    const Ref<Flight> named = tables().flights.find(name);
    if (named && named->began_before(*flight_)) named->outdate();
  };
  outdate(order_.base_key.view());
  if (!(store_key_.view() == order_.base_key.view())) outdate(store_key_.view());
}

std::shared_ptr<FlightHead> Fill::make_head(http::ResponseHead&& head) {
  auto shown = std::make_shared<FlightHead>();
  shown->again = order_.again || flight_->app_failed();
  shown->error_is_for_all = head.status >= 500 && policy::is_for_nobody_in_particular(head);
  if (head.fields.has(http::FieldId::Age)) {
    shown->age_s = storing_ ? verdict_.meta.initial_age_s : -1;
    if (storing_) head.fields.remove(http::FieldId::Age);
  }
  if (storing_) {
    policy::strip_set_cookies(head.fields, verdict_);
    shown->tags = std::move(tags_);
  }
  keys::remove_tag_fields(head.fields);
  const bool on_cached_route = order_.route != nullptr && order_.route->rule != nullptr;
  if (on_cached_route && order_.request_class != policy::RequestClass::Bypass) {
    const std::string vary =
        keys::response_vary(head.fields.joined(http::FieldId::Vary), order_.route->recipe);
    if (!vary.empty()) head.fields.set(http::FieldId::Vary, vary);
  }
  to_client_form(head, order_.client.get().method == http::Method::Head, loop().clock().wall_s());
  shown->response = std::move(head);
  shown->refusal = verdict_.refusal;
  shown->shareable = storing_ && verdict_.shareable;
  shown->ttl_s = verdict_.ttl_s;
  shown->meta = verdict_.meta;
  shown->arrived_ms = loop().now_ms();
  shown->upstream_ms = loop().now_ms() - fetch_->sent_ms();
  return shown;
}

// Fresh, or still good in place of an answer that does not come.
bool Fill::is_of_use(const backends::Entry& entry) const {
  const auto meta = usable_meta(entry, tables().purges);
  if (!meta) return false;
  return policy::stale_windows(*meta, rule()).when_slow || useful_s(*meta) > 0;
}

// As long as it is fresh, and in its stale windows.
std::int64_t Fill::useful_s(const backends::EntryMeta& meta) const {
  const policy::StaleWindows windows = policy::stale_windows(meta, rule());
  const std::int64_t longer_s = std::max(windows.while_revalidate_s, windows.if_error_s);
  return ttl_s(meta) + std::max<std::int64_t>(longer_s, 0);
}

std::int64_t Fill::ttl_s(const backends::EntryMeta& meta) const {
  const std::int64_t default_s = order_.route->backend->default_expire_s();
  return policy::freshness(meta, rule(), default_s, loop().now_ms()).ttl_s();
}

// The answer's name among the URL's variants: what this request holds of the fields.
void Fill::name_answer(const std::vector<std::string>& vary) {
  store_key_ = order_.base_key;
  if (vary.empty()) return;
  keys::KeyBuffer buffer;
  keys::build_variant_key(order_.base_key.view(), vary, order_.client.get(), recipe(),
                          order_.authority, buffer);
  store_key_ = OwnedKey(buffer.view());
}

// The fields that tell this answer apart from others of its URL: those that it names, those that
// earlier ones named, and those without which it would take the place of one that is of use to
// others. Leaves the answer named by them.
std::vector<std::string> Fill::variant_fields(std::string_view coding) {
  std::vector<std::string> vary = tables().variants.names_for(
      store(), order_.base_key.view(), marker_, verdict_.vary,
      [this](const backends::Entry& entry) { return entry.meta().varies && is_of_use(entry); });
  name_answer(vary);
  const backends::EntryRef stored = store().lookup_now(store_key_.view(), backends::Purpose::Probe);
  if (!stored || stored->kind() != backends::Entry::Kind::Response || !is_of_use(*stored)) {
    return vary;
  }
  const std::size_t before = vary.size();
  for (std::string& name :
       policy::told_apart_by(stored->meta(), stored->content_encoding(), verdict_.meta, coding)) {
    const auto at = std::ranges::lower_bound(vary, name);
    if (at == vary.end() || *at != name) vary.insert(at, std::move(name));
  }
  if (vary.size() == before) return vary;
  verdict_.meta.varies = true;
  name_answer(vary);
  return vary;
}

// Of a URL with variants the answer is the one that this request asked for: the flight and the
// entry take that variant's name, and the URL's marker tells later requests to look there.
void Fill::choose_variant(FlightHead& head) {
  const std::vector<std::string> vary =
      variant_fields(head.response.fields.value(http::FieldId::ContentEncoding));
  head.meta = verdict_.meta;
  outdate_older();
  if (vary.empty()) return;
  head.vary = vary;
  head.variant_key = store_key_.bytes;
  head.variants_full = tables().variants.admit(store(), order_.base_key.view(), marker_, vary,
                                               store_key_.bytes, rule().max_variants);
  if (in_table_ && !(order_.table_key.view() == store_key_.view())) {
    in_table_ = tables().flights.rename(order_.table_key.view(), store_key_.view(), flight_);
    order_.table_key = store_key_;
  }
}

void Fill::publish(std::shared_ptr<FlightHead> head) {
  head_ = head;
  if (inflow_) flight_->flow_into(inflow_->body());
  const int status = head->response.status;
  const bool shared = order_.joinable || alone_;  // what it had asked for was for all
  const bool unshareable = shared && !head->shareable;
  const bool is_refused = unshareable && worth_remembering(verdict_.refusal, status);
  if (is_refused) remember(verdict_.refusal);
  if (!storing_) settle_claim(is_refused);
  if (!order_.joinable || head->shareable) {
    flight_->publish_head(std::move(head), storing_);
    return;
  }
  // Readers but the leader go their own ways, and so will those who come in the next seconds.
  leave_table();
  flight_->release(status >= 500 ? Flight::Release::AppError : Flight::Release::Refused,
                   std::move(head), storing_);
}

}  // namespace weir::flow
