#include "backends/redis/names.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "cachekeys/key.h"
#include "cachekeys/purge_name.h"

namespace weir::backends::redis {
namespace {

// Of the readable part, at most: a URL may be as long as a request line.
constexpr std::size_t kMostText = 200;
constexpr std::size_t kTagBytes = 16;

// Strangers choose URLs: a hash that anybody could steer would let them have pages of their choice
// share one name, or one server of a cluster.
std::string digest(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned int size = 0;
  static const EVP_MD* const sha256 = EVP_sha256();
  const int done = EVP_Digest(bytes.data(), bytes.size(), sum.data(), &size, sha256, nullptr);
  WEIR_CHECK(done == 1 && size >= kTagBytes);
  std::string out;
  out.reserve(2 * kTagBytes);
  for (std::size_t i = 0; i < kTagBytes; ++i)
    fmt::format_to(std::back_inserter(out), "{:02x}", sum[i]);
  return out;
}

// As it stands in a URL; what a terminal or a pattern would take amiss is escaped.
void append_text(std::string_view text, std::string& out) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = byte > ' ' && byte < 0x7f &&
                          std::string_view("\"\\'{}*?[]").find(c) == std::string_view::npos;
    if (is_plain || c == '?') {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", byte);
    }
  }
}

std::string url_text(std::string_view key_bytes) {
  const auto name = keys::purge_name(key_bytes);
  if (!name) return {};
  std::string out;
  append_text(name->authority, out);
  append_text(name->path, out);
  if (!name->query.empty()) {
    out += '?';
    append_text(name->query, out);
  }
  if (out.size() > kMostText) out.replace(kMostText - 3, std::string::npos, "...");
  return out;
}

bool is_value(std::string_view key_bytes) {
  return key_bytes.starts_with(keys::kValueKeyVersion);
}

// What SCAN takes for a pattern, taken literally.
std::string literal(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("*?[]\\^-").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string object_name(std::string_view prefix, std::string_view key_bytes) {
  if (is_value(key_bytes)) return fmt::format("{}v:{}", prefix, key_bytes.substr(1));
  return fmt::format("{}r:{{{}}}:{}", prefix, digest(key_bytes), url_text(key_bytes));
}

std::string piece_name(std::string_view prefix, std::string_view key_bytes,
                       std::uint64_t generation, std::uint64_t index) {
  if (!is_value(key_bytes)) {
    return fmt::format("{}r:{{{}}}:{:016x}:{}", prefix, digest(key_bytes), generation, index);
  }
  // A tag ends at its first '}', and one that holds nothing is none.
  const std::string_view key = key_bytes.substr(1);
  const bool may_be_tag = !key.empty() && key.find('}') == std::string_view::npos;
  return fmt::format("{}v:{{{}}}:{:016x}:{}", prefix, may_be_tag ? std::string(key) : digest(key),
                     generation, index);
}

std::string claim_name(std::string_view prefix, std::string_view key_bytes) {
  return fmt::format("{}c:{{{}}}", prefix, digest(key_bytes));
}

std::string objects_pattern(std::string_view prefix, char first_byte) {
  return literal(prefix) + (first_byte == keys::kValueKeyVersion ? "v:*" : "r:*");
}

std::string all_pattern(std::string_view prefix) {
  return literal(prefix) + "*";
}

}  // namespace weir::backends::redis
