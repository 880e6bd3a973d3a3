#include "base/http/h1_writer.h"

#include <charconv>

namespace weir::http {
namespace {

template <class Number>
void append_number(std::string& out, Number value, int base) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, base).ptr;
  out.append(digits, end);
}

}  // namespace

void append_status_line(std::string& out, int status, std::string_view reason) {
  out += "HTTP/1.1 ";
  append_number(out, status, 10);
  out += ' ';
  out += reason.empty() ? reason_phrase(status) : reason;
  out += "\r\n";
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_fields(std::string& out, const HeaderBlock& fields) {
  fields.for_each([&out](const FieldView& field) { append_field(out, field.name, field.value); });
}

void append_chunk_size(std::string& out, std::uint64_t bytes) {
  append_number(out, bytes, 16);
  out += "\r\n";
}

}  // namespace weir::http
