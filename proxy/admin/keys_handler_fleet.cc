// Leases of a store that other instances share: whoever holds the lease here asks for the fleet's,
// which lies in the store. That one counts, whichever instance is told its token.
#include <utility>

#include "proxy/admin/keys_handler.h"

namespace weir::admin {
namespace {

// While another instance's caller computes it.
constexpr std::int64_t kLook_ms = 25;

}  // namespace

void KeysHandler::ask_fleet() {
  const backends::LeaseTerms terms{.token = mine_->token,
                                   .for_ms = call_.lease_ms,
                                   .seq = worker_.tables.purges.position(),
                                   .takes_place = takes_place_};
  pending_ = store().lease(key_.view(), terms,
                           [this](backends::LeaseResult result) { told_by_fleet(result); });
}

void KeysHandler::told_by_fleet(backends::LeaseResult result) {
  pending_ = nullptr;
  switch (result) {
    case backends::LeaseResult::Mine:
    // Then nobody is heard of; what is computed cannot be stored there either.
    case backends::LeaseResult::Unknown:
      return give(*mine_);
    case backends::LeaseResult::There:
      takes_place_ = true;
      break;
    case backends::LeaseResult::Others:
      if (worker_.loop.now_ms() >= wait_until_ms_ || leases_.nobody_waits()) {
        leave_line();
        return answer_absent();
      }
      takes_place_ = false;
      return look_timer_.start(kLook_ms);
  }
  look_up(Purpose::Probe);
}

void KeysHandler::look_again() {
  if (!pending_) look_up(Purpose::Probe);
}

// The next one of this instance waits for the other's.
void KeysHandler::leave_line() {
  leases_.fail(line_name(), mine_->token, worker_.loop.now_ms());
  mine_.reset();
}

// What is computed under it is as old as the lease: it was not to be cleared since.
void KeysHandler::find_fleet_lease() {
  pending_ = store().find_lease(
      key_.view(), *call_.token, [this](backends::LeaseResult result, std::uint64_t seq) {
        pending_ = nullptr;
        if (result == backends::LeaseResult::Unknown) return fault(cannot_store());
        backends::EntryMeta computed;
        computed.seq = seq;
        computed.response_ms = worker_.loop.now_ms();
        computed.lifetime_s = 1;
        const bool is_held = result == backends::LeaseResult::Mine && usable(computed);
        if (!is_held) return lease_is_gone();
        seq_ = std::min(seq_, seq);
        begin_body();
      });
}

void KeysHandler::end_fleet_lease() {
  leases_.fail(lease_name(), *call_.token, worker_.loop.now_ms());
  pending_ = store().end_lease(key_.view(), *call_.token, [this](backends::LeaseResult result) {
    pending_ = nullptr;
    if (result == backends::LeaseResult::Unknown) return fault(cannot_store());
    if (result == backends::LeaseResult::Mine) return send({.status = 204});
    lease_is_gone();
  });
}

}  // namespace weir::admin
