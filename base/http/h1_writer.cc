#include "base/http/h1_writer.h"

#include <algorithm>
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

// Grown once and written at once: some of these are made for every answer.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  const std::size_t size = out.size() + name.size() + value.size() + 4;
  const std::size_t old_size = out.size();
  out.resize_and_overwrite(size, [&](char* bytes, std::size_t) {
    char* at = std::copy(name.begin(), name.end(), bytes + old_size);
    *at++ = ':';
    *at++ = ' ';
    at = std::copy(value.begin(), value.end(), at);
    *at++ = '\r';
    *at++ = '\n';
    return size;
  });
}

void append_fields(std::string& out, const HeaderBlock& fields) {
  fields.for_each([&out](const FieldView& field) { append_field(out, field.name, field.value); });
}

void append_chunk_size(std::string& out, std::uint64_t bytes) {
  append_number(out, bytes, 16);
  out += "\r\n";
}

}  // namespace weir::http
