#include "backends/redis/slots.h"

#include <algorithm>
#include <charconv>

namespace weir::backends::redis {
namespace {

// CRC-16 as XMODEM has it: polynomial 0x1021, from 0, the highest bit first.
constexpr std::array<std::uint16_t, 256> crc_table() {
  std::array<std::uint16_t, 256> out{};
  for (unsigned byte = 0; byte < out.size(); ++byte) {
    unsigned crc = byte << 8U;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 0x8000U) != 0 ? (crc << 1U) ^ 0x1021U : crc << 1U;
    }
    out[byte] = static_cast<std::uint16_t>(crc);
  }
  return out;
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || at != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// "?" says a node whose name nobody has told it.
std::string host_or(std::string_view host, const std::string& asked) {
  return host.empty() || host == "?" ? asked : std::string(host);
}

// A range's first and last slot, and its master: an address, a port, and more.
struct Range {
  std::size_t first = 0;
  std::size_t last = 0;
  HostAndPort master;
};

std::optional<Range> read_range(const Reply& reply, const std::string& asked) {
  if (reply.elements.size() < 3) return std::nullopt;
  const Reply& first = reply.elements[0];
  const Reply& last = reply.elements[1];
  const Reply& master = reply.elements[2];
  const bool is_sound = first.type == Reply::Type::Integer && last.type == Reply::Type::Integer &&
                        first.integer >= 0 && first.integer <= last.integer &&
                        last.integer < static_cast<std::int64_t>(kSlots) &&
                        master.elements.size() >= 2 && master.elements[1].integer > 0 &&
                        master.elements[1].integer <= UINT16_MAX;
  if (!is_sound) return std::nullopt;
  return Range{.first = static_cast<std::size_t>(first.integer),
               .last = static_cast<std::size_t>(last.integer),
               .master = {host_or(master.elements[0].bytes(), asked),
                          static_cast<std::uint16_t>(master.elements[1].integer)}};
}

}  // namespace

std::size_t slot_of(std::string_view name) {
  static constexpr std::array<std::uint16_t, 256> kTable = crc_table();
  if (const std::size_t open = name.find('{'); open != std::string_view::npos) {
    const std::size_t close = name.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) {
      name = name.substr(open + 1, close - open - 1);
    }
  }
  unsigned crc = 0;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    crc = ((crc << 8U) ^ kTable[((crc >> 8U) ^ byte) & 0xFFU]) & 0xFFFFU;
  }
  return crc % kSlots;
}

std::optional<SlotMap> read_slots(const Reply& reply, const std::string& asked) {
  if (reply.type != Reply::Type::Array || reply.elements.empty()) return std::nullopt;
  std::vector<Range> ranges;
  SlotMap out;
  for (const Reply& element : reply.elements) {
    std::optional<Range> range = read_range(element, asked);
    if (!range) return std::nullopt;
    out.masters.push_back(range->master);
    ranges.push_back(std::move(*range));
  }
  std::ranges::sort(out.masters, {}, &HostAndPort::text);
  const auto doubled = std::ranges::unique(out.masters);
  out.masters.erase(doubled.begin(), doubled.end());
  if (out.masters.size() >= SlotMap::kNobody) return std::nullopt;
  out.owners.fill(SlotMap::kNobody);
  for (const Range& range : ranges) {
    const auto owner = std::ranges::find(out.masters, range.master) - out.masters.begin();
    std::fill(out.owners.begin() + static_cast<std::ptrdiff_t>(range.first),
              out.owners.begin() + static_cast<std::ptrdiff_t>(range.last) + 1,
              static_cast<std::uint16_t>(owner));
  }
  return out;
}

// "MOVED 3999 127.0.0.1:6381"
std::optional<Redirection> read_redirection(const Reply& reply, const std::string& asked) {
  const std::string_view code = reply.error_code();
  if (code != "MOVED" && code != "ASK") return std::nullopt;
  const std::string_view words = reply.bytes();
  const std::string_view to = words.substr(words.rfind(' ') + 1);
  const std::size_t colon = to.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = read_port(to.substr(colon + 1));
  if (!port) return std::nullopt;
  return Redirection{.is_ask = code == "ASK", .to = {host_or(to.substr(0, colon), asked), *port}};
}

}  // namespace weir::backends::redis
