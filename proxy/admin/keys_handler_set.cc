// Setting a value: its body comes in, the lease it was computed under is held still, it is stored.
#include <array>
#include <utility>

#include "proxy/admin/keys_handler.h"

namespace weir::admin {
namespace {

constexpr std::size_t kMostTypeBytes = 256;
constexpr std::string_view kUsualType = "application/octet-stream";
constexpr std::string_view kLeaseField = "Weir-Lease";

values::ValueFault too_large(std::uint64_t most) {
  return {.status = 413,
          .field = "body",
          .message = "is larger than the backend's max_object_size, " + std::to_string(most)};
}

values::ValueFault no_room() {
  return {.status = 503, .field = "", .message = "the backend cannot store it now"};
}

}  // namespace

void KeysHandler::begin_set() {
  const http::FieldView* const token = request().find(kLeaseField);
  if (token && call_.token.empty()) call_.token = token->value;
  if (!has_lease()) return;
  content_type_ = request().value(http::FieldId::ContentType);
  if (content_type_.size() > kMostTypeBytes) {
    return fault({.field = "Content-Type", .message = "has more than 256 bytes"});
  }
  if (content_type_.empty()) content_type_ = kUsualType;
  const std::uint64_t most = site_->site->backends[backend_]->max_object_size();
  intake_.emplace(store(), worker_.tables.budget, most);
  intake_->when_ready([this] {
    behind_ = false;
    read_body();
  });
  const bool known = request().framing == http::Framing::Length;
  const std::uint64_t length = known ? request().content_length : 0;
  if (intake_->expect(length) == values::ValueIntake::Status::TooLarge) {
    return fault(too_large(most));
  }
  if (call_.kind == Kind::GetOrSet) return look_up();
  read_body();
}

// Without a token nobody asks. One that is wrong, or late, is refused: another may have computed
// the value since, or it was cleared.
bool KeysHandler::has_lease() {
  if (call_.token.empty()) return true;
  if (leases_.is_held(lease_name(), call_.token, worker_.loop.now_ms())) return true;
  fault({.status = 409,
         .field = "lease",
         .message = "is not held: its time is over, or the key was set or cleared"});
  return false;
}

void KeysHandler::read_body() {
  if (!intake_ || behind_ || is_whole_) return;
  std::array<char, std::size_t{16} * 1024> buffer;
  while (true) {
    const front::BodyRead got = exchange().read_body(buffer);
    if (got.status == front::BodyRead::Status::Pending) return;
    if (got.status == front::BodyRead::Status::Failed) {
      return exchange().send_error(400, "body", {});
    }
    const bool is_end = got.status == front::BodyRead::Status::End;
    if (got.bytes > 0 && !take({buffer.data(), got.bytes}) && !(is_end && behind_)) return;
    if (is_end) return body_is_whole();
  }
}

// False: no more is to be read now.
bool KeysHandler::take(std::string_view bytes) {
  switch (intake_->append(bytes)) {
    case values::ValueIntake::Status::Taken:
      return true;
    case values::ValueIntake::Status::Behind:
      behind_ = true;
      return false;
    case values::ValueIntake::Status::TooLarge:
      fault(too_large(site_->site->backends[backend_]->max_object_size()));
      break;
    case values::ValueIntake::Status::NoRoom:
      fault(no_room());
      break;
  }
  intake_.reset();
  return false;
}

void KeysHandler::body_is_whole() {
  is_whole_ = true;
  if (!has_lease()) return;
  if (call_.kind == Kind::GetOrSet) return look_up();
  store_value();
}

// Of two who find nothing at the same time one stores, and the other finds that: which is seen
// here under a lock. What is there and would have to be waited for is looked up once more.
void KeysHandler::set_if_absent() {
  constexpr int kTries = 3;
  const auto lock = leases_.lock_for_set(lease_name());
  const backends::EntryRef now = store().lookup_now(key_.view(), backends::Purpose::Probe);
  const bool may_be_there = now ? usable(now->meta()).has_value() : store().may_have(key_.view());
  if (may_be_there && tries_++ < kTries) {
    // Not within the lock.
    return worker_.loop.post([weak = set_life_.watch()] {
      if (KeysHandler* const handler = weak.get()) handler->look_up();
    });
  }
  store_value();
}

void KeysHandler::store_value() {
  backends::EntryParts parts = values::value_parts(
      key_.view(),
      {.content_type = content_type_,
       .lifetime_s = call_.duration_s.value_or(site_->site->backends[backend_]->default_expire_s()),
       .seq = seq_,
       .now_ms = worker_.loop.now_ms(),
       .body_bytes = intake_->size()});
  backends::Storing storing = intake_->commit(std::move(parts), *this);
  if (storing.result) return on_stored(*storing.result);
  pending_ = std::move(storing.pending);
}

void KeysHandler::on_stored(backends::StoreResult result) {
  pending_ = nullptr;
  switch (result) {
    case backends::StoreResult::Stored:
      leases_.set(lease_name());
      return send({.status = call_.kind == Kind::GetOrSet ? 201 : 204});
    case backends::StoreResult::TooLarge:
      return fault(too_large(site_->site->backends[backend_]->max_object_size()));
    case backends::StoreResult::NoRoom:
    case backends::StoreResult::Failed:
      return fault(no_room());
  }
}

}  // namespace weir::admin
