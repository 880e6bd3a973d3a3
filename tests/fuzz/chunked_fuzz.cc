// Any bytes as a chunked body, blanks refused or skipped: pieces give what the whole gives, body
// bytes lie in the input, and the body coded again is decoded to itself.
#include <algorithm>
#include <memory>
#include <string>

#include "base/http/h1_parser.h"
#include "base/http/h1_writer.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using namespace weir;
using namespace weir::http;

struct Outcome {
  ParseStatus status = ParseStatus::NeedMore;
  std::string body;
  std::string_view detail;
  std::size_t consumed = 0;
};

void feed(ChunkedDecoder& decoder, std::string_view piece, Outcome& out) {
  while (out.status == ParseStatus::NeedMore && !piece.empty()) {
    std::size_t consumed = 0;
    std::string_view data;
    out.status = decoder.decode(piece, consumed, data);
    WEIR_CHECK(consumed <= piece.size() && fuzz::lies_in(data, piece.substr(0, consumed)));
    out.body += data;
    if (out.status == ParseStatus::Error) {
      out.detail = decoder.error().detail;
      WEIR_CHECK(!out.detail.empty());
      return;
    }
    WEIR_CHECK(consumed > 0);
    out.consumed += consumed;
    piece.remove_prefix(consumed);
  }
}

Outcome decode_whole(std::string_view message, ChunkBlanks blanks = ChunkBlanks::Refused) {
  ChunkedDecoder decoder(blanks);
  Outcome out;
  feed(decoder, message, out);
  return out;
}

Outcome decode_in_pieces(std::string_view message, std::uint32_t seed, ChunkBlanks blanks) {
  ChunkedDecoder decoder(blanks);
  Outcome out;
  fuzz::Cuts cuts(seed);
  while (!message.empty() && out.status == ParseStatus::NeedMore) {
    const std::size_t size = std::min(message.size(), cuts.next());
    const auto block = std::make_unique<char[]>(size);
    std::ranges::copy(message.substr(0, size), block.get());
    feed(decoder, {block.get(), size}, out);
    message.remove_prefix(size);
  }
  return out;
}

// What is read without skipping blanks is read alike by whoever skips them.
void check_blanks_change_nothing_else(std::string_view message) {
  const Outcome strict = decode_whole(message);
  if (strict.status == ParseStatus::Error) return;
  const Outcome skipping = decode_whole(message, ChunkBlanks::Skipped);
  WEIR_CHECK(skipping.status == strict.status && skipping.body == strict.body);
  WEIR_CHECK(skipping.consumed == strict.consumed);
}

void check_coded_again(const std::string& body) {
  std::string coded;
  for (std::size_t at = 0; at < body.size(); at += 7) {
    const std::string chunk = body.substr(at, 7);
    append_chunk_size(coded, chunk.size());
    coded.append(chunk).append("\r\n");
  }
  coded += kLastChunk;
  const Outcome again = decode_whole(coded);
  WEIR_CHECK(again.status == ParseStatus::Done && again.body == body);
  WEIR_CHECK(again.consumed == coded.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [seed, message] = fuzz::split_input(data, size);
  for (const ChunkBlanks blanks : {ChunkBlanks::Refused, ChunkBlanks::Skipped}) {
    const Outcome whole = decode_whole(message, blanks);
    const Outcome pieces = decode_in_pieces(message, seed, blanks);
    WEIR_CHECK(pieces.status == whole.status && pieces.detail == whole.detail);
    WEIR_CHECK(pieces.body == whole.body);
    WEIR_CHECK(whole.status == ParseStatus::Error || pieces.consumed == whole.consumed);
    check_coded_again(whole.body);
  }
  check_blanks_change_nothing_else(message);
  return 0;
}
