// Any bytes as a stored record: as they are, and with checksums that fit, so that what lies behind
// the checksums is reached too. What decodes is a response or a marker that encodes to itself.
#include <algorithm>
#include <string>

#include "backends/record.h"
#include "base/hash.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using namespace weir;
using namespace weir::backends;

constexpr RecordTime kTime{true, 1'000};
constexpr std::int64_t kNow = std::int64_t{1} << 53;
// The layout of record.cc, as far as this needs it.
constexpr std::size_t kFixedBytes = 72;
constexpr std::size_t kSizesAt = 12;
constexpr std::size_t kBlockBytes = 64 * 1024;

void put(std::string& out, std::size_t at, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out[at + i] = static_cast<char>(value >> (8 * i));
}
std::uint64_t get(const std::string& in, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(in[at + i]);
  return value;
}

// The input cut into key, status line, fields and body by its own sizes, where they fit.
std::string repaired(std::string_view message) {
  std::string record(message.substr(0, kFixedBytes));
  std::string_view rest = message.substr(kFixedBytes);
  record.replace(0, 5, "WEIR\x01");
  for (std::size_t part = 0; part < 3; ++part) {
    const std::size_t at = kSizesAt + 4 * part;
    const std::size_t size = std::min<std::size_t>(get(record, at), rest.size());
    put(record, at, size, 4);
    record += rest.substr(0, size);
    rest.remove_prefix(size);
  }
  put(record, kSizesAt + 12, rest.size(), 8);
  for (std::string_view left = rest; !left.empty();) {
    const std::string_view block = left.substr(0, kBlockBytes);
    left.remove_prefix(block.size());
    record.resize(record.size() + 8);
    put(record, record.size() - 8, stable_hash64(block), 8);
  }
  const std::uint64_t sum = stable_hash64(record);
  record.resize(record.size() + 8);
  put(record, record.size() - 8, sum, 8);
  return record.append(rest);
}

// The key that the record claims, so that what lies behind that check is reached as well.
keys::KeyView key_in(std::string_view bytes) {
  if (bytes.size() < kFixedBytes) return {};
  const std::string_view key =
      bytes.substr(kFixedBytes, get(std::string(bytes.substr(0, kFixedBytes)), kSizesAt));
  return {key, hash128(key)};
}

void check(std::string_view bytes) {
  const keys::KeyView key = key_in(bytes);
  const Result<EntryRef> read = decode(bytes, key, kTime, kNow);
  if (!read) {
    WEIR_CHECK(read.error().code == ErrorCode::Corrupt && !read.error().message.empty());
    return;
  }
  const std::string written = encode(**read, kTime);
  WEIR_CHECK((*read)->key() == key);
  const Result<EntryRef> again = decode(written, key, kTime, kNow);
  WEIR_CHECK(again && encode(**again, kTime) == written);
  WEIR_CHECK((*again)->stored_head() == (*read)->stored_head());
  WEIR_CHECK((*again)->body_size() == (*read)->body_size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  check(message);
  if (size >= kFixedBytes) check(repaired(message));
  return 0;
}
