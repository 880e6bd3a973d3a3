// Setting a value: its body comes in, the lease it was computed under is held still, it is stored.
#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "proxy/admin/keys_handler.h"

namespace weir::admin {
namespace {

constexpr std::size_t kMostTypeBytes = 256;
constexpr std::string_view kUsualType = "application/octet-stream";
// A medium that takes longer than that for a value hangs.
constexpr std::int64_t kMostSetting_ms = 60'000;
constexpr std::string_view kLeaseField = "Weir-Lease";

values::ValueFault too_large(std::uint64_t most) {
  return {.status = 413,
          .field = "body",
          .message = "is larger than the backend's max_object_size, " + std::to_string(most)};
}

}  // namespace

values::ValueFault KeysHandler::cannot_store() {
  return {.status = 503, .field = "", .message = "the backend cannot store it now"};
}

void KeysHandler::begin_set() {
  const http::FieldView* const token = request().find(kLeaseField);
  if (token && !call_.token) call_.token = token->value;
  if (call_.token && is_shared()) {
    exchange().keep_request();
    return find_fleet_lease();
  }
  if (!has_lease()) return lease_is_gone();
  begin_body();
}

void KeysHandler::begin_body() {
  content_type_ = request().value(http::FieldId::ContentType);
  if (content_type_.size() > kMostTypeBytes) {
    return refuse_set({.field = "Content-Type", .message = "has more than 256 bytes"});
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
    return refuse_set(too_large(most));
  }
  if (call_.kind == Kind::GetOrSet) {
    call_.lease_ms = kMostSetting_ms;
    return look_up(Purpose::Serve);
  }
  read_body();
}

// Without a token nobody asks. One that is wrong, or late, is refused: another may have computed
// the value since, or it was cleared.
bool KeysHandler::has_lease() {
  if (!call_.token || is_shared()) return true;  // a shared store sees to it itself
  const auto lease = leases_.held(lease_name(), *call_.token, worker_.loop.now_ms());
  if (lease) {
    seq_ = std::min(seq_, lease->seq);
  }
  return lease.has_value();
}

// Whoever computed it cannot have it stored, and others wait for him: they need not any longer.
void KeysHandler::refuse_set(const values::ValueFault& fault) {
  if (call_.token) {
    leases_.fail(lease_name(), *call_.token, worker_.loop.now_ms());
    // Nobody need hear of it: where it fails, the lease's time ends it.
    if (is_shared()) store().end_lease(key_.view(), *call_.token, [](auto) {});
  }
  this->fault(fault);
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
      refuse_set(too_large(site_->site->backends[backend_]->max_object_size()));
      break;
    case values::ValueIntake::Status::NoRoom:
      refuse_set(cannot_store());
      break;
  }
  intake_.reset();
  return false;
}

// A clear that comes in between finds either the lease, and ends it, or the value.
void KeysHandler::body_is_whole() {
  is_whole_ = true;
  if (call_.kind == Kind::GetOrSet) {
    wait_until_ms_ = worker_.loop.now_ms() + kMostSetting_ms;
    return look_up(Purpose::Probe);
  }
  store_value(leases_.lock_for_set(lease_name()));
}

// What answers the client comes after the lock: with the answer another request may begin.
void KeysHandler::store_value(std::unique_lock<std::mutex> lock) {
  if (!has_lease()) {
    lock.unlock();
    return lease_is_gone();
  }
  backends::EntryParts parts = values::value_parts(
      key_.view(),
      {.content_type = content_type_,
       .lifetime_s = call_.duration_s.value_or(site_->site->backends[backend_]->default_expire_s()),
       .seq = seq_,
       .now_ms = worker_.loop.now_ms(),
       .body_bytes = intake_->size()});
  const backends::StoreTerms terms{.useful_s = std::nullopt,
                                   .lease = call_.token && is_shared() ? *call_.token : ""};
  backends::Storing storing = intake_->commit(std::move(parts), terms, *this);
  lock.unlock();
  if (storing.result) return on_stored(*storing.result);
  pending_ = std::move(storing.pending);
}

void KeysHandler::on_stored(backends::StoreResult result) {
  pending_ = nullptr;
  switch (result) {
    case backends::StoreResult::Stored:
      leases_.set(lease_name());
      end_turn();
      return send({.status = call_.kind == Kind::GetOrSet ? 201 : 204});
    case backends::StoreResult::NotHeld:
      return lease_is_gone();
    case backends::StoreResult::TooLarge:
      return refuse_set(too_large(site_->site->backends[backend_]->max_object_size()));
    case backends::StoreResult::NoRoom:
    case backends::StoreResult::Failed:
      return refuse_set(cannot_store());
  }
}

}  // namespace weir::admin
