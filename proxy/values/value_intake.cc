#include "proxy/values/value_intake.h"

#include <optional>
#include <utility>

namespace weir::values {

ValueIntake::Status ValueIntake::append(std::string_view bytes) {
  size_ += bytes.size();
  if (size_ > max_bytes_) return Status::TooLarge;
  if (inflow_ || size_ > store_.most_whole()) return flow(bytes);
  if (!budget_.try_take(bytes.size())) return Status::NoRoom;
  charged_ += bytes.size();
  bytes_ += bytes;
  return Status::Taken;
}

ValueIntake::Status ValueIntake::flow(std::string_view bytes) {
  if (!inflow_) {
    auto opened = store_.open_inflow(std::nullopt);
    if (!opened) {
      return opened.error() == backends::StoreResult::TooLarge ? Status::TooLarge : Status::NoRoom;
    }
    inflow_ = std::move(*opened);
    inflow_->when_ready([this] { ready_(); });
    if (!inflow_->append(std::exchange(bytes_, {}))) return Status::NoRoom;
    budget_.give(std::exchange(charged_, 0));
  }
  if (!inflow_->append(bytes)) return Status::NoRoom;
  return inflow_->is_behind() ? Status::Behind : Status::Taken;
}

backends::Storing ValueIntake::commit(backends::EntryParts parts, const backends::StoreTerms& terms,
                                      backends::StoreWaiter& waiter) {
  if (inflow_) return inflow_->commit(std::move(parts), waiter);
  parts.body = make_body(bytes_);
  bytes_ = {};
  entry_ = backends::make_entry(std::move(parts));
  return store_.store(entry_, nullptr, terms, waiter);
}

}  // namespace weir::values
