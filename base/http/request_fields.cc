// What a request's fields say of the message itself: its host, its framing (RFC 9112 6), its
// connection (RFC 9112 9). Everything that two readers could take in two ways is refused.
#include "base/http/authority.h"
#include "base/http/char_class.h"
#include "base/http/framing.h"
#include "base/http/h1_parser.h"
#include "base/http/hop_by_hop.h"
#include "base/text.h"

namespace weir::http {
namespace {

// Its options are compared with every field of the head, so a flood of them must not get through.
constexpr std::size_t kMaxConnectionBytes = 1024;

}  // namespace

bool RequestParser::accept_field(const FieldView& field, RequestHead& head) {
  switch (field.id) {
    case FieldId::Other:
      if (is_framing_alias(field.name)) return fail(400, "framing-alias");
      return true;
    case FieldId::Host:
      return accept_host(field, head);
    case FieldId::ContentLength:
      return accept_content_length(field, head);
    case FieldId::TransferEncoding:
      return accept_transfer_encoding(field, head);
    case FieldId::Connection:
      return accept_connection(field);
    case FieldId::Expect:
      if (!equals_ignore_case(field.value, "100-continue")) return fail(417, "unknown-expectation");
      head.expect_continue = true;
      return true;
    default:
      return true;
  }
}

bool RequestParser::accept_host(const FieldView& field, RequestHead& head) {
  if (head.has(FieldId::Host)) return fail(400, "duplicate-host");
  // RFC 9110 7.2: what a client sends whose URL has no authority. Nobody is asked for by name then.
  if (field.value.empty()) return true;
  if (!is_valid_authority(field.value)) return fail(400, "bad-host");
  // RFC 9112 3.2.2: the authority of an absolute-form target replaces it.
  if (head.authority.empty()) head.authority = field.value;
  return true;
}

bool RequestParser::accept_content_length(const FieldView& field, RequestHead& head) {
  if (head.has(FieldId::ContentLength)) return fail(400, "duplicate-content-length");
  if (head.has(FieldId::TransferEncoding)) return fail(400, "length-and-transfer-encoding");
  const auto length = parse_content_length(field.value);
  if (!length) return fail(400, "bad-content-length");
  head.content_length = *length;
  head.framing = *length > 0 ? Framing::Length : Framing::None;
  return true;
}

bool RequestParser::accept_transfer_encoding(const FieldView& field, RequestHead& head) {
  if (head.has(FieldId::TransferEncoding)) return fail(400, "duplicate-transfer-encoding");
  if (head.has(FieldId::ContentLength)) return fail(400, "length-and-transfer-encoding");
  if (head.minor_version == 0) return fail(400, "transfer-encoding-in-http10");
  switch (parse_transfer_encoding(field.value)) {
    case TransferCoding::Malformed:
      return fail(400, "bad-transfer-encoding");
    case TransferCoding::Unknown:
      return fail(501, "unknown-transfer-coding");
    case TransferCoding::Chunked:
      break;
  }
  head.framing = Framing::Chunked;
  return true;
}

bool RequestParser::accept_connection(const FieldView& field) {
  connection_bytes_ += field.value.size();
  if (connection_bytes_ > kMaxConnectionBytes) return fail(431, "connection-too-long");
  std::string_view fault;
  for_each_list_element(field.value, [&](std::string_view option) {
    if (!is_token(option)) {
      fault = "bad-connection";
    } else if (equals_ignore_case(option, "close")) {
      close_asked_ = true;
    } else if (equals_ignore_case(option, "keep-alive")) {
      keep_alive_asked_ = true;
    } else if (fault.empty() && is_protected_from_connection(option)) {
      fault = "connection-names-protected-field";
    }
  });
  return fault.empty() || fail(400, fault);
}

bool RequestParser::finish_head(RequestHead& head) {
  if (head.minor_version > 0 && !head.has(FieldId::Host)) return fail(400, "missing-host");
  head.keep_alive = !close_asked_ && (head.minor_version > 0 || keep_alive_asked_);
  // RFC 9110 10.1.1: not from HTTP/1.0, and pointless where no content follows.
  if (head.minor_version == 0 || head.framing == Framing::None) head.expect_continue = false;
  state_ = State::Done;
  return false;
}

}  // namespace weir::http
