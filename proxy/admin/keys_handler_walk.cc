// What is about many values: listing them, and clearing those of a pattern, or all.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "proxy/admin/json.h"
#include "proxy/admin/keys_handler.h"
#include "proxy/admin/purge_api.h"

namespace weir::admin {
namespace {

// Where a listing goes on: in which backend, at which part of its, behind which name of that.
struct Cursor {
  std::size_t backend = 0;
  std::uint64_t from = 0;
  std::string behind;
};

std::string text_of(const Cursor& cursor) {
  return fmt::format("{:x}.{:x}.{}", cursor.backend, cursor.from,
                     values::encode_percent(cursor.behind));
}

template <class Number>
bool take_number(std::string_view& text, Number& number) {
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc() || at == text.data() + text.size() || *at != '.') return false;
  text.remove_prefix(static_cast<std::size_t>(at - text.data()) + 1);
  return true;
}

std::optional<Cursor> read_cursor(std::string_view text) {
  Cursor cursor;
  if (text.empty()) return cursor;
  if (!take_number(text, cursor.backend) || !take_number(text, cursor.from)) return std::nullopt;
  auto behind = values::decode_percent(text, false);
  if (!behind) return std::nullopt;
  cursor.behind = std::move(*behind);
  return cursor;
}

}  // namespace

struct KeysHandler::WalkState {
  Json keys = Json::array();
  Cursor began;
  std::uint64_t cleared = 0;
};

// ---- listing ----

void KeysHandler::list() {
  found_ = std::make_shared<WalkState>();
  const auto cursor = read_cursor(call_.cursor);
  if (!cursor || cursor->backend >= site_->site->backends.size()) {
    return fault({.field = "cursor", .message = "is none that a listing has given"});
  }
  if (!call_.backend) backend_ = cursor->backend;
  found_->began = *cursor;
  walk_from(cursor->from);
}

void KeysHandler::walk_from(std::uint64_t from) {
  walk_ = std::make_unique<values::ValueWalk>(
      worker_.loop, store(), from, [this](std::uint64_t began, backends::ListPart part) {
        return call_.kind == Kind::List ? list_part(began, std::move(part)) : clear_part(part);
      });
}

// Within a part names are told in their order, so that a listing can go on behind one of them.
bool KeysHandler::list_part(std::uint64_t from, backends::ListPart part) {
  if (part.is_unanswered || part.is_unread) return not_answered();
  std::ranges::sort(part.entries, {}, &backends::Listed::key);
  const Cursor& began = found_->began;
  const bool is_first = from == began.from && backend_ == began.backend;
  std::string_view last;
  for (const backends::Listed& entry : part.entries) {
    const std::string_view name = values::name_of_value(entry.key);
    const bool was_told =
        (is_first && !began.behind.empty() && name <= began.behind) || name == last;
    if (was_told || !call_.pattern.matches(name)) continue;
    const auto age = usable(entry.meta);
    if (!age) continue;
    if (found_->keys.size() == call_.limit) {
      send_list(text_of(Cursor{backend_, from, std::string(last)}));
      return false;
    }
    found_->keys.push_back({{"key", name},
                            {"path", values::encode_percent(name)},
                            {"size", entry.body_bytes},
                            {"age", age->age_s},
                            {"ttl", age->ttl_s},
                            {"backend", backend_name()}});
    last = name;
  }
  if (part.next && found_->keys.size() == call_.limit) {
    send_list(text_of(Cursor{backend_, *part.next, {}}));
    return false;
  }
  if (part.next) return true;
  return list_next_backend();
}

// Always false: the walk through this one is over.
bool KeysHandler::list_next_backend() {
  const bool was_last = call_.backend || backend_ + 1 == site_->site->backends.size();
  if (was_last) {
    send_list({});
    return false;
  }
  ++backend_;
  walk_from(0);
  return false;
}

void KeysHandler::send_list(const std::string& cursor) {
  Json out;
  out["keys"] = std::move(found_->keys);
  out["cursor"] = cursor.empty() ? Json() : Json(cursor);
  send({.body = admin::text_of(out)});
}

// ---- clearing ----

// What is being computed when it begins is older than the clear, wherever the walk is when that
// comes. So is what was on its way into the store, and what is computed for a key that is cleared
// in between may be.
void KeysHandler::clear_matching() {
  found_ = std::make_shared<WalkState>();
  void_matching_leases();
  walk_from(0);
}

void KeysHandler::void_matching_leases() {
  const std::string prefix = lease_name();  // call_.name is empty
  leases_.void_if([&](std::string_view lease) {
    return lease.starts_with(prefix) && call_.pattern.matches(lease.substr(prefix.size()));
  });
}

// Nobody knows what a store has that does not answer: half a list, or half a clear, is none.
bool KeysHandler::not_answered() {
  fault({.status = 503, .field = "", .message = "the backend cannot be looked through now"});
  return false;
}

bool KeysHandler::clear_part(const backends::ListPart& part) {
  if (part.is_unanswered) return not_answered();
  keys::KeyBuffer key;
  bool has_failed = false;
  const std::uint64_t before = store().erasures();
  const auto erase = [&](std::string_view entry) {
    const std::string_view name = values::name_of_value(entry);
    if (!call_.pattern.matches(name)) return backends::EraseResult::Absent;
    values::build_value_key(name, key);
    const backends::EraseResult result = store().erase(key.view());
    has_failed = has_failed || result == backends::EraseResult::Failed;
    return result;
  };
  for (const backends::Listed& entry : part.entries) {
    const bool counts = usable(entry.meta).has_value();
    if (erase(entry.key) != backends::EraseResult::Absent && counts) ++found_->cleared;
  }
  for (const std::string& leased : part.leased) erase(leased);
  if (has_failed) {
    cannot_clear();
    return false;
  }
  pending_ = store().when_erased(before, [this, next = part.next](bool are_gone) {
    pending_ = nullptr;
    if (!are_gone) return cannot_clear();
    if (go_on_clearing(next)) walk_from(*next);
  });
  return !pending_ && go_on_clearing(part.next);
}

// Where what was found so far is gone.
bool KeysHandler::go_on_clearing(std::optional<std::uint64_t> next) {
  if (next) return true;
  void_matching_leases();
  send({.body = admin::text_of({{"cleared", found_->cleared}})});
  return false;
}

// Nothing is looked for: a mark of the purge book does it, and is written down, and known to all
// instances, before it is answered. What is set from then on stays.
void KeysHandler::clear_all() {
  const std::string backend = call_.backend.value_or("");
  values::clear_values(worker_.tables.purges, backend);
  const std::string prefix = call_.backend ? lease_name() : "";
  leases_.void_if([&](std::string_view lease) { return lease.starts_with(prefix); });
  reply_when_kept(worker_, {.done = Done::Cleared, .backend = backend},
                  [asker = asker()](Reply reply) mutable { asker.answer(std::move(reply)); });
}

}  // namespace weir::admin
