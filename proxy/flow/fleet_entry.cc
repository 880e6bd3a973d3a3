#include "proxy/flow/fleet_entry.h"

#include <optional>

#include "base/little_endian.h"

namespace weir::flow {
namespace {

constexpr std::string_view kVersion = "1";

// How a kind is written: visible in redis-cli.
constexpr char letter_of(Mark::Kind kind) {
  switch (kind) {
    case Mark::Kind::Url:
      return 'u';
    case Mark::Kind::Tag:
      return 't';
    case Mark::Kind::Prefix:
      return 'p';
    case Mark::Kind::Glob:
      return 'g';
    case Mark::Kind::All:
    case Mark::Kind::UrlFloor:  // of a table of one instance: never made by a purge
    case Mark::Kind::TagFloor:
      return 'a';
  }
  return 'a';
}

void mark(char letter, bool soft, std::string_view text, PurgeBook& book) {
  switch (letter) {
    case 'u':
      book.mark_url({{}, {}, {}, text}, soft);
      return;
    case 't':
      if (text.size() != sizeof(std::uint64_t)) break;
      book.mark_tag(take_number<std::uint64_t>(text), soft);
      return;
    case 'p':
      book.mark_prefix(text, soft);
      return;
    case 'g':
      book.mark_glob(text, soft);
      return;
    case 'a':
      book.mark_all(soft);
      return;
    default:
      break;
  }
  book.mark_all();
}

}  // namespace

std::string fleet_entry(const Mark& mark) {
  std::string out(kVersion);
  out += letter_of(mark.kind);
  out += mark.soft ? 's' : 'h';
  return out.append(mark.text);
}

std::string stale_tag_entry(std::uint64_t tag) {
  std::string text;
  put_number(text, tag);
  return fleet_entry({.kind = Mark::Kind::Tag, .soft = true, .text = text});
}

void apply_entry(std::string_view entry, PurgeBook& book) {
  const bool is_ours =
      entry.size() >= 3 && entry.starts_with(kVersion) && (entry[2] == 's' || entry[2] == 'h');
  if (!is_ours) {
    book.mark_all();
    return;
  }
  mark(entry[1], entry[2] == 's', entry.substr(3), book);
}

}  // namespace weir::flow
