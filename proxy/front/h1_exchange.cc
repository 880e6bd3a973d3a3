#include "proxy/front/h1_exchange.h"

#include <utility>

#include "base/check.h"
#include "base/http/h1_writer.h"
#include "base/text.h"
#include "proxy/front/h1_response_head.h"
#include "proxy/front/not_modified.h"
#include "proxy/policy/storable.h"

namespace weir::front {

// ---- its place in the pool ----

void H1Exchange::attach(H1Link& link, Owner& owner) {
  WEIR_CHECK(link_ == nullptr);
  link_ = &link;
  owner_ = &owner;
}

void H1Exchange::reset() {
  // A handler left here would never be told that its exchange is over.
  WEIR_CHECK(handler_ == nullptr);
  // Buffers keep their capacity unless a rare giant grew them.
  constexpr std::size_t kKeepBytes = std::size_t{64} * 1024;
  link_ = nullptr;
  owner_ = nullptr;
  head_.clear();
  head_bytes_.clear();
  if (head_bytes_.capacity() > kKeepBytes) head_bytes_.shrink_to_fit();
  output_.reset();
  entry_body_.clear();
  notes_.route = notes_.detail = {};
  notes_.verdict = policy::Verdict::None;
  notes_.subject.clear();
  notes_.upstream_ms = -1;
  notes_.collapsed = false;
  notes_.counts = nullptr;
  started_us_ = kNotStarted;
  status_ = 0;
  hears_of_visitor_ = false;
  starting_ = waiting_ = false;
  responding_ = refused_ = done_ = is_last_ = reset_at_cut_ = endless_ = tunnel_ = false;
  continue_sent_ = body_wanted_ = gathering_ = body_unwanted_ = false;
}

std::unique_ptr<H1Exchange> H1ExchangePool::take(H1Link& link, H1Exchange::Owner& owner) {
  std::unique_ptr<H1Exchange> exchange;
  if (idle_.empty()) {
    exchange = std::make_unique<H1Exchange>();
  } else {
    exchange = std::move(idle_.back());
    idle_.pop_back();
  }
  exchange->attach(link, owner);
  return exchange;
}

void H1ExchangePool::give(std::unique_ptr<H1Exchange> exchange) {
  exchange->reset();
  if (idle_.size() < kPooled) idle_.push_back(std::move(exchange));
}

// ---- its beginning ----

void H1Exchange::start() {
  started_us_ = loop().turn_us();
  link_->deadlines.body_begins();
  trusted_fields_ = link_->context.trusted_fields;
  peer_trusted_ = link_->peer.trusted;
  hears_of_visitor_ = peer_trusted_ && keys::speaks_of_visitor(head_);
  if (!refuse_at_once()) {
    const SessionContext& context = link_->context;
    handlers_ = head_.method == http::Method::Purge ? context.purges : &context.handlers;
    handler_ = handlers_->acquire();
    starting_ = true;
    handler_->start(*this);
    starting_ = false;
  }
  // What is not over when this returns is looked at again, and the bytes here will have moved.
  if (!done_ && !waiting_) keep_request();
}

// A proxy's word for where its visitor was going is part of the key, and so has to be one.
bool H1Exchange::refuse_told_host() {
  IgnoredFields* const ignored = link_->context.ignored_fields;
  if (ignored) ignored->note(head_, link_->peer.ip);
  if (destination().is_host) return false;
  hears_of_visitor_ = false;
  refuse({.status = 400, .detail = "bad-forwarded-host"});
  return true;
}

// What needs no handler: methods that Weir does not forward, a body that is told to be too long,
// and a visitor's host that is none.
bool H1Exchange::refuse_at_once() {
  const std::uint64_t max_body = link_->context.limits.max_body;
  if (head_.method == http::Method::Trace || head_.method == http::Method::Connect ||
      (head_.method == http::Method::Purge && !link_->context.purges)) {
    is_last_ = !link_->reader.body().ended();
    send_error(405, "method", {});
    return true;
  }
  if (max_body != 0 && head_.framing == http::Framing::Length && head_.content_length > max_body) {
    refuse({.status = 413, .detail = "max-body"});
    return true;
  }
  return hears_of_visitor_ && refuse_told_host();
}

void H1Exchange::refuse(const http::ParseError& error) {
  if (responding_) return cut();
  is_last_ = true;
  send_error(error.status, error.detail, {});
  refused_ = true;
}

void H1Exchange::refuse_head(const http::ParseError& error) {
  head_.clear();
  refuse(error);
}

keys::Destination H1Exchange::destination() const {
  if (!hears_of_visitor_) return {.authority = head_.authority};
  return keys::destination_of(head_, trusted_fields_);
}

// ---- what the client does ----

void H1Exchange::peer_closed() {
  // Nobody half-closes and then reads an endless stream: without this a closed tab would hold its
  // connection to the app until the next event, which may never come.
  if (endless_) {
    link_->dead = true;
    return;
  }
  if (!responding_ && handler_ && handler_->waits_in_line()) return client_is_gone();
  // A half-close after a whole request is legitimate: the response still has a reader.
  if (body_wanted_) return tell_of_body();
  // What has not come by now never will.
  if (gathering_) return refuse({.status = 400, .detail = "body"});
  if (!responding_) link_->deadlines.await_look_at_half_closed();
}

// But most who close have left: for them nobody stays in the queue for a connection to the app. A
// request that has been sent is answered, or times out, within upstream.first_byte_timeout.
void H1Exchange::is_half_closed_still() {
  if (responding_) return;
  if (handler_->waits_for_place() || handler_->waits_in_line()) return client_is_gone();
  link_->deadlines.await_look_at_half_closed();
}

void H1Exchange::body_is_late() {
  if (link_->peer_done && !responding_) return client_is_gone();
  if (!body_wanted_ || tunnel_) return;
  // Once the answer has begun a 408 could only come too late: the body may stop, until others wait.
  if (!responding_ && link_->deadlines.body_has_stopped()) {
    return refuse({.status = 408, .detail = "body-timeout"});
  }
  if (!refuse_slow_body()) link_->deadlines.await_more_body();
}

void H1Exchange::client_is_gone() {
  notes_.detail = "client-gone";
  link_->dead = true;
}

// ---- the response ----

// False when the client is beyond hearing, or was refused; the handler then has nothing to add.
bool H1Exchange::begin_response(int status) {
  if (link_->dead || refused_) return false;
  WEIR_CHECK(!responding_);  // a second response would answer the client's next request
  responding_ = true;
  status_ = status;
  if (!head_.keep_alive || link_->context.draining || body_is_unread()) is_last_ = true;
  return true;
}

// Some of the request's body is still to come: the app answers before it has read it. Where it ends
// nobody may ever know, so that no other request can follow.
bool H1Exchange::body_is_unread() const {
  const H1RequestReader& reader = link_->reader;
  return !reader.body().ended() && !reader.holds_rest_of_body();
}

void H1Exchange::append_fresh(const FreshFields& fresh) {
  append_fresh_fields(output_.head(), fresh,
                      {.close = is_last_, .keep_alive = head_.minor_version == 0});
}

void H1Exchange::finish_head(const FreshFields& fresh) {
  append_fresh(fresh);
  output_.head() += "\r\n";
}

void H1Exchange::send_informational(const http::ResponseHead& head) {
  if (responding_ || head_.minor_version == 0 || link_->dead) return;
  if (head.status == 100) continue_sent_ = true;  // the app's own, in Weir's stead
  append_head(output_.head(), head);
  output_.head() += "\r\n";
  write_out();
}

void H1Exchange::send_entry(const backends::EntryRef& entry, const FreshFields& fresh) {
  if (!begin_response(entry->status())) return;
  const bool with_body = head_.method != http::Method::Head;
  output_.head() += entry->status_line();
  append_fresh(fresh);
  output_.set_stored(entry, with_body);
  if (with_body && !entry->has_inline_body()) {
    entry_body_.reset(entry, loop(), [this] { body_ready(); });
    output_.set_body(&entry_body_, H1Output::BodyFraming::Plain);
    // One that was read for this answer is still at hand for the processor now.
    if (!entry->has_account()) return write_out();
  }
  write_out_in_turn();
}

void H1Exchange::send_not_modified(const backends::Entry& entry, const FreshFields& fresh) {
  if (!begin_response(304)) return;
  output_.head() += "HTTP/1.1 304 Not Modified\r\n";
  append_not_modified_fields(output_.head(), entry);
  finish_head(fresh);
  write_out_in_turn();
}

void H1Exchange::send(const http::ResponseHead& head, const FreshFields& fresh, BodySource* body) {
  if (!begin_response(head.status)) return;
  const http::Framing framing = response_framing(head_, head, body != nullptr);
  const bool chunked = framing == http::Framing::Chunked;
  if (framing == http::Framing::UntilClose) is_last_ = reset_at_cut_ = true;
  if (chunked || framing == http::Framing::UntilClose) {
    endless_ = policy::is_endless(head.fields.value(http::FieldId::ContentType));
  }
  // It had closed its half before the stream began: nobody reads that (peer_closed()).
  if (endless_ && link_->peer_done) {
    client_is_gone();
    return owner_->settle_soon();
  }
  append_head(output_.head(), head);
  append_framing(output_.head(), head_, head, framing);
  finish_head(fresh);
  if (framing != http::Framing::None) {
    output_.set_body(body, chunked ? H1Output::BodyFraming::Chunked : H1Output::BodyFraming::Plain);
  }
  write_out();
}

void H1Exchange::send_tunnel(const http::ResponseHead& head, BodySource& body) {
  if (!begin_response(head.status)) return;
  tunnel_ = true;
  is_last_ = true;
  link_->deadlines.await_nothing();
  append_head(output_.head(), head);
  output_.head() += "Connection: Upgrade\r\n\r\n";
  output_.set_body(&body, H1Output::BodyFraming::Plain);
  write_out();
}

void H1Exchange::send_error(int status, std::string_view detail, const FreshFields& fresh) {
  // A fault in the request's body is known here better than by whoever was reading it.
  const H1RequestBody& body = link_->reader.body();
  if (body.failed()) {
    status = body.error().status;
    detail = body.error().detail;
    is_last_ = true;
  }
  if (!begin_response(status)) return;
  if (notes_.detail.empty()) notes_.detail = detail;
  const ErrorForm form = link_->context.json_errors ? ErrorForm::Json : ErrorForm::Text;
  const std::string text = error_body(form, status, detail);
  append_error_head(output_.head(), form, status, text.size(), loop().clock().wall_s());
  // Who refused a request before anybody looked it up says so in the same place (RFC 9211).
  const std::string refused = "weir; detail=" + std::string(detail);
  FreshFields said = fresh;
  if (said.cache_status.empty() && !detail.empty()) said.cache_status = refused;
  finish_head(said);
  if (head_.method != http::Method::Head) output_.add_short_body(text);
  write_out();
}

void H1Exchange::body_ready() {
  // A waiting answer leaves with its batch, which would call for it a second time.
  if (responding_ && !waiting_ && !done_ && !link_->dead) write_out();
}

// An answer from memory leaves with those of the same turn, unless other requests wait behind it.
void H1Exchange::write_out_in_turn() {
  waiting_ = starting_ && link_->reader.empty() && owner_->send_at_turns_end();
  if (!waiting_) write_out();
}

void H1Exchange::send_waiting() {
  waiting_ = false;
  if (link_->dead) return;
  write_out();
  if (!done_) keep_request();
}

void H1Exchange::write_out() {
  const H1Output::Status status = output_.flush(*link_->connection);
  if (output_.progressed()) link_->deadlines.progressed();
  link_->blocked = status == H1Output::Status::Blocked;
  owner_->update_interest();
  switch (status) {
    case H1Output::Status::Blocked:
      // A client that takes nothing for send_timeout is cut; each byte it takes buys it another.
      return link_->deadlines.await_progress();
    case H1Output::Status::Starved:
      return;
    case H1Output::Status::Done:
      if (!responding_) return;
      done_ = true;
      break;
    case H1Output::Status::SourceFailed:
      handler_->response_cut();
      cut();
      break;
    case H1Output::Status::PeerGone:
      link_->dead = true;
      break;
  }
  owner_->settle_soon();
}

// The client must be able to tell that its response is not whole. The connection's end does, but
// where that end is the body's delimiter only a reset does.
void H1Exchange::cut() {
  if (reset_at_cut_) link_->connection->reset_on_close();
  link_->dead = true;
}

// ---- its end ----

void H1Exchange::finish(std::int64_t now_us) {
  const std::int64_t took_us = started_us_ == kNotStarted ? 0 : now_us - started_us_;
  if (metrics::LoopCounts* const counts = link_->context.counts) count(*counts, took_us);
  if (AccessLog* const log = link_->context.access_log) write_line(*log, took_us);
  Handler* const handler = std::exchange(handler_, nullptr);
  if (!handler) return;
  handler->finished();
  handlers_->release(handler);
}

// How long an event stream or a tunnel lasted tells nothing of how quick anybody was.
void H1Exchange::count(metrics::LoopCounts& counts, std::int64_t took_us) const {
  const std::int64_t total_us = is_open_ended() ? -1 : took_us;
  if (notes_.detail.empty() && notes_.upstream_ms < 0 && !notes_.collapsed) {
    counts.count_plain(notes_.counts, notes_.verdict, status_, output_.body_bytes(), total_us);
  } else {
    counts.count(notes_.counts, {.verdict = notes_.verdict,
                                 .status = status_,
                                 .detail = notes_.detail,
                                 .subject = notes_.subject,
                                 .bytes = output_.body_bytes(),
                                 .total_us = total_us,
                                 .upstream_ms = notes_.upstream_ms,
                                 .collapsed = notes_.collapsed});
  }
  // Of keys that stores were asked for.
  const bool has_key = notes_.counts && notes_.verdict != policy::Verdict::Bypass;
  if (has_key && counts.wants_url()) {
    counts.count_url(destination().authority, head_.target);
  }
}

void H1Exchange::write_line(AccessLog& log, std::int64_t took_us) const {
  log.write({.wall_ms = link_->context.loop.clock().wall_ms(),
             .client = link_->peer.ip,
             .method = head_.method_text,
             .target = head_.target,
             .host = destination().authority,
             .minor_version = head_.minor_version,
             .status = status_,
             .bytes = output_.body_bytes(),
             .route = notes_.route,
             .cache = policy::token(notes_.verdict),
             .detail = notes_.detail,
             .subject = notes_.subject,
             .upstream_ms = notes_.upstream_ms,
             .total_us = took_us,
             .referer = head_.value(http::FieldId::Referer),
             .user_agent = head_.value(http::FieldId::UserAgent)});
}

}  // namespace weir::front
