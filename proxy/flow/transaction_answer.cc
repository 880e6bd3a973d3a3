// What a transaction answers by itself, without the app: from the store, or of its own.
#include "base/http/date.h"
#include "cachekeys/sent_request.h"
#include "proxy/flow/transaction.h"

namespace weir::flow {

using policy::Reason;

Transaction::Step Transaction::serve_hit() {
  leave_convoy();  // whoever waits behind need not wait until this client has read it all
  outcome_.hit = true;
  return send_stored();
}

Transaction::Step Transaction::serve_stale(Reason reason, int app_status) {
  leave_flight();
  leave_convoy();
  outcome_.hit = reason == Reason::StaleWhileRevalidate;
  outcome_.forward = outcome_.hit ? policy::Forward::None : policy::Forward::Stale;
  outcome_.forward_status = static_cast<std::uint16_t>(app_status);
  outcome_.detail = reason;
  return send_stored();
}

// entry_, under the outcome that has been set.
Transaction::Step Transaction::send_stored() {
  answered_ = true;
  outcome_.has_ttl = true;
  outcome_.ttl_s = reuse_.freshness.ttl_s();
  note_outcome();
  const front::FreshFields fresh{.age_s = reuse_.freshness.age_s, .cache_status = status_};
  if (entry_->meta().status >= 300 && entry_->meta().status < 400) {
    std::string location = restored_location(entry_->fields().value(http::FieldId::Location));
    if (!location.empty()) {
      http::ResponseHead head;
      head.status = entry_->meta().status;
      head.fields = entry_->fields();
      head.fields.set(http::FieldId::Location, location);
      head.framing = http::Framing::Length;
      head.content_length = entry_->body().size();
      entry_body_.reset(entry_);
      exchange_->send(head, fresh, &entry_body_);
      return Step::Finish;
    }
  }
  exchange_->send_entry(entry_, fresh);
  return Step::Finish;
}

// What this client's query lost on the way to the app comes back on the app's redirects.
std::string Transaction::restored_location(std::string_view location) {
  if (location.empty() || !request().has_query) return {};
  const keys::SentRequest sent =
      keys::shared_request(request(), route_->recipe, request().authority, exchange_->scheme());
  return keys::restore_query(location, request().authority, sent);
}

// RFC 9110 7.6.2: who may not forward is the one who is asked for its options.
Transaction::Step Transaction::answer_options() {
  answered_ = true;
  exchange_->notes().detail = "max-forwards";
  http::ResponseHead head;
  head.status = 204;
  head.fields.add(http::FieldId::Date, http::format_date(context_.loop.clock().wall_s()));
  head.fields.add("Allow", front::kAllowedMethods);
  exchange_->send(head, {}, nullptr);
  return Step::Finish;
}

void Transaction::note_outcome() {
  status_.clear();
  policy::append_cache_status(status_, outcome_);
  front::LogNotes& said = exchange_->notes();
  if (route_) said.route = route_->route->name;
  said.verdict = policy::verdict_word(outcome_);
  said.detail = policy::token(outcome_.detail);
}

}  // namespace weir::flow
