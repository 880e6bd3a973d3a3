// The writing half of an HTTP/1.1 session.
#include <fmt/format.h>

#include <array>

#include "base/http/date.h"
#include "base/http/h1_writer.h"
#include "proxy/front/h1_session.h"
#include "proxy/policy/storable.h"

namespace weir::front {
namespace {

// Statuses whose responses never have a body (RFC 9110 6.4.1).
bool is_bodiless(int status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

// False when a response is out already; the caller then has nothing to add.
bool H1Session::begin_response(int status) {
  if (x_->responding || phase_ == Phase::Dead) return false;
  x_->responding = true;
  x_->status = status;
  if (!x_->head.keep_alive || context_.draining) x_->close_after = true;
  return true;
}

void H1Session::finish_head(const FreshFields& fresh) {
  append_fresh_fields(x_->output.head(), fresh,
                      {.close = x_->close_after, .keep_alive = x_->head.minor_version == 0});
  x_->output.head() += "\r\n";
}

void H1Session::send_informational(const http::ResponseHead& head) {
  if (x_->responding || x_->head.minor_version == 0 || phase_ == Phase::Dead) return;
  std::string& out = x_->output.head();
  http::append_status_line(out, head.status, head.reason);
  http::append_fields(out, head.fields);
  out += "\r\n";
  write_out();
}

void H1Session::send_entry(const backends::EntryRef& entry, const FreshFields& fresh) {
  if (!begin_response(entry->meta().status)) return;
  x_->output.set_stored_head(entry);
  finish_head(fresh);
  if (x_->head.method != http::Method::Head && !entry->body().empty()) {
    x_->entry_body.reset(entry);
    x_->output.set_body(&x_->entry_body, H1Output::BodyFraming::Plain);
  }
  write_out();
}

// Content-Length or Transfer-Encoding, as the response has a body and the client knows chunks.
void H1Session::append_framing(const http::ResponseHead& head, bool has_body) {
  std::string& out = x_->output.head();
  if (!has_body) {
    // What HEAD and 304 say of a body's length stands among the fields already.
    if (x_->head.method != http::Method::Head && !is_bodiless(head.status)) {
      out += "Content-Length: 0\r\n";
    }
    return;
  }
  if (head.framing == http::Framing::Length) {
    http::append_field(out, "Content-Length", fmt::format_int(head.content_length).c_str());
    return;
  }
  x_->endless = policy::is_endless(head.fields.value(http::FieldId::ContentType));
  if (x_->head.minor_version >= 1) {
    out += "Transfer-Encoding: chunked\r\n";
  } else {
    x_->close_after = true;
    x_->reset_at_cut = true;
  }
}

void H1Session::send(const http::ResponseHead& head, const FreshFields& fresh, BodySource* body) {
  if (!begin_response(head.status)) return;
  const bool has_body = body && head.framing != http::Framing::None &&
                        x_->head.method != http::Method::Head && !is_bodiless(head.status);
  std::string& out = x_->output.head();
  http::append_status_line(out, head.status, head.reason);
  http::append_fields(out, head.fields);
  append_framing(head, has_body);
  if (has_body) {
    const bool chunked = head.framing != http::Framing::Length && x_->head.minor_version >= 1;
    x_->output.set_body(body,
                        chunked ? H1Output::BodyFraming::Chunked : H1Output::BodyFraming::Plain);
  }
  finish_head(fresh);
  write_out();
}

void H1Session::send_tunnel(const http::ResponseHead& head, BodySource& body) {
  if (!begin_response(head.status)) return;
  x_->tunnel = true;
  x_->close_after = true;
  read_deadline_.clear();
  std::string& out = x_->output.head();
  http::append_status_line(out, head.status, head.reason);
  http::append_fields(out, head.fields);
  out += "Connection: Upgrade\r\n\r\n";
  x_->output.set_body(&body, H1Output::BodyFraming::Plain);
  write_out();
}

void H1Session::send_error(int status, std::string_view detail, const FreshFields& fresh) {
  // A fault in the request's body is known here better than by whoever was reading it.
  if (x_->body.failed()) {
    status = x_->body.error().status;
    detail = x_->body.error().detail;
    x_->close_after = true;
  }
  if (!begin_response(status)) return;
  if (x_->notes.detail.empty()) x_->notes.detail = detail;
  const std::string text =
      fmt::format("{} {}\ndetail={}\n", status, http::reason_phrase(status), detail);
  std::string& out = x_->output.head();
  http::append_status_line(out, status);
  out += "Content-Type: text/plain; charset=utf-8\r\n";
  http::append_field(out, "Date", http::format_date(loop().clock().wall_s()));
  if (status == 405) http::append_field(out, "Allow", kAllowedMethods);
  if (status == 503) out += "Retry-After: 1\r\n";
  http::append_field(out, "Content-Length", fmt::format_int(text.size()).c_str());
  finish_head(fresh);
  if (x_->head.method != http::Method::Head) x_->output.add_short_body(text);
  write_out();
}

void H1Session::body_ready() {
  if (x_ && x_->responding && !x_->done && phase_ != Phase::Dead) write_out();
}

void H1Session::write_out() {
  const H1Output::Status status = x_->output.flush(*connection_);
  if (x_->output.progressed() && write_deadline_) write_deadline_->clear();
  written(status);
}

void H1Session::written(H1Output::Status status) {
  blocked_ = status == H1Output::Status::Blocked;
  connection_->want(reading_, blocked_);
  switch (status) {
    case H1Output::Status::Blocked:
      expect_progress();
      return;
    case H1Output::Status::Starved:
      return;
    case H1Output::Status::Done:
      if (x_->responding) x_->done = true;
      break;
    case H1Output::Status::SourceFailed:
      cut();
      break;
    case H1Output::Status::PeerGone:
      die();
      break;
  }
  if (x_->done || phase_ == Phase::Dead) settle_soon();
}

// A client that takes nothing for send_timeout is cut; each byte it takes buys it another.
void H1Session::expect_progress() {
  if (!write_deadline_) {
    write_deadline_ = std::make_unique<Deadline>(loop(), [this] {
      if (x_) x_->notes.detail = "send-timeout";
      connection_->reset_on_close();
      die();
      settle();
    });
  }
  if (!write_deadline_->is_set()) {
    write_deadline_->set(loop().now_ms() + context_.limits.send_timeout_ms);
  }
}

// The client must be able to tell that its response is not whole. The connection's end does, but
// where that end is the body's delimiter only a reset does.
void H1Session::cut() {
  if (x_->reset_at_cut) connection_->reset_on_close();
  die();
}

}  // namespace weir::front
