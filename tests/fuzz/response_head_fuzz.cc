// Any bytes as response heads, cut into lines behind each LF: what is accepted holds no byte that
// could end a line, has one framing, and means the same once it is written again.
#include <string>

#include "base/http/h1_parser.h"
#include "base/http/h1_writer.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using namespace weir;
using namespace weir::http;

bool is_clean(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// Whether a whole head was accepted.
bool feed(ResponseHeadParser& parser, std::string_view text) {
  while (!text.empty()) {
    const std::size_t lf = text.find('\n');
    const std::string_view line = text.substr(0, lf == std::string_view::npos ? lf : lf + 1);
    const Result<bool> result = parser.feed_line(line);
    WEIR_CHECK(result || !result.error().message.empty());
    if (!result) return false;
    if (*result) return true;
    text.remove_prefix(line.size());
  }
  return false;
}

void check_head(const ResponseHead& head, bool to_head_request) {
  WEIR_CHECK(head.status >= 100 && head.status <= 999 && is_clean(head.reason));
  bool length = false;
  bool coding = false;
  head.fields.for_each([&](const FieldView& field) {
    WEIR_CHECK(!field.name.empty() && is_clean(field.name) && is_clean(field.value));
    length = length || field.id == FieldId::ContentLength;
    coding = coding || field.id == FieldId::TransferEncoding;
  });
  WEIR_CHECK(!(length && coding));
  WEIR_CHECK(head.framing != Framing::Chunked || coding);
  WEIR_CHECK(head.framing != Framing::Length || (length && head.content_length > 0));
  WEIR_CHECK(head.framing != Framing::UntilClose || (!length && !coding));
  WEIR_CHECK(!to_head_request || head.framing == Framing::None);
}

std::string write(const ResponseHead& head) {
  std::string out = "HTTP/1." + std::to_string(head.minor_version) + " " +
                    std::to_string(head.status) + " " + head.reason + "\r\n";
  append_fields(out, head.fields);
  return out + "\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [seed, message] = fuzz::split_input(data, size);
  const bool to_head_request = seed % 2 == 1;
  ResponseHeadParser parser;
  parser.reset(to_head_request);
  if (!feed(parser, message)) return 0;
  check_head(parser.head(), to_head_request);

  const std::string written = write(parser.head());
  const Framing framing = parser.head().framing;
  parser.reset(to_head_request, written.size());
  WEIR_CHECK(feed(parser, written));
  WEIR_CHECK(write(parser.head()) == written && parser.head().framing == framing);
  return 0;
}
