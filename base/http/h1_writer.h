// HTTP/1.1 heads as bytes. Appends to a caller's string, so that a buffer is reused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/http/message.h"
#include "base/http/status.h"

namespace weir::http {

// "HTTP/1.1 200 OK\r\n"; reason_phrase() when `reason` is empty.
void append_status_line(std::string& out, int status, std::string_view reason = {});
// "Name: value\r\n".
void append_field(std::string& out, std::string_view name, std::string_view value);
void append_fields(std::string& out, const HeaderBlock& fields);
// "1a2b\r\n", the line before a chunk's bytes; a chunk of 0 bytes must not be written.
void append_chunk_size(std::string& out, std::uint64_t bytes);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace weir::http
